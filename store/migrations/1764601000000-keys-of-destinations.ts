/** A key by which a caller gets to a destination of the agent. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeysOfDestinations1764601000000 implements MigrationInterface {
  readonly name = 'KeysOfDestinations1764601000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agent_transfer_destinations ADD COLUMN keypad text`);
    await runner.query(
      `CREATE UNIQUE INDEX agent_transfer_destinations_keypad ON agent_transfer_destinations (agent_id, keypad)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX agent_transfer_destinations_keypad`);
    await runner.query(`ALTER TABLE agent_transfer_destinations DROP COLUMN keypad`);
  }
}
