import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { NativeConnection, WorkerInterceptors } from '@temporalio/worker';
import type { DataSource } from 'typeorm';
import type { MediaControl } from '../contract/commands';
import type { CallDirectory } from '../contract/directory';
import type { CallEvents } from '../contract/events';
import type { BindingStore } from '../contract/registration';
import type { Logger } from '../ops/logger';
import type { SipListening } from '../ops/sip-address';
import { CapacityRepository } from '../store/repositories/capacity-repository';
import { CallRepository } from '../store/repositories/call-repository';
import { EventRepository } from '../store/repositories/event-repository';
import { MediaNodeRepository } from '../store/repositories/media-node-repository';
import { NodeCallListRepository } from '../store/repositories/node-call-list-repository';
import { RegistrationRepository } from '../store/repositories/registration-repository';
import { TrunkHealthRepository } from '../store/repositories/trunk-health-repository';
import type { SealedCallDetails } from '../store/call-details';
import type { NewCall } from '../store/repositories/call-row';
import type { SecretBox } from '../store/secrets';
import { probeStoreWrite } from '../store/write-probe';
import type { CallInput } from '../workflows/call/input';
import { CallWorkflows } from '../workflows/client/call-workflows';
import { NumberWorkflows } from '../workflows/client/number-workflows';
import { NodeWorkflows } from '../workflows/client/node-workflows';
import { temporalAnswers } from '../workflows/client/temporal-answers';
import { TrunkWorkflows } from '../workflows/client/trunk-workflows';
import { AwaitedCalls } from './awaited-calls';
import { NodeCallDirectory } from './call-directory';
import { CapacityLedger } from './capacity-ledger';
import { ConfigCache } from './config-cache';
import { EventSink } from './event-sink';
import { EventSpool } from './event-spool';
import { InboundRows } from './inbound-rows';
import { InboundStarts } from './inbound-starts';
import { MediaWorkers } from './media-workers';
import type { MediaActivities } from './media-workers';
import { NodeLifetime } from './node-lifetime';
import { NodeLoad } from './node-load';
import { NodeRegistration } from './node-registration';
import type { NodeDescription } from './node-registration';
import { OutageClock } from './outage-clock';
import { Registrations } from './registrations';
import { StateSignaller } from './state-signaller';
import { probeTemporal } from './temporal-probe';
import { TrunkOwnership } from './trunk-ownership';
import type { TrunkOwnershipOptions } from './trunk-ownership';
import { TrunkReports } from './trunk-reports';
import { TrunkSignaller } from './trunk-signaller';
import { UnsureStarts } from './unsure-starts';
import { UnfinishedRecords } from './unfinished-records';
import { WriteHealth } from './write-health';

const PROBE_LIMIT_MS = 1_000;
/** Nothing of a node waits for a server that is away. */
const TEMPORAL_LIMIT_MS = 2_000;
const ROWS_LIMIT_MS = 1_000;

/** Of a node, what its activities need. */
interface NodeParts {
  readonly control: MediaControl;
  readonly lifetime: NodeLifetime;
  readonly capacity: CapacityLedger;
  /** An event of the call is not acknowledged. */
  readonly untold: (callId: string) => boolean;
  /** Resolves when the call's workflow knows its end, or after `timeoutMs`. */
  readonly toldEnd: (callId: string, timeoutMs: number) => Promise<void>;
  /** Calls whose dial is under way here. */
  readonly unplaced: Set<string>;
}

export interface NodeServicesOptions {
  readonly nodeId: string;
  /** New at every start of the process (UUID). */
  readonly bootId: string;
  /** An outbound trunk to what is listened on leads to who has registered. */
  readonly listening: SipListening;
  /** MEDIA_MAX_BEHIND_MS */
  readonly maxBehindMs: number;
  /** Folder for the spool of events. */
  readonly dataDir: string;
  readonly dataSource: DataSource;
  /** The configuration is followed on a connection of its own. */
  readonly databaseUrl: string;
  readonly secrets: SecretBox;
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** Connects the activity workers; called again when a connection is lost for good. */
  readonly connectWorker: () => Promise<NativeConnection>;
  readonly namespace: string;
  /** What the workers run, once there is a call layer. */
  readonly activities: (parts: NodeParts) => MediaActivities;
  /** The row a call begins with. */
  readonly firstRow: (input: CallInput, details: SealedCallDetails) => NewCall;
  readonly interceptors: WorkerInterceptors;
  /** The boot was declared lost: its calls are being hung up, and only another boot can take new ones. */
  readonly onLost: () => void;
  readonly logger: Logger;
}

