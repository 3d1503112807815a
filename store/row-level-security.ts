/**
 * The second belt around an organisation's rows, put on after every migration: a table with `org_id` shows its rows to a
 * transaction of that organisation alone (`organisation-scope.ts`), whatever the statement forgets.
 *
 * | role               | who                                      | rows                                              |
 * | ------------------ | ---------------------------------------- | ------------------------------------------------- |
 * | owner              | migrations, and functions of the owner   | all                                               |
 * | `trunkline_api`    | the API                                  | of the organisation that the transaction names    |
 * | `trunkline_system` | workers and media nodes                  | all                                               |
 *
 * Where the owner may not create roles, an administrator does; until then everybody connects as the owner.
 */
import type { DataSource, QueryRunner } from 'typeorm';
import { ORGANISATION_SETTING } from './organisation-scope';

export const API_ROLE = 'trunkline_api';
export const SYSTEM_ROLE = 'trunkline_system';

const HISTORY_TABLE = 'schema_migrations';
/** What belongs to no organisation and is written by the API nevertheless. */
const API_WRITES: Readonly<Record<string, string>> = {
  config_version: 'UPDATE',
  config_tombstones: 'INSERT, UPDATE, DELETE',
  // By operators' keys alone.
  global_dnc_entries: 'INSERT, DELETE',
};

interface TableState {
  readonly name: string;
  /** Null where rows belong to no organisation. */
  readonly orgColumn: string | null;
  readonly forced: boolean;
  readonly policies: readonly string[];
}

const TABLES = `
  SELECT c.relname AS name, c.relforcerowsecurity AS forced,
    CASE WHEN c.relname = 'organisations' THEN 'id'
      WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'org_id' AND NOT attisdropped)
      THEN 'org_id' END AS "orgColumn",
    ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid) AS policies
  FROM pg_class c
  WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> '${HISTORY_TABLE}'
    AND pg_get_userbyid(c.relowner) = current_user
  ORDER BY c.relname`;

/** Functions that the owner lends his rights to, each for one purpose. */
const LENT_FUNCTIONS = `
  SELECT oid::regprocedure::text AS name FROM pg_proc
  WHERE prosecdef AND pronamespace = current_schema()::regnamespace AND pg_get_userbyid(proowner) = current_user`;

/** As the owner, one process at a time. Repeating it changes nothing and takes no lock that calls wait for. */
export async function secureRows(owner: QueryRunner): Promise<void> {
  const roles: string[] = [];
  for (const role of [API_ROLE, SYSTEM_ROLE]) if (await ensureRole(owner, role)) roles.push(role);
  for (const role of roles) await allowSchema(owner, role);
  const tables: TableState[] = await owner.query(TABLES);
  for (const table of tables) {
    if (table.orgColumn !== null) await forcePolicies(owner, table, table.orgColumn, roles.includes(SYSTEM_ROLE));
    for (const role of roles) await owner.query(`GRANT ${rightsOf(role, table)} ON ${table.name} TO ${role}`);
  }
  const functions: { name: string }[] = await owner.query(LENT_FUNCTIONS);
  for (const { name } of functions) {
    for (const role of roles) await owner.query(`GRANT EXECUTE ON FUNCTION ${name} TO ${role}`);
  }
}

/** Lets a role of ours log in; only where the server is ours too. */
export async function allowLogin(owner: DataSource, role: string, password: string): Promise<void> {
  if (!/^[\w-]+$/.test(password)) throw new TypeError('a password of a role is base64url');
  // A refused statement would stand in the server's log with all it says.
  await owner.query(`SET log_min_error_statement = 'panic'; ALTER ROLE ${role} LOGIN PASSWORD '${password}'`);
}

/** False for a connection that row-level security does not bind: a superuser's, or the owner's. */
export async function isBoundToOrganisation(dataSource: DataSource): Promise<boolean> {
  const rows: { bound: boolean }[] = await dataSource.query(
    `SELECT row_security_active(oid) AND NOT pg_has_role(relowner, 'USAGE')
       AND NOT coalesce(pg_has_role((SELECT oid FROM pg_roles WHERE rolname = '${SYSTEM_ROLE}'), 'USAGE'), false) AS bound
     FROM pg_class WHERE oid = 'agents'::regclass`,
  );
  return rows[0]?.bound === true;
}

/** False when the owner may not create it and nobody else has. */
async function ensureRole(owner: QueryRunner, role: string): Promise<boolean> {
  const exists = async (): Promise<boolean> =>
    ((await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [role])) as unknown[]).length === 1;
  if (await exists()) return true;
  try {
    await owner.query(`CREATE ROLE ${role}`);
    return true;
  } catch (error) {
    // Not allowed, or another database of the same server was first.
    const code = (error as { driverError?: { code?: string } }).driverError?.code ?? '';
    if (!['42501', '42710', '23505'].includes(code)) throw error;
    return exists();
  }
}

async function allowSchema(owner: QueryRunner, role: string): Promise<void> {
  const rows: { allowed: boolean; schema: string }[] = await owner.query(
    `SELECT has_schema_privilege($1, current_schema(), 'USAGE') AS allowed, quote_ident(current_schema()) AS schema`,
    [role],
  );
  if (rows[0]?.allowed === false) await owner.query(`GRANT USAGE ON SCHEMA ${rows[0].schema} TO ${role}`);
}

async function forcePolicies(owner: QueryRunner, table: TableState, column: string, system: boolean): Promise<void> {
  const { name, forced, policies } = table;
  const own = `${column} = nullif(current_setting('${ORGANISATION_SETTING}', true), '')::uuid`;
  const wanted: readonly (readonly [string, string, string])[] = [
    ['organisation', 'PUBLIC', own],
    ['owner', 'CURRENT_USER', 'true'],
    ...(system ? [['system', SYSTEM_ROLE, 'true'] as const] : []),
  ];
  for (const [policy, role, condition] of wanted) {
    if (!policies.includes(policy)) {
      await owner.query(`CREATE POLICY ${policy} ON ${name} TO ${role} USING (${condition}) WITH CHECK (${condition})`);
    }
  }
  if (!forced) await owner.query(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
}

function rightsOf(role: string, { name, orgColumn }: TableState): string {
  if (role === SYSTEM_ROLE || orgColumn !== null) return 'SELECT, INSERT, UPDATE, DELETE';
  const writes = API_WRITES[name];
  return writes === undefined ? 'SELECT' : `SELECT, ${writes}`;
}
