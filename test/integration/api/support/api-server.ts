/** The API on a database of its own and the run's Temporal server, on a port of the system's choice. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Registry } from 'prom-client';
import { DataSource } from 'typeorm';

import { createApp, openApiDocument } from '../../../../api/app';
import type { AppDeps, AppOptions } from '../../../../api/app';
import { createApiStore, whenConnected } from '../../../../api/database';
import { KeyAuthenticator } from '../../../../api/key-authenticator';
import { createLimitedServer } from '../../../../api/limited-server';
import type { OpenApiDocument } from '../../../../api/openapi';
import { createLogger } from '../../../../ops/logger';
import { createDataSource } from '../../../../store/data-source';
import { ApiKeyRepository } from '../../../../store/repositories/api-key-repository';
import { MediaNodeRepository } from '../../../../store/repositories/media-node-repository';
import type { SeenNode } from '../../../../store/repositories/media-node-repository';
import { OrganisationRepository } from '../../../../store/repositories/organisation-repository';
import { newMasterKey, SecretBox } from '../../../../store/secrets';
import { createTestDatabase } from '../../../support/servers';
import type { TestDatabase } from '../../../support/servers';
import { ContractChecker } from './contract-checker';
import { FakeCallRequests } from '../../../fakes/fake-call-requests';
import { FakeTrunkChecks } from '../../../fakes/fake-trunk-checks';
import { FakeTrunkRequests } from '../../../fakes/fake-trunk-requests';

export const CALLER = '+15551234567';

export interface Tenant {
  readonly orgId: string;
  readonly key: string;
  readonly keyId: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers freely; the contract test proves their shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiServerOptions {
  /** Default: a database of its own, removed at the end. */
  readonly database?: {
    readonly dataSource: DataSource;
    readonly secrets: SecretBox;
    /** As which the API connects; default as `dataSource`. */
    readonly apiSource?: DataSource;
    /** Default: one that is made. */
    readonly tenant?: Tenant;
  };
  readonly options?: Partial<AppOptions>;
  readonly rateLimitPerMinute?: number;
  readonly rateLimitStreamingPerMinute?: number;
  readonly trunkChecks?: (secrets: SecretBox) => AppDeps['trunkChecks'];
  /** Default: workflows that nobody runs; the store alone knows of verifications. */
  readonly verifications?: AppDeps['verifications'];
  /** Default: as if they followed each change at once. */
  readonly campaigns?: AppDeps['campaigns'];
  readonly workflows?: (deps: { dataSource: DataSource; secrets: SecretBox }) => AppDeps['workflows'];
  readonly trunks?: (deps: { dataSource: DataSource; secrets: SecretBox }) => AppDeps['trunks'];
}

export class ApiServer {
  /** The owner's: what tests look at and prepare. The API itself comes as its role. */
  readonly dataSource: DataSource;
  readonly secrets: SecretBox;
  readonly openapi: OpenApiDocument;
  /** Every line that was logged. */
  readonly logs: string[];
  tenant!: Tenant;
  readonly contract: ContractChecker;
  readonly #database: TestDatabase | null;
  readonly #server: Server;
  readonly #apiSource: DataSource;
  #nodeTimer: NodeJS.Timeout | undefined;

  private constructor(parts: {
    database: TestDatabase | null;
    dataSource: DataSource;
    apiSource: DataSource;
    secrets: SecretBox;
    deps: AppDeps;
    server: Server;
    logs: string[];
  }) {
    this.#database = parts.database;
    this.dataSource = parts.dataSource;
    this.secrets = parts.secrets;
    this.#server = parts.server;
    this.#apiSource = parts.apiSource;
    this.logs = parts.logs;
    this.openapi = openApiDocument(parts.deps);
    this.contract = new ContractChecker(this.openapi);
  }

