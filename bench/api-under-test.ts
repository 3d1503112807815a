/** The built API as a process of its own, before an embedded PostgreSQL whose tables are full. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { DataSource } from 'typeorm';

import { PostgresServer } from '../scripts/postgres/postgres-server';
import { API_FLAGS } from '../scripts/process/node-flags';
import { PROJECT_ROOT } from '../scripts/project-root';
import { createDataSource, migrate } from '../store/data-source';
import { ApiKeyRepository } from '../store/repositories/api-key-repository';
import { OrganisationRepository } from '../store/repositories/organisation-repository';
import { allowLogin, API_ROLE } from '../store/row-level-security';
import { SecretBox } from '../store/secrets';
import { fillTables } from '../test/support/filled-tables';
import type { TableSizes } from '../test/support/filled-tables';
import { freePort } from '../test/support/free-ports';
import { waitFor } from '../test/support/wait-for';
import { cpuSecondsWithChildren, usageOf } from './process-usage';

const READY_WITHIN_MS = 30_000;
const FILLED_WITHIN_MS = 30 * 60_000;

interface BesideOptions {
  /** Of Node. */
  readonly flags?: readonly string[];
  /** It connects as the owner of the tables: an old one knows nothing of row-level security. */
  readonly owner?: boolean;
}

export class ApiUnderTest {
  readonly url: string;
  readonly #children: ChildProcess[] = [];
  readonly #postgres: PostgresServer;
  readonly #dataDir: string;
  readonly #secretsKey = randomBytes(32).toString('base64');
  readonly #password = randomBytes(24).toString('base64url');
  #key = '';
  #pid = 0;

  private constructor(url: string, postgres: PostgresServer, dataDir: string) {
    this.url = url;
    this.#postgres = postgres;
    this.#dataDir = dataDir;
  }

  static async start(sizes: TableSizes): Promise<ApiUnderTest> {
    const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-bench-api-'));
    const postgres = new PostgresServer({ dataDir });
    const api = new ApiUnderTest(`http://127.0.0.1:${await freePort()}`, postgres, dataDir);
    try {
      await postgres.start();
      api.#key = await api.asOwner((owner, secrets) => fill(owner, secrets, sizes, api.#password));
      const profile = process.env['BENCH_PROFILE'] ?? '';
      const profiled = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
      api.#pid = await api.#spawnApi(PROJECT_ROOT, { url: api.url, flags: [...API_FLAGS, ...profiled], owner: false });
      return api;
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  /** The API of another checkout, which has its `dist/`, before the same tables. Answers its URL and its process. */
  async startBeside(
    root: string,
    { flags = API_FLAGS, owner = false }: BesideOptions,
  ): Promise<{ readonly url: string; readonly pid: number }> {
    const url = `http://127.0.0.1:${await freePort()}`;
    return { url, pid: await this.#spawnApi(root, { url, flags, owner }) };
  }

  /** As the owner of the tables. */
  async asOwner<T>(work: (owner: DataSource, secrets: SecretBox) => Promise<T>): Promise<T> {
    const owner = createDataSource({
      url: this.#postgres.databaseUrl(),
      statementTimeoutMs: FILLED_WITHIN_MS,
    });
    await migrate(owner);
    await owner.initialize();
    try {
      return await work(owner, new SecretBox(this.#secretsKey));
    } finally {
      await owner.destroy();
    }
  }

  async #spawnApi(root: string, { url, flags, owner }: Required<BesideOptions> & { url: string }): Promise<number> {
    const database = new URL(this.#postgres.localUrl());
    if (!owner) Object.assign(database, { username: API_ROLE, password: this.#password });
    const pid = this.spawn([...flags, join(root, 'dist/api/main.js')], {
      API_PORT: new URL(url).port,
      DATABASE_URL: database.toString(),
      SECRETS_KEY: this.#secretsKey,
      // Nothing listens there: no request of these needs it.
      TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
      RATE_LIMIT_PER_MINUTE: '1000000',
      LOG_LEVEL: 'error',
    });
    await waitFor('the API', READY_WITHIN_MS, async () => (await this.get('/phone/numbers?limit=1', url)) ?? undefined);
    return pid;
  }

  /** Of the organisation that has half of everything. */
  get key(): string {
    return this.#key;
  }

  /** Ends with it. Answers its process. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>>): number {
    const child = spawn(process.execPath, args, {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    });
    this.#children.push(child);
    return child.pid ?? 0;
  }

  /** The API's process. */
  get pid(): number {
    return this.#pid;
  }

  /** CPU seconds until now of the API, and of PostgreSQL with its sessions. */
  usage(): { readonly api: number; readonly postgres: number } {
    return {
      api: usageOf(this.#pid).cpuSeconds,
      postgres: cpuSecondsWithChildren(this.#postgres.record?.pid ?? 0),
    };
  }

  /** Of the API. */
  get rssBytes(): number {
    return usageOf(this.#pid).rssBytes;
  }

  /** The body of a 200, null otherwise. */
  async get(path: string, url = this.url): Promise<unknown> {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${this.key}` } }).catch(() => null);
    return answer?.status === 200 ? answer.json() : null;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      // A profile is written at an orderly end.
      child.kill(process.env['BENCH_PROFILE'] === undefined ? 'SIGKILL' : 'SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await exited;
    }
    await this.#postgres.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** Answers the key. */
async function fill(owner: DataSource, secrets: SecretBox, sizes: TableSizes, password: string): Promise<string> {
  const { id: orgId } = await new OrganisationRepository(owner).create({ name: 'Bench' });
  await fillTables(owner.manager, orgId, sizes);
  await seeNode(owner);
  await allowLogin(owner, API_ROLE, password);
  const { key } = await new ApiKeyRepository(owner, secrets).create({ orgId, name: 'bench', scopes: ['full'] });
  return key;
}

/** A media node that lives for as long as anything is measured, as one does in operation: the API keeps what it knows of it. */
async function seeNode(owner: DataSource): Promise<void> {
  const voices = [{ id: 'slt', name: 'SLT', language: ['en'], gender: 'female' }];
  await owner.query(
    `INSERT INTO media_nodes (node_id, boot_id, last_seen, started_at, sip_address, info)
     VALUES ('bench', 'bench', now() + interval '1 day', now(), '127.0.0.1:5060', $1::jsonb)`,
    [JSON.stringify({ voices })],
  );
}
