import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackoffOptions } from '../../ops/backoff';
import { EnvError, readEnvFile } from '../../ops/env';
import type { Logger } from '../../ops/logger';
import type { Shutdown } from '../../ops/shutdown';
import { advertisedSipAddress } from '../../ops/sip-address';
import { newApiKey } from '../../store/api-key-hash';
import { newMasterKey } from '../../store/secrets';
import { PostgresServer } from '../postgres/postgres-server';
import { takeInstanceLock } from '../process/instance-lock';
import { API_FLAGS } from '../process/node-flags';
import { readSecretFile } from '../process/secret-file';
import { PROJECT_ROOT } from '../project-root';
import { findTemporal } from '../temporal/executable';
import { TemporalServer } from '../temporal/temporal-server';
import { banner } from './banner';
import type { SupervisorConfig } from './config';
import { makeDataFolder } from './data-folder';
import { embeddedUrls, foreignUrls, roleLogins } from './database-urls';
import type { DatabaseUrls, RoleLogin } from './database-urls';
import { stopLeftovers } from './leftovers';
import { ManagedProcess } from './managed-process';
import { ProcessOutput } from './output';
import { checkPorts } from './port-check';
import { ENDLESS_RESTARTS, LIMITED_RESTARTS } from './restart-policy';
import { WatchedServer } from './watched-server';

type ProcessName = 'worker' | 'api' | 'media';

interface Entry {
  /** Both relative to `dist`. */
  readonly main: string;
  readonly preload?: string;
  /** Of Node. */
  readonly flags?: readonly string[];
  /** As whom it comes to the database. */
  readonly database: Exclude<keyof DatabaseUrls, 'owner'>;
  readonly restarts: BackoffOptions;
}

const PROCESSES: Readonly<Record<ProcessName, Entry>> = {
  worker: {
    main: 'activities/main.js',
    preload: 'activities/preload.js',
    database: 'system',
    restarts: ENDLESS_RESTARTS,
  },
  api: { main: 'api/main.js', flags: API_FLAGS, database: 'api', restarts: ENDLESS_RESTARTS },
  media: { main: 'media-node/main.js', database: 'system', restarts: LIMITED_RESTARTS },
};

/** A media node ends its calls after 30 s by itself; the rest is for its own shutdown. */
const MEDIA_LIMIT_MS = 40_000;
const PROCESS_LIMIT_MS = 15_000;
const READY_WARNING_MS = 60_000;
const NONE_OF_THEIR_BUSINESS = ['BOOTSTRAP_API_KEY', 'DATABASE_URL', 'API_DATABASE_URL', 'SYSTEM_DATABASE_URL'];

interface Addresses {
  readonly databaseUrls: DatabaseUrls;
  readonly temporalAddress: string;
  readonly temporalUi: string;
}

/**
 * Starts everything in order and adds to `shutdown` how it stops: media node (drains) → api and worker → servers → lock.
 * The servers start together, the migrations run while Temporal boots, the three processes start together.
 */
export class Supervisor {
  readonly #config: SupervisorConfig;
  readonly #logger: Logger;
  readonly #shutdown: Shutdown;
  readonly #runDir: string;
  readonly #processes = new Map<ProcessName, ManagedProcess>();

  constructor(config: SupervisorConfig, logger: Logger, shutdown: Shutdown) {
    this.#config = config;
    this.#logger = logger;
    this.#shutdown = shutdown;
    this.#runDir = join(config.dataDir, 'run');
  }

