/** Workflows under test: a namespace and a database of their own, a main worker, media nodes with a faked call layer. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WithStartWorkflowOperation, WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { Counter, Histogram, Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { createDialDue } from '../../../activities/campaigns/dial-due';
import type { DialDueDeps } from '../../../activities/campaigns/dial-due';
import { createCampaignActivities } from '../../../activities/campaigns/campaign-activities';
import { createCampaignGuards } from '../../../activities/campaigns/campaign-guards';
import { CampaignNotifier } from '../../../activities/campaigns/campaign-notifier';
import { sweepCampaigns } from '../../../activities/campaigns/campaign-sweep';
import { createCampaignWorker } from '../../../activities/campaigns/campaign-worker';
import { createMainWorker } from '../../../activities/main-worker';
import { createVerificationActivities } from '../../../activities/numbers/verification-activities';
import { sweepVerifications } from '../../../activities/numbers/verification-sweep';
import { createNumberSyncActivities } from '../../../activities/provisioning/number-sync-activities';
import { createTrunkActivities } from '../../../activities/provisioning/trunk-activities';
import { createReconcileActivities } from '../../../activities/reconcile/reconcile-activities';
import { createStoreActivities } from '../../../activities/store/store-activities';
import { createTransferActivities } from '../../../activities/transfers/transfer-activities';
import { hasFailed } from '../../../contract/endings';
import { NodeServices } from '../../../media-node/node-services';
import { createLogger } from '../../../ops/logger';
import { PersistentWorker } from '../../../ops/persistent-worker';
import { createTemporalClient } from '../../../ops/temporal-client';
import type { TemporalClient } from '../../../ops/temporal-client';
import { installRuntime } from '../../../ops/temporal-worker';
import { sealDetails } from '../../../store/call-details';
import { createDataSource } from '../../../store/data-source';
import type { Call } from '../../../store/entities/call';
import type { CallAttempt } from '../../../store/entities/call-attempt';
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignRepository } from '../../../store/repositories/campaign-repository';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignGuardRepository } from '../../../store/repositories/campaign-guard-repository';
import { CampaignPaceRepository } from '../../../store/repositories/campaign-pace-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { NodeCallListRepository } from '../../../store/repositories/node-call-list-repository';
import { NumberVerificationRepository } from '../../../store/repositories/number-verification-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { TransferDestinationRepository } from '../../../store/repositories/transfer-destination-repository';
import { TransferRepository } from '../../../store/repositories/transfer-repository';
import { TrunkProvisioningRepository } from '../../../store/repositories/trunk-provisioning-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import type { InboundCallInput, OutboundCallInput } from '../../../workflows/call/input';
import type { CampaignDialActivities } from '../../../workflows/campaign/activities';
import { acceptUpdate } from '../../../workflows/call/messages';
import type { AcceptResult } from '../../../workflows/call/messages';
import { callStartOptions } from '../../../workflows/call/start-options';
import type { callWorkflow } from '../../../workflows/call/workflow';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { CampaignSchedules } from '../../../workflows/client/campaign-schedules';
import { CampaignWorkflows } from '../../../workflows/client/campaign-workflows';
import { NumberWorkflows } from '../../../workflows/client/number-workflows';
import { TrunkWorkflows } from '../../../workflows/client/trunk-workflows';
import { callWorkflowId, SEARCH_ATTRIBUTES } from '../../../workflows/ids';
import { FakeMediaControl } from '../../fakes/fake-media-control';
import { plainHistory } from '../../support/plain-history';
import { createTestDatabase, testServers } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { storedAttempts } from '../../support/stored-rows';
import { nodeActivities } from './node-activities';
import { NodeProcess } from './node-process';
import { until, withLimit } from './until';

export const FROM = '+15550001111';
export const TO = '+15559998888';
export const FIRST_MESSAGE = 'A most secret greeting';
const KEYWORD = 2;

export interface FakeNode {
  readonly nodeId: string;
  readonly bootId: string;
  readonly control: FakeMediaControl;
  readonly services: NodeServices;
  readonly dataDir: string;
}

let bundle: Promise<{ codePath: string }> | undefined;

/** Made once a run, by the first file that needs it; files that begin together may both make it. */
export function workflowBundle(): Promise<{ codePath: string }> {
  bundle ??= makeBundle(join(testServers().folder, 'workflow-bundle.js'));
  return bundle;
}

