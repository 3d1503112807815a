/** When a call is to be dialled, and until when it may be. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ScheduledCalls1764601510000 implements MigrationInterface {
  readonly name = 'ScheduledCalls1764601510000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE calls ADD COLUMN scheduled_at timestamptz(3), ADD COLUMN expires_at timestamptz(3)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls DROP COLUMN expires_at, DROP COLUMN scheduled_at');
  }
}
