/**
 * A Temporal server on PostgreSQL, as production has one and as `temporal-docker-compose.yml` starts it, without containers: the
 * release's own server and SQL tool, built by Go into the cache once, on an embedded PostgreSQL of its own.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { cacheFolder } from '../scripts/cache-folder';
import { PostgresServer } from '../scripts/postgres/postgres-server';
import { withoutSecrets } from '../scripts/process/child-environment';
import { findTemporal } from '../scripts/temporal/executable';
import { freePort } from '../test/support/free-ports';
import { waitFor } from '../test/support/wait-for';
import { SEARCH_ATTRIBUTES } from '../workflows/ids';

const VERSION = '1.29.1';
const BUILD_MS = 20 * 60_000;
const READY_MS = 60_000;
/** As the compose file. */
const DATABASES = [
  { name: 'temporal', schema: 'postgresql/v12/temporal' },
  { name: 'temporal_visibility', schema: 'postgresql/v12/visibility' },
] as const;
const DYNAMIC_CONFIG = {
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxTimeShift': '10ms',
  'system.enableActivityEagerExecution': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
} as const;

const run = promisify(execFile);

export class TemporalOnPostgres {
  readonly address: string;
  readonly #folder: string;
  readonly #postgres: PostgresServer;
  readonly #server: ChildProcess;

  private constructor(address: string, folder: string, postgres: PostgresServer, server: ChildProcess) {
    this.address = address;
    this.#folder = folder;
    this.#postgres = postgres;
    this.#server = server;
  }

  /** With the namespace `default` and the search attributes of a call. @throws where Go is missing, or cannot build it */
  static async start(): Promise<TemporalOnPostgres> {
    const { server, sql } = await built();
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-temporal-'));
    const postgres = new PostgresServer({ dataDir: folder, basePort: await freePort() });
    try {
      await postgres.start();
      const { username: user, password } = new URL(postgres.databaseUrl());
      const login = { user, password, port: postgres.port };
      await prepareDatabases(sql, login);
      const port = await freePort();
      await writeConfig(folder, login, port);
      const log = openSync(join(folder, 'temporal.log'), 'a');
      const env = withoutSecrets();
      const child = spawn(server, ['--root', folder, '--env', 'bench', '--allow-no-auth', 'start'], {
        env,
        stdio: ['ignore', log, log],
      });
      const address = `127.0.0.1:${port}`;
      const temporal = new TemporalOnPostgres(address, folder, postgres, child);
      await prepareNamespace(address).catch(async (error: unknown) => {
        await temporal.stop();
        throw error;
      });
      return temporal;
    } catch (error) {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get pids(): { readonly server: number; readonly postgres: number } {
    return { server: this.#server.pid!, postgres: this.#postgres.record!.pid };
  }

  async stop(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const ended = new Promise((resolve) => this.#server.once('exit', resolve));
      this.#server.kill('SIGKILL');
      await ended;
    }
    await this.#postgres.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function built(): Promise<{ readonly server: string; readonly sql: string }> {
  const folder = join(cacheFolder(), `temporal-server-${VERSION}`);
  const files = { server: join(folder, 'server'), sql: join(folder, 'sql') };
  if (existsSync(files.server) && existsSync(files.sql)) return files;
  mkdirSync(folder, { recursive: true });
  const module = 'go.temporal.io/server';
  const packages = ['cmd/server', 'cmd/tools/sql'].map((path) => `${module}/${path}@v${VERSION}`);
  await run('go', ['install', ...packages], { env: { ...withoutSecrets(), GOBIN: folder }, timeout: BUILD_MS });
  return files;
}

interface Login {
  readonly user: string;
  readonly password: string;
  readonly port: number;
}

async function prepareDatabases(sql: string, { user, password, port }: Login): Promise<void> {
  const env = { ...withoutSecrets(), SQL_PASSWORD: password };
  for (const { name, schema } of DATABASES) {
    const tool = (...args: readonly string[]): Promise<unknown> =>
      run(sql, ['--plugin', 'postgres12', '--port', String(port), '--user', user, '--database', name, ...args], {
        env,
      });
    await tool('create-database');
    await tool('setup-schema', '--version', '0.0');
    await tool('update-schema', '--schema-name', schema);
  }
}

/** One process with all services, as the image of the release. JSON is YAML. */
async function writeConfig(folder: string, { user, password, port }: Login, frontendPort: number): Promise<void> {
  const sql = (databaseName: string, maxConns: number): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${port}`,
      connectProtocol: 'tcp',
      user,
      password,
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const service = async (grpcPort?: number): Promise<object> => ({
    rpc: { grpcPort: grpcPort ?? (await freePort()), membershipPort: await freePort(), bindOnIP: '127.0.0.1' },
  });
  const config = {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: sql(DATABASES[0].name, 20), visibility: sql(DATABASES[1].name, 10) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: await service(frontendPort),
      matching: await service(),
      history: await service(),
      worker: await service(),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `127.0.0.1:${frontendPort}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: join(folder, 'dynamic.yaml'), pollInterval: '60s' },
  };
  const dynamic = Object.fromEntries(Object.entries(DYNAMIC_CONFIG).map(([name, value]) => [name, [{ value }]]));
  mkdirSync(join(folder, 'config'), { recursive: true });
  writeFileSync(join(folder, 'config', 'bench.yaml'), JSON.stringify(config));
  writeFileSync(join(folder, 'dynamic.yaml'), JSON.stringify(dynamic));
}

async function prepareNamespace(address: string): Promise<void> {
  const cli = await findTemporal({ cliPath: process.env['TEMPORAL_CLI_PATH'], progress: () => undefined });
  const operator = async (...args: readonly string[]): Promise<string> =>
    (await run(cli, ['operator', ...args, '--address', address], { env: withoutSecrets() })).stdout;
  const done = async (asked: Promise<unknown>): Promise<true | undefined> => asked.then(() => true as const, nothing);
  await waitFor('Temporal', READY_MS, () => done(operator('cluster', 'health')));
  await waitFor('the namespace', READY_MS, () =>
    done(operator('namespace', 'create', '--namespace', 'default', '--retention', '72h')),
  );
  const attributes = ['search-attribute', 'create', '--namespace', 'default', '--type', 'Keyword'] as const;
  // A server that has just started may take one and say that it has taken all of them.
  for (const name of SEARCH_ATTRIBUTES) {
    await waitFor(`the search attribute ${name}`, READY_MS, async () => {
      await operator(...attributes, '--name', name).catch(nothing);
      const known = await operator('search-attribute', 'list', '--namespace', 'default').catch(nothing);
      return known?.includes(name) === true ? true : undefined;
    });
  }
}

const nothing = (): undefined => undefined;
