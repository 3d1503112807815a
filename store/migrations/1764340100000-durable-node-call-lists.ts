/** Where the reconciler asks media nodes for their calls. What stands there is worth nothing a moment later: not logged. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DurableNodeCallLists1764340100000 implements MigrationInterface {
  readonly name = 'DurableNodeCallLists1764340100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE media_nodes ADD COLUMN survey_id text');
    await runner.query(
      `CREATE UNLOGGED TABLE media_node_calls (
         node_id text PRIMARY KEY,
         boot_id text NOT NULL,
         survey_id text NOT NULL,
         calls jsonb NOT NULL
       )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE media_node_calls');
    await runner.query('ALTER TABLE media_nodes DROP COLUMN survey_id');
  }
}