/**
 * What joins a media node to PostgreSQL and Temporal: its directory and event sink before it has a call layer, its activity
 * workers and its registration once it has one. Nothing is connected or read before `start`.
 *
 * Order of a media node's start: `start()` → call layer with `directory` and `events` → `attach(control, …)` → SIP sockets
 * opened → `accept(true)`. Of its end: `accept(false)` → calls end → sockets closed → `stop()`.
 */
export class NodeServices {
  readonly directory: CallDirectory;
  readonly capacity: CapacityLedger;
  readonly events: CallEvents;
  readonly bindings: BindingStore;
  readonly #options: NodeServicesOptions;
  readonly #calls: CallWorkflows;
  readonly #temporalOutage = new OutageClock();
  readonly #config: ConfigCache;
  readonly #sink: EventSink;
  readonly #signaller: StateSignaller;
  readonly #records: UnfinishedRecords;
  readonly #lifetime = new NodeLifetime({ onLost: () => this.#lost() });
  readonly #writes: WriteHealth;
  readonly #nodeWorkflows: NodeWorkflows;
  readonly #awaitedCalls: AwaitedCalls;
  readonly #unsureStarts: UnsureStarts;
  readonly #rows: InboundRows;
  readonly #unplaced = new Set<string>();
  #control: MediaControl | null = null;
  #workers: MediaWorkers | null = null;
  #registration: NodeRegistration | null = null;
  #trunks: TrunkOwnership | null = null;
  #accepting = false;
  #stopping: Promise<void> | null = null;

