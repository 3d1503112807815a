/** How keys are pressed towards the peers of a trunk. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['inbound_trunks', 'outbound_trunks'] as const;

export class DtmfMode1764601300000 implements MigrationInterface {
  readonly name = 'DtmfMode1764601300000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN dtmf_mode text NOT NULL DEFAULT 'auto'`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`ALTER TABLE ${table} DROP COLUMN dtmf_mode`);
  }
}
