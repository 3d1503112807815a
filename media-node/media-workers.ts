import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerInterceptors, WorkerOptions } from '@temporalio/worker';
import type { Logger } from '../ops/logger';
import { PersistentWorker } from '../ops/persistent-worker';
import type { CallNodeActivities } from '../workflows/call/activities';
import { MEDIA_TASK_QUEUE, mediaNodeTaskQueue } from '../workflows/ids';
import type { WatchedNodeActivities } from '../workflows/node/activities';
import type { ListedNodeActivities } from '../workflows/reconciler/activities';
import type { TrunkCheckActivities } from '../workflows/trunk-check/activities';
import { DialSlots } from './dial-slots';

/** Commands at once on one node; the activity that watches the node takes one of them for good. */
const COMMAND_SLOTS = 200;

/** What workflows ask of a media node. */
export type MediaActivities = CallNodeActivities & WatchedNodeActivities & ListedNodeActivities & TrunkCheckActivities;

export interface MediaWorkersOptions {
  readonly connect: () => Promise<NativeConnection>;
  readonly namespace: string;
  readonly nodeId: string;
  readonly bootId: string;
  readonly activities: MediaActivities;
  readonly interceptors: WorkerInterceptors;
  readonly logger: Logger;
}

/**
 * The two activity workers of a media node: `media:<nodeId>` for its calls and for dials that only it can make, `media`
 * for dials and checks while it accepts any.
 */
export class MediaWorkers {
  readonly #options: MediaWorkersOptions;
  #dialSlots = new DialSlots();
  #accepting = false;
  readonly #commands: PersistentWorker;
  readonly #dials: PersistentWorker;

  constructor(options: MediaWorkersOptions) {
    this.#options = options;
    const { logger } = options;
    const { dialCall, checkOutboundTrunk } = options.activities;
    this.#commands = new PersistentWorker({
      name: 'commands',
      connect: options.connect,
      logger,
      create: async (connection) =>
        await Worker.create({
          ...this.#common(connection, 'commands'),
          taskQueue: mediaNodeTaskQueue(options.nodeId),
          // Dials too, of those whom only this node reaches; it refuses them itself while it takes no calls.
          activities: options.activities,
          maxConcurrentActivityTaskExecutions: COMMAND_SLOTS,
        }),
    });
    this.#dials = new PersistentWorker({
      name: 'dials',
      connect: options.connect,
      logger,
      create: async (connection) => {
        // Slots of a worker that failed are never released: each begins with its own.
        this.#dialSlots = new DialSlots();
        this.#dialSlots.accept(this.#accepting);
        return await Worker.create({
          ...this.#common(connection, 'dials'),
          taskQueue: MEDIA_TASK_QUEUE,
          activities: { dialCall, checkOutboundTrunk },
          tuner: {
            activityTaskSlotSupplier: this.#dialSlots,
            workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
            localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
            nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
          },
        });
      },
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.#commands.start(), this.#dials.start()]);
  }

  accept(accepting: boolean): void {
    this.#accepting = accepting;
    this.#dialSlots.accept(accepting);
  }

  async shutdown(): Promise<void> {
    this.accept(false);
    await Promise.all([this.#dials.shutdown(), this.#commands.shutdown()]);
  }

  #common(
    connection: NativeConnection,
    role: string,
  ): Pick<
    WorkerOptions,
    | 'connection'
    | 'namespace'
    | 'identity'
    | 'interceptors'
    | 'maxHeartbeatThrottleInterval'
    | 'shutdownGraceTime'
    | 'shutdownForceTime'
  > {
    const { nodeId, bootId, namespace } = this.#options;
    return {
      connection,
      namespace,
      identity: `${nodeId}/${bootId}/${role}`,
      interceptors: this.#options.interceptors,
      maxHeartbeatThrottleInterval: '200ms',
      shutdownGraceTime: '1s',
      shutdownForceTime: '3s',
    };
  }
}
