/** After a rotation the password before still lets calls in for a while. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RotationOfCredentials1764550000000 implements MigrationInterface {
  readonly name = 'RotationOfCredentials1764550000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE inbound_trunks ADD COLUMN previous_password_sealed text,
      ADD COLUMN previous_password_until timestamptz(3)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE inbound_trunks DROP COLUMN previous_password_until, DROP COLUMN previous_password_sealed',
    );
  }
}
