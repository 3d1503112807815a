/**
 * An index for every filter of every list, in the list's order, so that a page reads its own rows. Open calls are those
 * without an end and no longer those with another status than `completed`: with an index that knows the status, each of its
 * changes had to write a new entry into every index of calls.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

const ADDED: readonly string[] = [
  `CREATE INDEX calls_open_org ON calls (org_id, created_at, id) WHERE ended_at IS NULL`,
  `CREATE INDEX calls_org_direction ON calls (org_id, direction, created_at, id)`,
  `CREATE INDEX calls_org_disposition ON calls (org_id, disposition, created_at, id) WHERE disposition IS NOT NULL`,
  `CREATE INDEX calls_org_campaign ON calls (org_id, campaign_id, created_at, id) WHERE campaign_id IS NOT NULL`,
  `CREATE INDEX audit_log_resource ON audit_log (org_id, resource, at, id)`,
  `CREATE INDEX audit_log_resource_id ON audit_log (org_id, resource_id, at, id) WHERE resource_id IS NOT NULL`,
  `CREATE INDEX audit_log_action ON audit_log (org_id, action, at, id)`,
];

/** Name, table, the columns until now and the columns now. */
const EXTENDED: readonly (readonly [name: string, table: string, before: string, after: string])[] = [
  ['calls_org_agent', 'calls', 'org_id, agent_id, created_at', 'org_id, agent_id, created_at, id'],
  ['calls_org_from', 'calls', 'org_id, from_number', 'org_id, from_number, created_at, id'],
  ['calls_org_to', 'calls', 'org_id, to_number', 'org_id, to_number, created_at, id'],
  ['contacts_org', 'contacts', 'org_id, created_at, id', 'org_id, created_at, id, updated_at'],
  ...['agents', 'api_keys', 'outbound_trunks', 'transfer_destinations'].map(
    (table) => [`${table}_org`, table, 'org_id, created_at', 'org_id, created_at, id'] as const,
  ),
];

const OPEN: readonly (readonly [name: string, columns: string])[] = [
  ['calls_open_node', 'node_id, boot_id'],

  ['calls_open_trunk', 'trunk_id'],
];

export class ListsIndexes1764560000000 implements MigrationInterface {
  readonly name = 'ListsIndexes1764560000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of ADDED) await runner.query(statement);
    for (const [name, table, , columns] of EXTENDED) await replace(runner, name, table, columns);
    for (const [name, columns] of OPEN) await replace(runner, name, 'calls', columns, 'ended_at IS NULL');
    await runner.query(
      `ALTER TABLE calls ADD CONSTRAINT calls_completed_ended CHECK ((status = 'completed') = (ended_at IS NOT NULL))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE calls DROP CONSTRAINT calls_completed_ended');
    for (const [name, columns] of OPEN) await replace(runner, name, 'calls', columns, `status <> 'completed'`);
    for (const [name, table, columns] of EXTENDED) await replace(runner, name, table, columns);
    for (const statement of ADDED) await runner.query(`DROP INDEX ${statement.split(' ')[2]}`);
  }
}

async function replace(
  runner: QueryRunner,
  name: string,
  table: string,
  columns: string,
  where?: string,
): Promise<void> {
  await runner.query(`DROP INDEX ${name}`);
  await runner.query(`CREATE INDEX ${name} ON ${table} (${columns})${where === undefined ? '' : ` WHERE ${where}`}`);
}
