/** What the caller asked for in the Privacy header. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CallPrivacy1764000200000 implements MigrationInterface {
  readonly name = 'CallPrivacy1764000200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE calls ADD COLUMN privacy text[] NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls DROP COLUMN privacy');
  }
}