  constructor(options: NodeServicesOptions) {
    this.#options = options;
    const { nodeId, bootId, client, dataSource, secrets, logger } = options;
    this.#calls = new CallWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    this.#config = new ConfigCache({
      databaseUrl: options.databaseUrl,
      secrets,
      onApplied: (version) => this.#registration?.configured(version),
      onOutboundTrunks: () => this.#trunks?.sync(),
      onTrunkRevoked: (trunkId) => this.#control?.trunkRevoked(trunkId),
      logger,
    });
    this.#signaller = new StateSignaller({
      nodeId,
      bootId,
      signal: (callId, signal) => this.#calls.signalEvent(callId, signal),
      flush: (callId, timeoutMs) => this.#sink.flush(callId, timeoutMs),
      isUnplaced: (callId) => this.#unplaced.has(callId),
      onWorkflowLost: (callId) => this.#control?.workflowLost(callId),
      logger,
    });
    this.#nodeWorkflows = new NodeWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    const spool = new EventSpool(join(options.dataDir, 'spool', encodeURIComponent(nodeId)), { bootId });
    this.#writes = new WriteHealth({
      probes: [
        { name: 'temporal', write: () => this.#probeTemporal() },
        { name: 'postgresql', write: () => probeStoreWrite(dataSource) },
        { name: 'spool', write: () => spool.probe() },
      ],
      logger,
    });
    this.#sink = new EventSink({
      store: new EventRepository(dataSource, secrets),
      spool,
      onStateEvent: (event) => {
        this.#signaller.enqueue(event);
        if (event.type === 'ended') this.#records.ended(event.callId);
      },
      logger,
    });
    const calls = new CallRepository(dataSource);
    this.#records = new UnfinishedRecords({ completed: (callIds) => calls.completedOf(callIds), logger });
    this.#rows = new InboundRows({ insert: (call) => calls.insertCall(call), logger });
    const numbers = new NumberWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    this.#awaitedCalls = new AwaitedCalls({ signal: (round) => numbers.called(round), logger });
    this.#unsureStarts = new UnsureStarts({ verify: (callId) => this.#calls.signalVerify(callId, bootId), logger });
    this.events = this.#sink;
    const { snapshot } = this.#config;
    const registrations = new Registrations({
      nodeId,
      snapshot,
      listening: options.listening,
      repository: new RegistrationRepository(dataSource),
      logger,
    });
    this.bindings = registrations;
    this.capacity = new CapacityLedger({
      boot: { nodeId, bootId },
      store: new CapacityRepository(dataSource),
      workflows: this.#calls,
      logger,
    });
    const starts = new InboundStarts();
    this.directory = new NodeCallDirectory({
      nodeId,
      bootId,
      secrets,
      snapshot,
      registrations,
      workflows: this.#calls,
      temporalOutage: this.#temporalOutage,
      storeOutage: this.#config.outage,
      standing: this.#lifetime.standing,
      writes: this.#writes,
      onStarted: (input, details) => this.#rows.add(options.firstRow(input, details)),
      onUnsure: (callId) => this.#unsureStarts.note(callId),
      starts,
      load: new NodeLoad({
        maxBehindMs: options.maxBehindMs,
        startsBehindMs: () => starts.behindMs,
        stateEventsBehindMs: () => this.#signaller.behindMs,
        recordsBehindMs: () => this.#records.behindMs,
      }),
      onAwaited: (round) => this.#awaitedCalls.called(round),
    });
  }

  /** Calls of which something is still to be told or written down. */
  unfinished(): { readonly stateEvents: number; readonly records: number } {
    return { stateEvents: this.#signaller.pendingCalls, records: this.#records.size };
  }

  async start(): Promise<void> {
    this.#sink.start();
    await this.#config.start();
    this.#writes.start();
    this.#records.start();
  }

  /** Its answer ends an outage. */
  #probeTemporal(): Promise<void> {
    const { task } = this.#lifetime;
    return probeTemporal({
      write: task === null ? null : () => this.#nodeWorkflows.probeWrite(task),
      answers: () => temporalAnswers(this.#options.client, PROBE_LIMIT_MS),
      onAnswer: () => this.#temporalOutage.answered(),
    });
  }

  async attach(control: MediaControl, description: NodeDescription): Promise<void> {
    const { dataSource, logger, nodeId, bootId } = this.#options;
    this.#control = control;
    this.#workers = new MediaWorkers({
      connect: this.#options.connectWorker,
      namespace: this.#options.namespace,
      nodeId,
      bootId,
      activities: this.#options.activities({
        control,
        lifetime: this.#lifetime,
        capacity: this.capacity,
        untold: (callId) => this.#signaller.isPending(callId),
        toldEnd: (callId, timeoutMs) => this.#signaller.toldEnd(callId, timeoutMs),
        unplaced: this.#unplaced,
      }),
      interceptors: this.#options.interceptors,
      logger,
    });
    this.#registration = new NodeRegistration({
      control,
      description,
      nodes: new MediaNodeRepository(dataSource),
      configVersion: () => this.#config.snapshot.version,
      tellConfigured: (boot, version) => this.#config.acting(boot, version),
      lists: new NodeCallListRepository(dataSource),
      temporal: this.#nodeWorkflows,
      writes: this.#writes,
      lifetime: this.#lifetime,
      logger,
    });
    this.#workers.accept(this.#accepting);
    await Promise.all([this.#workers.start(), this.#registration.start()]);
    // Its row is there, by which others see that what it has is not abandoned.
    this.capacity.start();
    this.#temporalOutage.answered();
  }

  /** Looks after a share of the outbound trunks, once the SIP sockets are open. */
  watchTrunks(monitors: TrunkOwnershipOptions['monitors']): void {
    const { nodeId, bootId, client, dataSource, logger } = this.#options;
    const boot = { nodeId, bootId };
    const store = new TrunkHealthRepository(dataSource);
    const workflows = new TrunkWorkflows({ client, limitMs: TEMPORAL_LIMIT_MS });
    const trunks: TrunkOwnership = new TrunkOwnership({
      boot,
      store,
      snapshot: this.#config.snapshot,
      refreshConfig: () => this.#config.refresh(),
      isSteady: () => this.#lifetime.steady,
      monitors,
      reports: new TrunkReports({ boot, store, logger }),
      signaller: new TrunkSignaller({
        nodeId,
        signal: (trunkId, change) => workflows.signalHealth(trunkId, change),
        onTold: (trunkId, sinceMs) => trunks.told(trunkId, sinceMs),
        logger,
      }),
      logger,
    });
    this.#trunks = trunks;
    trunks.start();
  }

  /** Before the calls end: carriers send no new ones to who has taken leave of them. */
  async leaveTrunks(): Promise<void> {
    await this.#trunks?.stop();
  }

  accept(accepting: boolean): void {
    this.#accepting = accepting && this.#lifetime.standing.current !== 'lost';
    this.#workers?.accept(this.#accepting);
  }

  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  #lost(): void {
    const { logger, nodeId, bootId, onLost } = this.#options;
    logger.fatal({ nodeId, bootId }, 'this boot was declared lost: its calls end');
    this.accept(false);
    this.#control?.bootLost();
    onLost();
  }

  async #stop(timeoutMs: number): Promise<void> {
    this.accept(false);
    // Endings first: a stop is orderly only when every call's workflow has heard of its end.
    await this.#signaller.close(timeoutMs);
    await this.capacity.stop();
    const orderly = this.#signaller.pendingCalls === 0;
    if (orderly) {
      this.#lifetime.stop();
      await this.#registration?.stop();
    } else await this.#registration?.abandon();
    await this.#workers?.shutdown();
    this.#awaitedCalls.close();
    this.#unsureStarts.close();
    await this.#rows.close(ROWS_LIMIT_MS);
    await this.#sink.close();
    this.#writes.stop();
    this.#records.stop();
    await this.#config.close();
  }
}
