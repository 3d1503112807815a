/** By which rules that are set elsewhere a campaign has looked at its contacts; and `name` among the columns that they came with. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RulesOutsideCampaigns1764601760000 implements MigrationInterface {
  readonly name = 'RulesOutsideCampaigns1764601760000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE campaigns ADD COLUMN rules_seen text, ADD COLUMN rules_seen_at timestamptz');
    await runner.query(
      `UPDATE campaigns k SET variable_names = '{name}' || variable_names
       WHERE NOT 'name' = ANY(variable_names) AND deleted_at IS NULL AND EXISTS (
         SELECT FROM campaign_contacts c WHERE c.campaign_id = k.id AND c.name IS NOT NULL AND c.name <> '')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE campaigns SET variable_names = array_remove(variable_names, 'name')`);
    await runner.query('ALTER TABLE campaigns DROP COLUMN rules_seen, DROP COLUMN rules_seen_at');
  }
}
