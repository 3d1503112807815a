import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Client } from 'pg';

import { retry } from '../../ops/retry';
import { processIdentity } from '../process/identity';
import { isAlive, readLivePidFile, removePidFile, writePidFile } from '../process/pid-file';
import type { ProcessRecord } from '../process/pid-file';
import { findFreePort } from '../process/ports';
import { readSecretFile } from '../process/secret-file';
import { stopProcess } from '../process/stop-process';
import { logProblem } from '../process/log-problem';
import { preparePostgresBinaries } from './binaries';
import type { PostgresBinaries } from './binaries';
import { clusterArgument, createCluster, serverEnv, SUPERUSER, userOptions } from './cluster';
import { liveByPostmasterFile, portOfLastRun, portOfPostmasterFile } from './postmaster-file';
import { serverUser } from './server-user';
import type { ServerUser } from './server-user';

export interface PostgresServerOptions {
  /** Holds `postgres/` (the cluster), `postgres-password`, `run/` and `logs/`. */
  readonly dataDir: string;
  /** Where the search for a free port begins; default 15432. The port of the last run is preferred. */
  readonly basePort?: number;
  /** Extra settings for `-c`. */
  readonly settings?: readonly string[];
}

const DATABASE = 'trunkline';
/** Of the socket's name and its lock's, before the port. */
const SOCKET_PREFIX = '.s.PGSQL.';
const READY_MS = 30_000;
const LAUNCH_AGAIN_MS = 200;
const ASK_AGAIN_MS = 40;
/**
 * After a crash the old server's children may hold its memory for a moment, and the port was chosen before it was taken:
 * both pass.
 */
const PASSING_FAILURE = /shared memory block|could not bind|Address already in use|lock file/i;

/** What the address of a Unix socket has room for, less in macOS than in Linux (`unix(7)`, `unix(4)`). */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * The embedded PostgreSQL server of one data folder: created on first use, listening on 127.0.0.1 alone, and on a socket
 * inside the cluster's folder, which nobody else may enter; with SCRAM passwords, in a process group of its own so that it survives its starter and the next one can take it over.
 *
 * Run by root the server is another user, who may not be able to enter the folders above the cluster. It therefore
 * starts inside the cluster's folder and knows it as `/proc/self/cwd`, which needs no right on the way.
 */
export class PostgresServer {
  readonly #options: PostgresServerOptions;
  readonly #user: ServerUser | undefined;
  readonly #cluster: string;
  readonly #pidFile: string;
  readonly #logFile: string;
  #port: number | undefined;
  #running: ProcessRecord | undefined;

  constructor(options: PostgresServerOptions) {
    this.#options = options;
    this.#user = serverUser();
    this.#cluster = join(options.dataDir, 'postgres');
    this.#pidFile = join(options.dataDir, 'run', 'postgres.pid');
    this.#logFile = join(options.dataDir, 'logs', 'postgres.log');
  }

  get record(): ProcessRecord | undefined {
    return this.#running;
  }

