/**
 * The servers of a test run: one embedded PostgreSQL and one Temporal server, started once by jest's global setup through
 * the product's own launchers. Every test file that needs a database makes one of its own from the migrated template.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Client } from 'pg';

import { createDataSource, migrate } from '../../store/data-source';
import { API_ROLE, SYSTEM_ROLE } from '../../store/row-level-security';

export interface TestServers {
  /** A superuser's URL; its database is not for tests. */
  readonly postgresUrl: string;
  /** `host:port` of a Temporal server with all search attributes; namespace `default`, shared by all tests of the run. */
  readonly temporalAddress: string;
  /** For what all files of the run share; goes with it. */
  readonly folder: string;
}

export interface TestDatabase {
  /** The owner's, a superuser. */
  readonly databaseUrl: string;
  /** The API's role. */
  readonly apiUrl: string;
  /** That of workers and media nodes. */
  readonly systemUrl: string;
  /** Ends its sessions and removes it. */
  drop(): Promise<void>;
}

export const SERVERS_VARIABLE = 'TRUNKLINE_TEST_SERVERS';
const TEMPLATE = 'trunkline_template';
const TEMPLATE_LOCK = 815_003;

export function testServers(): TestServers {
  const value = process.env[SERVERS_VARIABLE];
  if (value === undefined) throw new Error('no servers: only integration tests have them');
  return JSON.parse(value) as TestServers;
}

/** A database of its own with the full schema, in about 25 ms once the template exists. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { postgresUrl } = testServers();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(postgresUrl, async (admin) => {
    await ensureTemplate(admin, postgresUrl);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  });
  const databaseUrl = withDatabase(postgresUrl, name);
  return {
    databaseUrl,
    apiUrl: withLogin(databaseUrl, API_ROLE),
    systemUrl: withLogin(databaseUrl, SYSTEM_ROLE),
    drop: () =>
      asAdmin(postgresUrl, async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** Makes the template on first use; test files that start at the same time wait for the first. */
async function ensureTemplate(admin: Client, postgresUrl: string): Promise<void> {
  await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rows } = await admin.query('SELECT datistemplate AS done FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rows[0]?.done === true) return;
    await admin.query(`DROP DATABASE IF EXISTS ${TEMPLATE} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
    await migrate(createDataSource({ url: withDatabase(postgresUrl, TEMPLATE) }));
    for (const role of [API_ROLE, SYSTEM_ROLE]) await admin.query(`ALTER ROLE ${role} LOGIN PASSWORD '${role}'`);
    await admin.query(`ALTER DATABASE ${TEMPLATE} WITH IS_TEMPLATE true`);
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

/** By the server's socket file, where it has one: of a small question to a server beside us the network is a good part. */
export function bySocket(databaseUrl: string): string {
  const { username, password, port, pathname } = new URL(databaseUrl);
  const folder = join(testServers().folder, 'postgres');
  if (!existsSync(join(folder, `.s.PGSQL.${port}`))) return databaseUrl;
  return `postgres://${username}:${password}@${encodeURIComponent(folder)}:${port}${pathname}`;
}

async function asAdmin<T>(url: string, work: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** In test runs the roles' names are their passwords. */
function withLogin(url: string, role: string): string {
  const changed = new URL(url);
  changed.username = role;
  changed.password = role;
  return changed.toString();
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.toString();
}
