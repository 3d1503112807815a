/** How long a peer may send nothing is a setting of its trunk; `api/schemas` has the range. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['inbound_trunks', 'outbound_trunks'] as const;

export class MediaTimeout1764400000000 implements MigrationInterface {
  readonly name = 'MediaTimeout1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN media_timeout_seconds integer NOT NULL DEFAULT 30`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`ALTER TABLE ${table} DROP COLUMN media_timeout_seconds`);
  }
}
