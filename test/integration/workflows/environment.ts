/** Workflows under test: a namespace and a database of their own, a main worker, media nodes with a faked call layer. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { Counter, Histogram, Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { createDialDue } from '../../../activities/campaigns/dial-due';
import type { DialDueDeps } from '../../../activities/campaigns/dial-due';
import { CampaignNotifier } from '../../../activities/campaigns/campaign-notifier';
import { sweepCampaigns } from '../../../activities/campaigns/campaign-sweep';
import { createCampaignWorker } from '../../../activities/campaigns/campaign-worker';
import { createMainWorker } from '../../../activities/main-worker';
import { sweepVerifications } from '../../../activities/numbers/verification-sweep';
import { newCall } from '../../../activities/new-call';
import { NodeServices } from '../../../media-node/node-services';
import { createLogger } from '../../../ops/logger';
import { PersistentWorker } from '../../../ops/persistent-worker';
import { createTemporalClient } from '../../../ops/temporal-client';
import type { TemporalClient } from '../../../ops/temporal-client';
import { installRuntime } from '../../../ops/temporal-worker';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignStandingRepository } from '../../../store/repositories/campaign-standing-repository';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { NumberVerificationRepository } from '../../../store/repositories/number-verification-repository';
import type { CampaignDialActivities } from '../../../workflows/campaign/activities';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { CampaignWorkflows } from '../../../workflows/client/campaign-workflows';
import { NumberWorkflows } from '../../../workflows/client/number-workflows';
import { TrunkWorkflows } from '../../../workflows/client/trunk-workflows';
import { SEARCH_ATTRIBUTES } from '../../../workflows/ids';
import { FakeMediaControl } from '../../fakes/fake-media-control';
import { createTestDatabase, testServers } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { waitFor } from '../../support/wait-for';
import { EnvironmentCalls } from './environment-calls';
import { nodeActivities } from './node-activities';
import { NodeProcess } from './node-process';
import { diallingActivities, mainActivities } from './worker-activities';
import { workflowBundle } from './workflow-bundle';

const KEYWORD = 2;

export interface FakeNode {
  readonly nodeId: string;
  readonly bootId: string;
  readonly control: FakeMediaControl;
  readonly services: NodeServices;
  readonly dataDir: string;
}

export class WorkflowEnvironment extends EnvironmentCalls {
  readonly namespace = `test-${randomUUID()}`;
  readonly logger = createLogger({
    name: 'test',
    level: (process.env['TEST_LOG_LEVEL'] as 'debug' | undefined) ?? 'silent',
  });
  readonly registry = new Registry();
  readonly settled = new Counter({
    name: 'trunkline_reconciled_calls_total',
    help: 'settled',
    labelNames: ['cause'] as const,
    registers: [this.registry],
  });
  readonly passes = new Counter({
    name: 'trunkline_reconciler_passes_total',
    help: 'passes',
    registers: [this.registry],
  });
  readonly transfers = new Counter({
    name: 'trunkline_transfers_total',
    help: 'transfers',
    labelNames: ['mode', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly transferSeconds = new Histogram({
    name: 'trunkline_transfer_seconds',
    help: 'transfers',
    labelNames: ['mode'] as const,
    registers: [this.registry],
  });
  readonly nodes: FakeNode[] = [];
  /** Instead of what dials, for workers that are started from now on. */
  plannedDialDue: CampaignDialActivities['dialDue'] | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'trunkline-workflows-'));
  readonly #temporal: TemporalClient;
  readonly #processes: NodeProcess[] = [];
  #worker: PersistentWorker | null = null;
  #campaignWorker: PersistentWorker | null = null;

  private constructor(
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    temporal: TemporalClient,
  ) {
    super();
    this.#temporal = temporal;
  }

  static async start({
    plannedDialDue,
  }: Pick<Partial<WorkflowEnvironment>, 'plannedDialDue'> = {}): Promise<WorkflowEnvironment> {
    const database = await createTestDatabase();
    const dataSource = await createDataSource({ url: database.databaseUrl }).initialize();
    const address = testServers().temporalAddress;
    installRuntime(createLogger({ name: 'temporal', level: 'silent' }));
    const env: WorkflowEnvironment = new WorkflowEnvironment(
      database,
      dataSource,
      createTemporalClient({ address, namespace: 'default' }),
    );
    env.plannedDialDue = plannedDialDue;
    await env.#registerNamespace(address);
    await env.startWorker();
    return env;
  }

  /** Client of this environment's namespace. */
  get client(): Client {
    return this.#own?.client ?? this.#temporal.client;
  }

  get trunks(): TrunkWorkflows {
    return new TrunkWorkflows({ client: this.client, limitMs: 5_000 });
  }

  /** Campaigns whose contacts have moved on, as they are told. */
  readonly moved: string[] = [];

  get dialDue(): CampaignDialActivities {
    return createDialDue(this.dialDueDeps);
  }

  get dialDueDeps(): DialDueDeps {
    const { client, dataSource, secrets } = this;
    return {
      contacts: new CampaignContactRepository(dataSource),
      dialling: new CampaignDiallingRepository(dataSource),
      standings: new CampaignStandingRepository(dataSource),
      callers: new CallerRepository(dataSource),
      workflows: new CallWorkflows({ client, limitMs: 10_000 }),
      secrets,
      allowedCountries: [],
    };
  }

  get campaigns(): CampaignWorkflows {
    return new CampaignWorkflows({ client: this.client, limitMs: 5_000 });
  }

  get calls(): CallRepository {
    return new CallRepository(this.dataSource, {
      moved: (campaignId) => {
        this.moved.push(campaignId);
        this.notifier.moved(campaignId);
      },
    });
  }

  get notifier(): CampaignNotifier {
    this.#notifier ??= new CampaignNotifier({ workflows: this.campaigns, logger: this.logger });
    return this.#notifier;
  }

  get events(): EventRepository {
    return new EventRepository(this.dataSource, this.secrets);
  }

  #own: TemporalClient | null = null;
  #notifier: CampaignNotifier | undefined;

  async #registerNamespace(address: string): Promise<void> {
    const { connection } = this.#temporal;
    await connection.workflowService.registerNamespace({
      namespace: this.namespace,
      workflowExecutionRetentionPeriod: { seconds: (72 * 3600) as never },
    });
    await waitFor('the namespace', 15_000, async () => {
      try {
        await connection.operatorService.addSearchAttributes({
          namespace: this.namespace,
          searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD])),
        });
        return true;
      } catch {
        return undefined; // the server has not heard of its own namespace yet
      }
    });
    this.#own = createTemporalClient({ address, namespace: this.namespace });
  }

  connectWorker(): Promise<NativeConnection> {
    return NativeConnection.connect({ address: testServers().temporalAddress });
  }

  async startWorker(): Promise<void> {
    const { logger } = this;
    const activities = mainActivities(this);
    const campaignActivities = diallingActivities(this);
    const workflows = await workflowBundle();
    this.#worker = new PersistentWorker({
      name: 'main',
      logger,
      connect: () => this.connectWorker(),
      create: (connection) =>
        createMainWorker({
          connection,
          namespace: this.namespace,
          identity: 'test',
          workflowBundle: workflows,
          activities,
          maxCachedWorkflows: 100,
          maxActivities: 50,
        }),
    });
    this.#campaignWorker = new PersistentWorker({
      name: 'campaigns',
      logger,
      connect: () => this.connectWorker(),
      create: (connection) =>
        createCampaignWorker({
          connection,
          namespace: this.namespace,
          identity: 'test',
          activities: campaignActivities,
        }),
    });
    await Promise.all([this.#worker.start(), this.#campaignWorker.start()]);
  }

  /** What each pass of the reconciler does beside comparing calls. */
  async sweep(): Promise<void> {
    const { client, dataSource } = this;
    await sweepVerifications({
      config: new ConfigRepository(dataSource),
      verifications: new NumberVerificationRepository(dataSource),
      workflows: new NumberWorkflows({ client, limitMs: 10_000 }),
    });
    await sweepCampaigns({ campaigns: new CampaignRunRepository(dataSource), workflows: this.campaigns });
  }

  async stopWorker(): Promise<void> {
    await Promise.all([this.#worker?.shutdown(), this.#campaignWorker?.shutdown()]);
    this.#worker = null;
    this.#campaignWorker = null;
  }

  dataDirOf(nodeId: string): string {
    return join(this.#folder, nodeId);
  }

  async startNode(nodeId = `node-${this.nodes.length + 1}`): Promise<FakeNode> {
    const bootId = uuidV7();
    const dataDir = this.dataDirOf(nodeId);
    const services = new NodeServices({
      nodeId,
      bootId,
      listening: { hosts: ['127.0.0.1'], port: 5060, publicHost: null },
      maxBehindMs: 60_000,
      dataDir,
      dataSource: this.dataSource,
      databaseUrl: this.database.databaseUrl,
      secrets: this.secrets,
      client: this.client,
      connectWorker: () => this.connectWorker(),
      namespace: this.namespace,
      ...nodeActivities(this),
      firstRow: newCall,
      onLost: () => undefined,
      logger: this.logger,
    });
    await services.start();
    const control = new FakeMediaControl(nodeId, bootId, services.events);
    control.onOver = (attemptId) => services.capacity.attemptOver(attemptId);
    await services.attach(control, { sipAddress: '127.0.0.1:5060', maxCalls: () => 100 });
    services.accept(true);
    const node = { nodeId, bootId, control, services, dataDir };
    this.nodes.push(node);
    return node;
  }

  /** A media node in a process of its own, to be killed. */
  async spawnNode(nodeId: string): Promise<NodeProcess> {
    const node = new NodeProcess({
      nodeId,
      bootId: uuidV7(),
      dataDir: this.dataDirOf(nodeId),
      databaseUrl: this.database.databaseUrl,
      secretsKey: this.secretsKey,
      temporalAddress: testServers().temporalAddress,
      namespace: this.namespace,
    });
    this.#processes.push(node);
    await node.ready();
    return node;
  }

  async stopNode(node: FakeNode): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    node.control.release();
    await node.services.stop(500);
  }

  async close(): Promise<void> {
    for (let node = this.nodes[0]; node !== undefined; node = this.nodes[0]) await this.stopNode(node);
    for (const process of this.#processes) await process.kill();
    await this.stopWorker();
    this.#notifier?.close();
    await this.#own?.close();
    await this.#temporal.close();
    await this.dataSource.destroy();
    await this.database.drop();
    rmSync(this.#folder, { recursive: true, force: true });
    await Runtime.instance().shutdown();
  }
}
