/** What a change of a campaign leaves to be done beside its row, and whom it makes due anew. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `ALTER TABLE campaigns ADD COLUMN settled_version integer NOT NULL DEFAULT 1, ADD COLUMN renewal jsonb`,
  `UPDATE campaigns SET settled_version = version`,
  `CREATE INDEX campaigns_unsettled ON campaigns (id) WHERE settled_version <> version AND status <> 'draft'`,
];

const DOWN: readonly string[] = [
  'DROP INDEX campaigns_unsettled',
  'ALTER TABLE campaigns DROP COLUMN renewal, DROP COLUMN settled_version',
];

export class CampaignControl1764601720000 implements MigrationInterface {
  readonly name = 'CampaignControl1764601720000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await runner.query(statement);
  }
}
