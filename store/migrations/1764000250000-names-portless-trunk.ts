/** A trunk may leave its port and its transport to the records of its host name. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NamesPortlessTrunk1764000250000 implements MigrationInterface {
  readonly name = 'NamesPortlessTrunk1764000250000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE outbound_trunks ALTER COLUMN port DROP NOT NULL, ALTER COLUMN transport DROP NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE outbound_trunks SET port = coalesce(port, 5060), transport = coalesce(transport, 'udp')
       WHERE port IS NULL OR transport IS NULL`,
    );
    await runner.query(
      'ALTER TABLE outbound_trunks ALTER COLUMN port SET NOT NULL, ALTER COLUMN transport SET NOT NULL',
    );
  }
}