  static async start(settings: ApiServerOptions = {}): Promise<ApiServer> {
    const database = settings.database === undefined ? await createTestDatabase() : null;
    const secrets = settings.database?.secrets ?? new SecretBox(newMasterKey());
    const dataSource =
      settings.database?.dataSource ?? (await createDataSource({ url: database?.databaseUrl ?? '' }).initialize());
    const apiSource =
      database === null
        ? (settings.database?.apiSource ?? dataSource)
        : await createDataSource({ url: database.apiUrl, poolSize: 10 }).initialize();
    const logs: string[] = [];
    const logger = createLogger({
      name: 'api',
      level: 'debug',
      destination: { write: (line) => void logs.push(line) },
    });
    const store = createApiStore(apiSource, secrets);
    const workflows = settings.workflows?.({ dataSource, secrets }) ?? new FakeCallRequests(dataSource, secrets);
    const trunks = settings.trunks?.({ dataSource, secrets }) ?? new FakeTrunkRequests(dataSource, secrets);
    const nodes = new MediaNodeRepository(dataSource);
    const deps: AppDeps = {
      options: {
        sip: { hosts: ['0.0.0.0'], port: 5070, publicHost: 'sip.test.example' },
        outboundAllowedCountries: [],
        allowPrivateTargets: true,
        verification: { inboundCallAllowed: false },
        version: '0.0.0',
        ...settings.options,
      },
      store,
      workflows,
      trunkChecks: settings.trunkChecks?.(secrets) ?? new FakeTrunkChecks(secrets),
      trunks,
      verifications: settings.verifications ?? { begin: () => Promise.resolve(), over: () => Promise.resolve() },
      campaigns: settings.campaigns ?? { settled: () => Promise.resolve(true), moved: () => undefined },
      secrets,
      authenticator: whenConnected(
        apiSource,
        new KeyAuthenticator(store, logger, {
          perMinute: settings.rateLimitPerMinute ?? 100_000,
          streamingPerMinute: settings.rateLimitStreamingPerMinute ?? 100_000,
        }),
      ),
      probes: [
        { name: 'postgresql', check: async () => void (await dataSource.query('SELECT 1')) },
        {
          name: 'media_node',
          check: async () => {
            if ((await nodes.live(6000)).length === 0) throw new Error('none');
          },
        },
      ],
      registry: new Registry(),
      logger,
    };
    const handle = createApp(deps).callback();
    const server = createLimitedServer((request, response) => void handle(request, response));
    // On a machine that stands still for a moment, fetch would find a connection that has just been given up.
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const api = new ApiServer({ database, dataSource, apiSource, secrets, deps, server, logs });
    api.tenant = settings.database?.tenant ?? (await api.createTenant({ operator: true }));
    return api;
  }

  /** Another process of the same API: what it shares with the first is the database. */
  async sibling(settings: Omit<ApiServerOptions, 'database'> = {}): Promise<ApiServer> {
    const { dataSource, secrets, tenant } = this;
    const apiSource = await new DataSource({ ...this.#apiSource.options }).initialize();
    return ApiServer.start({ ...settings, database: { dataSource, secrets, apiSource, tenant } });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async createTenant(input: { operator?: boolean; scopes?: readonly string[] } = {}): Promise<Tenant> {
    const organisation = await new OrganisationRepository(this.dataSource).create({ name: 'Tenant' });
    return this.createKey(organisation.id, input);
  }

  async createKey(orgId: string, input: { operator?: boolean; scopes?: readonly string[] } = {}): Promise<Tenant> {
    const { record, key } = await new ApiKeyRepository(this.dataSource, this.secrets).create({
      orgId,
      name: 'test',
      scopes: input.scopes ?? ['full'],
      operator: input.operator ?? false,
    });
    return { orgId, key, keyId: record.id };
  }

  /** An agent and the trunk that it calls by. */
  async createDialler(agent: object = {}): Promise<{ readonly agentId: string; readonly trunkId: string }> {
    const { body: made } = await this.post('/phone', { name: 'Dialler', ...agent });
    const { body: trunk } = await this.post('/phone/sip/outbound-trunks', {
      name: 'Carrier',
      host: 'sip.provider.com',
      username: 'u',
      password: 'p',
      caller_number: CALLER,
    });
    await this.put(`/phone/sip/agents/${made.id}/outbound-trunk`, { trunk_id: trunk.id });
    return { agentId: made.id, trunkId: trunk.id };
  }

  /** From now on a media node lives that speaks English and acts on this configuration, by default on every one. */
  async seeNode(sipAddress = '127.0.0.1:5060', configVersion = Number.MAX_SAFE_INTEGER): Promise<void> {
    const nodes = new MediaNodeRepository(this.dataSource);
    const seen = (): Promise<SeenNode | null> =>
      nodes.seen({
        nodeId: 'node-1',
        bootId: 'boot-1',
        startedAtMs: Date.now(),
        sipAddress,
        calls: 0,
        configVersion,
        info: { voices: [{ id: 'slt', name: 'SLT', language: ['en'], gender: 'female' }] },
      });
    await seen();
    // A test takes away its database; the node is seen again when it is back.
    this.#nodeTimer ??= setInterval(() => void seen().catch(() => undefined), 1000);
  }

  /** The node was last seen too long ago. */
  async loseNode(): Promise<void> {
    clearInterval(this.#nodeTimer);
    this.#nodeTimer = undefined;
    await this.dataSource.query(`UPDATE media_nodes SET last_seen = now() - interval '7 s'`);
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const key = options.key === undefined ? this.tenant.key : options.key;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json');
    const answer: Answer = { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
    this.contract.check(method, path, answer);
    return answer;
  }

  get(path: string, options?: RequestOptions): Promise<Answer> {
    return this.request('GET', path, options);
  }

  post(path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('POST', path, { ...options, ...(body === undefined ? {} : { body }) });
  }

  put(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('PUT', path, { ...options, body });
  }

  patch(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.request('PATCH', path, { ...options, body });
  }

  delete(path: string, options?: RequestOptions): Promise<Answer> {
    return this.request('DELETE', path, options);
  }

  async stop(): Promise<void> {
    clearInterval(this.#nodeTimer);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    if (this.#database !== null) await this.dataSource.destroy();
    // A test that gives its own data source keeps it.
    if (this.#apiSource !== this.dataSource && this.#apiSource.isInitialized) await this.#apiSource.destroy();
    if (this.#database === null) return;
    await this.#database.drop();
  }
}