async function makeBundle(codePath: string): Promise<{ codePath: string }> {
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(__dirname, '../../../workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
  const part = `${codePath}.${process.pid}`;
  writeFileSync(part, code);
  renameSync(part, codePath);
  return { codePath };
}

export class WorkflowEnvironment {
  readonly orgId = uuidV7();
  readonly agentId = uuidV7();
  readonly trunkId = uuidV7();
  readonly secretsKey = newMasterKey();
  readonly secrets = new SecretBox(this.secretsKey);
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
      campaigns: new CampaignRepository(dataSource),
      contacts: new CampaignContactRepository(dataSource),
      dialling: new CampaignDiallingRepository(dataSource),
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

  /** In the order they were begun. */
  attempts(callId: string): Promise<CallAttempt[]> {
    return storedAttempts(this.dataSource, callId);
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
    await until('the namespace', 15_000, async () => {
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
    const calls = this.calls;
    const nodes = new MediaNodeRepository(this.dataSource);
    const lists = new NodeCallListRepository(this.dataSource);
    const provisioning = new TrunkProvisioningRepository(this.dataSource);
    const { client, dataSource: session, logger, secrets, settled, passes, trunks } = this;
    const config = new ConfigRepository(session, secrets);
    const verifications = new NumberVerificationRepository(session);
    const numberWorkflows = new NumberWorkflows({ client, limitMs: 10_000 });
    const sweeps = [() => this.sweep()];
    const outboundTrunks = new OutboundTrunkRepository(session, secrets);
    const transfers = new TransferRepository(this.dataSource);
    const transferActivities = createTransferActivities({
      transfers,
      calls,
      secrets,
      plans: {
        store: {
          forOrg: () => ({
            read: (work) =>
              work({
                agents: new AgentRepository(session),
                callers: new CallerRepository(session),
                transferDestinations: new TransferDestinationRepository(session, secrets),
              }),
          }),
        },
        allowedCountries: [],
        mayReach: () => true,
      },
      finished: this.transfers,
      seconds: this.transferSeconds,
    });
    const activities = {
      ...createStoreActivities({
        calls,
        nodes,
        secrets,
        attempts: new AttemptRepository(this.dataSource),
      }),
      ...createVerificationActivities({
        config,
        verifications,
        trunks: outboundTrunks,
        secrets,
        workflows: numberWorkflows,
      }),
      ...createReconcileActivities({
        client,
        calls,
        nodes,
        lists,
        transfers,
        transferActivities,
        passes,
        settled,
        provisioning,
        trunks,
        sweeps,
        logger,
      }),
      ...transferActivities,
      ...createCampaignActivities({
        campaigns: new CampaignRunRepository(session),
        calls: new CallWorkflows({ client, limitMs: 10_000 }),
        schedules: new CampaignSchedules(client),
        workflows: this.campaigns,
      }),
      ...createTrunkActivities({ session, secrets, provisioning, nodes }),
      ...createNumberSyncActivities({ session, secrets }),
    };
    const campaignActivities = {
      ...this.dialDue,
      ...createCampaignGuards({
        paces: new CampaignPaceRepository(session),
        guards: new CampaignGuardRepository(session),
      }),
      ...(this.plannedDialDue === undefined ? {} : { dialDue: this.plannedDialDue }),
    };
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
    const { client, dataSource, secrets } = this;
    await sweepVerifications({
      config: new ConfigRepository(dataSource, secrets),
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
      dataDir,
      dataSource: this.dataSource,
      databaseUrl: this.database.databaseUrl,
      secrets: this.secrets,
      client: this.client,
      connectWorker: () => this.connectWorker(),
      namespace: this.namespace,
      ...nodeActivities(this),
      onLost: () => undefined,
      logger: this.logger,
    });
    await services.start();
    const control = new FakeMediaControl(nodeId, bootId, services.events);
    control.onOver = (attemptId) => services.capacity.attemptOver(attemptId);
    await services.attach(control, { sipAddress: '127.0.0.1:5060', maxCalls: 100 });
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

  // ---------------------------------------------------------------------------------------------- calls

  outboundInput(changes: Partial<OutboundCallInput> = {}): OutboundCallInput {
    const callId = changes.callId ?? uuidV7();
    const nowMs = Date.now();
    return {
      direction: 'outbound',
      callId,
      orgId: this.orgId,
      agentId: this.agentId,
      trunkId: this.trunkId,
      sessionId: uuidV7(),
      sealed: this.#seal(callId),
      createdAtMs: nowMs,
      maxDurationSeconds: 600,
      acceptByMs: nowMs + 5_000,
      dialByMs: nowMs + 30_000,
      ringTimeoutSeconds: 45,
      ...changes,
    };
  }

  inboundInput(
    node: { readonly nodeId: string; readonly bootId: string },
    changes: Partial<InboundCallInput> = {},
  ): InboundCallInput {
    const callId = changes.callId ?? uuidV7();
    return {
      direction: 'inbound',
      callId,
      orgId: this.orgId,
      agentId: this.agentId,
      trunkId: this.trunkId,
      sessionId: uuidV7(),
      sealed: this.#seal(callId),
      createdAtMs: Date.now(),
      maxDurationSeconds: 600,
      nodeId: node.nodeId,
      bootId: node.bootId,
      sipCallId: `sip-${callId}`,
      routingRule: 'trunk_number',
      ...changes,
    };
  }

  /** As the API does it: update-with-start, awaiting the stored row. */
  async placeCall(input: OutboundCallInput): Promise<AcceptResult> {
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof callWorkflow>(
      'callWorkflow',
      callStartOptions(input),
    );
    return await this.client.workflow.executeUpdateWithStart(acceptUpdate, {
      startWorkflowOperation,
      updateId: `accept-${input.callId}`,
      args: [],
    });
  }

  async startInbound(
    node: { readonly nodeId: string; readonly bootId: string },
    changes: Partial<InboundCallInput> = {},
  ): Promise<InboundCallInput> {
    const input = this.inboundInput(node, changes);
    await this.client.workflow.start('callWorkflow', callStartOptions(input));
    return input;
  }

  /** As a media node does it. */
  async receiveCall(node: FakeNode, changes: Partial<InboundCallInput> = {}): Promise<InboundCallInput> {
    const input = await this.startInbound(node, changes);
    node.control.inbound(input.callId, this.orgId, input.sipCallId);
    return input;
  }

  handle(callId: string): ReturnType<Client['workflow']['getHandle']> {
    return this.client.workflow.getHandle(callWorkflowId(callId));
  }

  /** The row of the call; null before it exists. */
  async row(callId: string): Promise<Call | null> {
    return await this.calls.find(this.orgId, callId);
  }

  async rowIs(callId: string, status: Call['status'], limitMs = 10_000): Promise<Call> {
    return await until(`row ${status}`, limitMs, async () => {
      const row = await this.row(callId);
      return row?.status === status ? row : undefined;
    });
  }

  /** The closed call's row; also checks that its workflow has completed and left one terminal event. */
  async finished(callId: string, limitMs = 20_000): Promise<Call> {
    const failed = await withLimit(this.#closesAsFailed(callId), limitMs, `the end of ${callId}`);
    const row = await this.rowIs(callId, 'completed', 1_000);
    const { items } = await this.events.list(this.orgId, callId, { limit: 100 });
    const terminal = items.filter(({ type }) => type === 'call.ended' || type === 'call.failed');
    expect(terminal).toHaveLength(1);
    const { disposition, endReason } = row;
    expect(failed).toBe(hasFailed({ disposition: disposition ?? 'failed', endReason }));
    expect(terminal[0]?.type).toBe(row.answeredAt === null ? 'call.failed' : 'call.ended');
    return row;
  }

  async #closesAsFailed(callId: string): Promise<boolean> {
    try {
      await this.handle(callId).result();
      return false;
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return true;
      throw error;
    }
  }

  async historyLength(callId: string): Promise<number> {
    const history = await this.handle(callId).fetchHistory();
    return history.events?.length ?? 0;
  }

  /** The whole history with its payloads readable. */
  async plainHistory(callId: string): Promise<string> {
    return (await plainHistory(this.handle(callId))).text;
  }

  #seal(callId: string): string {
    return sealDetails(
      this.secrets,
      { callId, orgId: this.orgId },
      { from: FROM, to: TO, firstMessage: FIRST_MESSAGE, metadata: { note: 'private' } },
    );
  }
}
