/** A call shows its last transfer. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TransfersOfCalls1764600900000 implements MigrationInterface {
  readonly name = 'TransfersOfCalls1764600900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE calls ADD COLUMN transfer jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE calls DROP COLUMN transfer`);
  }
}