  /** Resolves when the product is ready. Throws what keeps it from starting. */
  async start(): Promise<void> {
    const startedMs = performance.now();
    const { dataDir } = this.#config;
    makeDataFolder(dataDir);
    this.#shutdown.add('lock', takeInstanceLock(join(this.#runDir, 'supervisor.pid')));
    await stopLeftovers(this.#runDir, Object.keys(PROCESSES), this.#logger);
    await checkPorts(this.#config);

    const secretsKey = this.#config.secretsKey ?? readSecretFile(join(dataDir, 'secrets-key'), newMasterKey);
    const addresses = await this.#startServers(secretsKey);
    if (this.#shutdown.requested.aborted) return;
    this.#startProcesses(this.#environment(addresses, secretsKey), addresses.databaseUrls);
    await this.#untilReady();
    if (this.#shutdown.requested.aborted) return;
    this.#logger.info({ tookMs: Math.round(performance.now() - startedMs) }, 'ready');
    process.stdout.write(
      banner({
        apiUrl: this.#apiUrl(),
        apiKey: this.#config.bootstrapApiKey === undefined ? join(dataDir, 'api-key') : 'BOOTSTRAP_API_KEY',
        temporalUi: addresses.temporalUi,
        sipAddress: advertisedSipAddress(this.#config.sip),
      }),
    );
  }

  /** Starts the three processes anew, for code that has changed. */
  async restartProcesses(): Promise<void> {
    const hurry = AbortSignal.abort();
    await Promise.all(
      [...this.#processes.values()].map((managed) => managed.restart({ limitMs: PROCESS_LIMIT_MS, hurry })),
    );
  }

  async #startServers(secretsKey: string): Promise<Addresses> {
    // Loaded while the servers boot: it takes longer than PostgreSQL.
    const loading = import('./prepare-store.js');
    loading.catch(() => undefined); // reported where it is awaited
    const [databaseUrls, temporal] = await Promise.all([
      this.#startPostgres().then(async ({ urls, logins }) => {
        const { prepareStore, connectionProblem } = await loading;
        const options = { databaseUrl: urls.owner, secretsKey, apiKey: this.#apiKey(), logins };
        const migrations = await prepareStore(options).catch((error: unknown) => {
          const problem = this.#config.databaseUrl === undefined ? undefined : connectionProblem(error);
          throw problem === undefined ? error : new EnvError([`DATABASE_URL: ${problem}`]);
        });
        if (migrations.length > 0) this.#logger.info({ migrations: migrations.length }, 'database migrated');
        return urls;
      }),
      this.#startTemporal(),
    ]);
    return { databaseUrls, ...temporal };
  }

  async #startPostgres(): Promise<{ readonly urls: DatabaseUrls; readonly logins: readonly RoleLogin[] }> {
    const { databaseUrl, dataDir } = this.#config;
    if (databaseUrl !== undefined) return { urls: foreignUrls(databaseUrl, this.#config), logins: [] };
    const server = new PostgresServer({ dataDir });
    await this.#startServer('postgres', server);
    const logins = roleLogins(dataDir);
    return { urls: embeddedUrls(server.localUrl(), logins), logins: [logins.api, logins.system] };
  }

  async #startTemporal(): Promise<Pick<Addresses, 'temporalAddress' | 'temporalUi'>> {
    if (this.#config.temporalAddress !== undefined) {
      return { temporalAddress: this.#config.temporalAddress, temporalUi: `of ${this.#config.temporalAddress}` };
    }
    const finding = findTemporal({
      cliPath: this.#config.temporalCliPath,
      progress: (message) => this.#logger.info(message),
      signal: this.#shutdown.requested,
    });
    this.#shutdown.add('search for Temporal', () => finding.then(nothing, nothing));
    const executable = await finding;
    this.#shutdown.requested.throwIfAborted();
    const server = new TemporalServer({ executable, dataDir: this.#config.dataDir });
    await this.#startServer('temporal', server);
    return { temporalAddress: server.address, temporalUi: server.uiUrl };
  }

  async #startServer(name: string, server: PostgresServer | TemporalServer): Promise<void> {
    const watched = new WatchedServer({
      name,
      server,
      logger: this.#logger,
      onGiveUp: (error) => this.#shutdown.fail(error),
    });
    this.#shutdown.add(name, () => watched.stop());
    await watched.start();
  }

  #startProcesses(env: NodeJS.ProcessEnv, databaseUrls: DatabaseUrls): void {
    for (const name of Object.keys(PROCESSES) as ProcessName[]) {
      this.#processes.set(
        name,
        new ManagedProcess({
          name,
          launch: () => launch(PROCESSES[name], { ...env, DATABASE_URL: databaseUrls[PROCESSES[name].database] }),
          pidFile: join(this.#runDir, `${name}.pid`),
          output: new ProcessOutput(name),
          logger: this.#logger,
          restarts: PROCESSES[name].restarts,
          onGiveUp: (error) => this.#shutdown.fail(error),
        }),
      );
    }
    this.#shutdown.add('api and worker', (hurry) => this.#stop(['api', 'worker'], PROCESS_LIMIT_MS, hurry));
    this.#shutdown.add('media', (hurry) => this.#stop(['media'], MEDIA_LIMIT_MS, hurry));
    for (const managed of this.#processes.values()) managed.start();
  }

  async #stop(names: readonly ProcessName[], limitMs: number, hurry: AbortSignal): Promise<void> {
    await Promise.all(names.map(async (name) => this.#processes.get(name)?.stop({ limitMs, hurry })));
  }

  /** What the processes get: ours, without what is none of their business, and the addresses of what was started. */
  #environment(addresses: Addresses, secretsKey: string): NodeJS.ProcessEnv {
    const own: NodeJS.ProcessEnv = { ...readEnvFile(), ...process.env };
    for (const name of NONE_OF_THEIR_BUSINESS) delete own[name];
    return {
      NODE_ENV: 'production',
      ALLOW_PRIVATE_TARGETS: 'true',
      ...own,
      DATA_DIR: this.#config.dataDir,
      TEMPORAL_ADDRESS: addresses.temporalAddress,
      SECRETS_KEY: secretsKey,
    };
  }

  #apiKey(): string {
    return this.#config.bootstrapApiKey ?? readSecretFile(join(this.#config.dataDir, 'api-key'), newApiKey);
  }

  #apiUrl(): string {
    const { host, port } = this.#config.api;
    const reachable =
      host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
    return `http://${reachable}:${port}`;
  }

  async #untilReady(): Promise<void> {
    const warnAtMs = performance.now() + READY_WARNING_MS;
    for (let warned = false; !this.#shutdown.requested.aborted; await sleep(50)) {
      const answer = await this.#askReady();
      if (answer === 'ready') return;
      if (!warned && performance.now() > warnAtMs) {
        warned = true;
        this.#logger.warn({ missing: answer }, 'not ready after a minute: still waiting');
      }
    }
  }

  async #askReady(): Promise<unknown> {
    try {
      const answer = await fetch(`${this.#apiUrl()}/ready`, { signal: AbortSignal.timeout(3_000) });
      return answer.status === 200 ? 'ready' : await answer.json();
    } catch (error) {
      return (error as Error).message; // not listening yet
    }
  }
}

const nothing = (): void => undefined;

/**
 * In a process group of its own: a Ctrl-C in the terminal reaches the supervisor alone, which then stops the processes in
 * their order. The IPC channel carries nothing; its end tells a process that the supervisor is gone.
 */
function launch({ main, preload, flags = [] }: Entry, env: NodeJS.ProcessEnv): ChildProcess {
  const dist = join(PROJECT_ROOT, 'dist');
  return fork(join(dist, main), [], {
    detached: true,
    env,
    execArgv: [...flags, ...(preload === undefined ? [] : ['--require', join(dist, preload)])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}