  get port(): number {
    if (this.#port === undefined) throw new Error('PostgreSQL has not been started');
    return this.#port;
  }

  /** The URL of the product's database, with the password. */
  databaseUrl(database: string = DATABASE): string {
    return `postgres://${SUPERUSER}:${this.#password()}@127.0.0.1:${this.port}/${database}`;
  }

  /**
   * The same by the server's socket, which costs both sides less than a connection over the network's stack; by the
   * network where there is no socket that we could name.
   */
  localUrl(): string {
    const socket = join(this.#cluster, `${SOCKET_PREFIX}${this.port}`);
    const url = new URL(this.databaseUrl());
    if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES && existsSync(socket)) {
      url.searchParams.set('host', this.#cluster);
    }
    return url.toString();
  }

  /**
   * Starts the server, or takes over one that still serves this folder. Called again after a crash it keeps the port.
   * Resolves when it accepts connections and the database exists.
   */
  async start(): Promise<void> {
    for (const folder of ['run', 'logs'])
      mkdirSync(join(this.#options.dataDir, folder), { recursive: true, mode: 0o700 });
    const binaries = preparePostgresBinaries(this.#user);
    if (!existsSync(this.#cluster)) {
      await createCluster({ binaries, user: this.#user, dataDir: this.#options.dataDir, password: this.#password() });
    }
    if (await this.#takeOver()) return;
    const limitMs = performance.now() + READY_MS;
    const fixed = this.#port;
    const launch = async (): Promise<void> => {
      const last = portOfLastRun(this.#cluster);
      this.#port = fixed ?? (await findFreePort([last], this.#options.basePort ?? 15_432));
      const failure = await this.#launch(binaries, limitMs);
      if (failure !== undefined) throw new Error(`PostgreSQL does not start:\n${failure}`);
    };
    await retry(launch, {
      pauseMs: LAUNCH_AGAIN_MS,
      limitMs: READY_MS,
      passes: (error) => PASSING_FAILURE.test((error as Error).message),
      onFailure: () => (this.#port = fixed),
    });
  }

  /** Ends all sessions and stops the server; its data is complete on disk. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    // SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one.
    await stopProcess(this.#running, [
      { signal: 'SIGINT', waitMs: 10_000 },
      { signal: 'SIGQUIT', waitMs: 5_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ]);
    this.#running = undefined;
    removePidFile(this.#pidFile);
  }

  /** `true` when a server of this folder runs already and lets us in. */
  async #takeOver(): Promise<boolean> {
    const found = readLivePidFile(this.#pidFile) ?? liveByPostmasterFile(this.#cluster);
    if (found === undefined) {
      // Nothing runs: what a killed server left would only be in the way when its pid is used by somebody else now.
      for (const name of readdirSync(this.#cluster)) {
        if (name === 'postmaster.pid' || name.startsWith(SOCKET_PREFIX)) rmSync(join(this.#cluster, name));
      }
      return false;
    }
    const port = portOfPostmasterFile(this.#cluster);
    if (port !== undefined && (this.#port === undefined || this.#port === port)) {
      const chosen = this.#port;
      this.#port = port;
      this.#running = found;
      if (await this.#becomesReady(performance.now() + 5_000, () => isAlive(found), true)) {
        writePidFile(this.#pidFile, found.pid, { port });
        return true;
      }
      this.#port = chosen;
    }
    this.#running = found;
    await this.stop();
    return false;
  }

  /** Starts the server on the chosen port; returns the log's end when it does not come up. */
  async #launch(binaries: PostgresBinaries, limitMs: number): Promise<string | undefined> {
    const log = openSync(this.#logFile, 'w', 0o600);
    const settings = [
      `port=${this.port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${process.platform === 'win32' ? '' : this.#socketFolder()}`,
      'max_connections=200',
      // Of tables that are busy (`store/migrations`); by default each database is looked at once a minute.
      'autovacuum_naptime=5s',
      'log_min_messages=warning',
      // Its DETAIL lines hold the values of the row that a constraint refused: phone numbers, sealed secrets.
      'log_error_verbosity=terse',
      ...(this.#options.settings ?? []),
    ];
    const child = spawn(
      binaries.postgres,
      ['-D', clusterArgument(this.#cluster, this.#user), ...settings.flatMap((setting) => ['-c', setting])],
      { cwd: this.#cluster, env: serverEnv(), detached: true, stdio: ['ignore', log, log], ...userOptions(this.#user) },
    );
    closeSync(log);
    const started = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true));
      child.once('error', () => resolve(false));
    });
    if (!started || child.pid === undefined) return `${binaries.postgres} cannot be run`;
    child.unref();
    const record = { pid: child.pid, identity: processIdentity(child.pid) ?? '', details: { port: this.port } };
    this.#running = record;
    writePidFile(this.#pidFile, child.pid, record.details);
    if (await this.#becomesReady(limitMs, () => child.exitCode === null && child.signalCode === null)) return undefined;
    await this.stop();
    return logProblem(this.#logFile);
  }

  /** As the server names it. Where the name does not fit, or would be taken for several, there is no socket. */
  #socketFolder(): string {
    const folder = clusterArgument(this.#cluster, this.#user);
    const socket = join(folder, `${SOCKET_PREFIX}${this.port}`);
    return Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES || /[",]/.test(folder) ? '' : folder;
  }

  async #becomesReady(limitMs: number, isRunning: () => boolean, once = false): Promise<boolean> {
    // A wrong password: another folder's server has the port, and ours is about to end or to move.
    const isForeign = (error: unknown): boolean => once && (error as { code?: string }).code === '28P01';
    return await retry(() => this.#prepareDatabase(), {
      pauseMs: ASK_AGAIN_MS,
      limitMs: limitMs - performance.now(),
      passes: (error) => isRunning() && !isForeign(error),
    }).then(
      () => true,
      () => false,
    );
  }

  async #prepareDatabase(): Promise<void> {
    const client = new Client({ connectionString: this.databaseUrl('postgres'), connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined); // the server may end while we ask
    try {
      await client.connect();
      await ensureDatabase(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #password(): string {
    return readSecretFile(join(this.#options.dataDir, 'postgres-password'), () =>
      randomBytes(24).toString('base64url'),
    );
  }
}

async function ensureDatabase(client: Client): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}
