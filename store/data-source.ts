/**
 * The connection pool. It fails fast while PostgreSQL is away (2 s to connect, 5 s per statement) and uses a restarted
 * server without a restart of the process: broken connections leave the pool, new ones are opened on demand.
 *
 * How repositories ask it: plain rows and their locks (`row-lock.ts`) through the entity manager; SQL where one statement
 * decides and writes, answers what it wrote, or stands in the way of every request or call (`rows.ts`, `prepared.ts`).
 * Nothing else builds queries than `newestPage`.
 */
import 'reflect-metadata';
import { DataSource } from 'typeorm';
import type { DataSourceOptions } from 'typeorm';
import { ENTITIES } from './entities';
import { FailFastClient } from './fail-fast-client';
import { MIGRATIONS } from './migrations';
import { SnakeCaseNaming } from './naming';
import { secureRows } from './row-level-security';

export interface StoreOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Connections kept at most; default 10. */
  readonly poolSize?: number;
  /** Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Enforced by the server; default 5000. */
  readonly statementTimeoutMs?: number;
  /** An idle connection broke; the pool has dropped it already. */
  readonly onPoolError?: (error: Error) => void;
}

/** A silent server (stopped process, cut network) answers no statement timeout: the client gives up this much later. */
const CLIENT_MARGIN_MS = 1000;
const MIGRATION_LOCK = 7_283_001;

export function createDataSource(options: StoreOptions): DataSource {
  return new DataSource(dataSourceOptions(options));
}

function dataSourceOptions(options: StoreOptions): DataSourceOptions {
  const statementTimeoutMs = options.statementTimeoutMs ?? 5000;
  return {
    type: 'postgres',
    url: options.url,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'schema_migrations',
    namingStrategy: new SnakeCaseNaming(),
    // Ids are made in code and nothing uses an extension.
    installExtensions: false,
    logging: false,
    poolSize: options.poolSize ?? 10,
    poolErrorHandler: (error: Error) => options.onPoolError?.(error),
    extra: {
      Client: FailFastClient,
      // Statements of one connection may leave before the answers to those before them, in their order (`OrganisationScope`).
      pipeline: true,
      application_name: options.applicationName ?? 'trunkline',
      connectionTimeoutMillis: options.connectTimeoutMs ?? 2000,
      statement_timeout: statementTimeoutMs,
      answerTimeoutMs: statementTimeoutMs + CLIENT_MARGIN_MS,
      // A killed or paused process must not keep row locks.
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  };
}

/**
 * As the owner: runs what is missing, in one transaction, on connections without time limits, and puts row-level security
 * on what is there then; processes that start together do not disturb each other. Answers the names of the migrations it ran.
 */
export async function migrate(dataSource: DataSource): Promise<readonly string[]> {
  const own = new DataSource({
    ...dataSourceOptions({ url: (dataSource.options as { url: string }).url, poolSize: 2 }),
    extra: { application_name: 'trunkline-migrations', connectionTimeoutMillis: 2000 },
  } as DataSourceOptions);
  await own.initialize();
  const lock = own.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // Each lets go of what it has locked before the next one locks more: others are at work.
    const done = await own.runMigrations({ transaction: 'each' });
    await secureRows(lock);
    return done.map((migration) => migration.name);
  } finally {
    // Ends the session, and with it the lock.
    await lock.release();
    await own.destroy();
  }
}
