import { join } from 'node:path';
import type { CallDirectory, CallEvents, MediaControl } from '../../media/control/contract';
import { AttemptRepository } from '../../store/repositories/attempt-repository';
import { CallRepository } from '../../store/repositories/call-repository';
import { ConfigRepository } from '../../store/repositories/config-repository';
import { EventRepository } from '../../store/repositories/event-repository';
import { MediaNodeRepository } from '../../store/repositories/media-node-repository';
import { NodeCallDirectory } from './call-directory';
import { ConfigCache } from './config-cache';
import { EventSink } from './event-sink';
import { EventSpool } from './event-spool';
import { createMediaActivities } from './media-activities';
import { MediaWorkers } from './media-worker';
import { NodeLifetime } from './node-lifetime';
import { NodeRegistration } from './node-registration';
import { OutageClock } from './outage-clock';
import { StateSignaller } from './state-signaller';
import { TemporalCalls } from './temporal-calls';
import type { MediaNodeServices, MediaNodeServicesOptions, NodeDescription } from './types';

const PROBE_MS = 1_000;

/** Nothing is connected or read before `start`. */
export function createMediaNodeServices(options: MediaNodeServicesOptions): MediaNodeServices {
  return new NodeServices(options);
}

class NodeServices implements MediaNodeServices {
  readonly directory: CallDirectory;
  readonly events: CallEvents;
  readonly #options: MediaNodeServicesOptions;
  readonly #temporal: TemporalCalls;
  readonly #temporalOutage = new OutageClock();
  readonly #config: ConfigCache;
  readonly #sink: EventSink;
  readonly #signaller: StateSignaller;
  readonly #lifetime = new NodeLifetime();
  #control: MediaControl | null = null;
  #workers: MediaWorkers | null = null;
  #registration: NodeRegistration | null = null;
  #probe: NodeJS.Timeout | null = null;
  #accepting = false;
  #stopping: Promise<void> | null = null;

  constructor(options: MediaNodeServicesOptions) {
    this.#options = options;
    const { nodeId, bootId, dataSource, secrets, logger } = options;
    this.#temporal = new TemporalCalls(options.client);
    this.#config = new ConfigCache({
      repository: new ConfigRepository(dataSource, secrets),
      databaseUrl: options.databaseUrl,
      onTrunkRevoked: (trunkId) => this.#control?.trunkRevoked(trunkId),
      logger,
    });
    this.#signaller = new StateSignaller({
      nodeId,
      bootId,
      signal: (callId, signal) => this.#temporal.signal(callId, signal),
      flush: (callId, timeoutMs) => this.#sink.flush(callId, timeoutMs),
      onWorkflowLost: (callId) => this.#control?.workflowLost(callId),
      logger,
    });
    this.#sink = new EventSink({
      store: new EventRepository(dataSource),
      spool: new EventSpool(join(options.dataDir, 'spool', encodeURIComponent(nodeId)), { bootId }),
      onStateEvent: (event) => this.#signaller.enqueue(event),
      logger,
    });
    this.events = this.#sink;
    this.directory = new NodeCallDirectory({
      nodeId,
      bootId,
      secrets,
      snapshot: this.#config.snapshot,
      temporal: this.#temporal,
      temporalOutage: this.#temporalOutage,
      storeOutage: this.#config.outage,
    });
  }

  async start(): Promise<void> {
    this.#sink.start();
    this.#probe = setInterval(() => {
      void this.#temporal.probe().then((answers) => {
        if (answers) this.#temporalOutage.answered();
      });
    }, PROBE_MS);
    await this.#config.start();
  }

  async attach(control: MediaControl, description: NodeDescription): Promise<void> {
    const { dataSource, secrets, logger, nodeId, bootId } = this.#options;
    this.#control = control;
    this.#workers = new MediaWorkers({
      connect: this.#options.connectWorker,
      namespace: this.#options.namespace,
      nodeId,
      bootId,
      activities: createMediaActivities({
        control,
        attempts: new AttemptRepository(dataSource),
        calls: new CallRepository(dataSource),
        secrets,
        lifetime: this.#lifetime,
        logger,
      }),
      logger,
    });
    this.#registration = new NodeRegistration({
      control,
      description,
      nodes: new MediaNodeRepository(dataSource),
      temporal: this.#temporal,
      lifetime: this.#lifetime,
      logger,
    });
    this.#workers.accept(this.#accepting);
    await Promise.all([this.#workers.start(), this.#registration.start()]);
    this.#temporalOutage.answered();
  }

  accept(accepting: boolean): void {
    this.#accepting = accepting;
    this.#workers?.accept(accepting);
  }

  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<void> {
    this.accept(false);
    // Endings first: a stop is orderly only when every call's workflow has heard of its end.
    await this.#signaller.close(timeoutMs);
    const orderly = this.#signaller.pendingCalls === 0;
    if (orderly) {
      this.#lifetime.stop();
      await this.#registration?.stop();
    } else await this.#registration?.abandon();
    await this.#workers?.shutdown();
    await this.#sink.close();
    if (this.#probe !== null) clearInterval(this.#probe);
    await this.#config.close();
  }
}
