import { isCancellation, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { NodeBoot, NodePresence } from '../../contract/nodes';
import { MAIN_TASK_QUEUE } from '../ids';
import type { CallStoreActivities, AnsweredRecord, FinalRecord, PlacedRecord, RecordedSchedule } from './activities';
import type {
  FinishedTransfer,
  PlannedTransfer,
  RefusedTransfer,
  RequestedTransfer,
  TransferActivities,
  WantedTransfer,
} from '../transfer/activities';
import type { CallInput } from './input';

/** A record is closed without what has not arrived by then. */
const RECORDS_WAIT_MS = 10_000;

const UNDECIDED: PlannedTransfer = { ok: false, code: 'undecided' };

/** A projection write costs one history event while PostgreSQL answers. */
const quick = proxyLocalActivities<CallStoreActivities & TransferActivities>({
  startToCloseTimeout: '2s',
  retry: { maximumAttempts: 2, initialInterval: '100ms' },
});
const patientOptions = {
  taskQueue: MAIN_TASK_QUEUE,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
} as const;
const patientRecord = proxyActivities<CallStoreActivities & TransferActivities>({
  ...patientOptions,
  summary: 'record of the call',
});
/** Nobody waits longer for it: the agent has said by then that it cannot. What is behind it waits for nothing that may never be. */
const patientPlan = proxyActivities<TransferActivities>({
  ...patientOptions,
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '6s',
  summary: 'may it be transferred?',
});
const patientLook = proxyActivities<CallStoreActivities>({ ...patientOptions, summary: 'presence of media nodes' });

/**
 * The call's row, written in the order of what happened: each write as a local activity, and while PostgreSQL is away as
 * an ordinary one that is repeated until it succeeds. No write holds up the call; only the end waits for all of them.
 *
 * What is read of the store takes its turn among the writes. Never are two local activities under way at once: a replay
 * hands their results over together, and then what follows from them would come in another order than it came.
 */
export class CallProjection {
  #tail: Promise<void> = Promise.resolve();
  #begun = false;
  #recorded = false;

  /** The call's row is stored. */
  get recorded(): boolean {
    return this.#recorded;
  }

  /** Unless it was asked before, or is known to be there. */
  recordCall(input: CallInput): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#enqueue(async () => {
      await withPatience(
        () => quick.recordCall(input),
        () => patientRecord.recordCall(input),
      );
      this.#recorded = true;
    });
  }

  /** A node has sent an INVITE for the call: it stored the row before. */
  recordedByNode(): void {
    this.#begun = true;
    this.#recorded = true;
  }

  /** `skip` is asked when the write's turn comes: the final record holds the answer too. */
  recordAnswered(record: () => AnsweredRecord, skip: () => boolean): void {
    void this.#enqueue(async () => {
      if (skip()) return;
      await withPatience(
        () => quick.recordAnswered(record()),
        () => patientRecord.recordAnswered(record()),
      );
    });
  }

  recordPlaced(record: PlacedRecord): void {
    void this.#enqueue(() =>
      withPatience(
        () => quick.recordPlaced(record),
        () => patientRecord.recordPlaced(record),
      ),
    );
  }

  /** Null: it was not, as far as is stored. Epoch ms. */
  recordedAnswer(callId: string): Promise<number | null> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.recordedAnswer(callId),
        () => patientRecord.recordedAnswer(callId),
      ),
    );
  }

  /** Resolves when it is stored, as the next ones. */
  scheduleChanged(schedule: RecordedSchedule): Promise<void> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.recordSchedule(schedule),
        () => patientRecord.recordSchedule(schedule),
      ),
    );
  }

  transferRequested(transfer: RequestedTransfer): Promise<void> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.transferRequested(transfer),
        () => patientRecord.transferRequested(transfer),
      ),
    );
  }

  transferRefused(transfer: RefusedTransfer): Promise<void> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.transferRefused(transfer),
        () => patientRecord.transferRefused(transfer),
      ),
    );
  }

  planTransfer(wanted: WantedTransfer): Promise<PlannedTransfer> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.planTransfer(wanted),
        () => patientPlan.planTransfer(wanted).catch(() => UNDECIDED),
      ),
    );
  }

  transferFinished(transfer: FinishedTransfer): Promise<void> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.transferFinished(transfer),
        () => patientRecord.transferFinished(transfer),
      ),
    );
  }

  /** Resolves when the terminal row is committed. */
  async finalise(record: FinalRecord, nowMs: number): Promise<void> {
    void this.#enqueue(async () => {
      const waitUntilMs = nowMs + RECORDS_WAIT_MS;
      const complete = await withPatience(
        () => quick.finaliseCall(record),
        () => Promise.resolve(false),
      );
      if (!complete) await patientRecord.finaliseWhenRecorded(record, waitUntilMs);
    });
    await this.#tail;
  }

  /** Not before what is being written: see above. */
  liveNodes(): Promise<readonly NodePresence[]> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.liveNodes(),
        () => patientLook.liveNodes(),
      ),
    );
  }

  declareLost(boot: NodeBoot): Promise<boolean> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.declareLost(boot),
        () => patientLook.declareLost(boot),
      ),
    );
  }

  nodePresence(nodeId: string): Promise<NodePresence | null> {
    return this.#enqueue(() =>
      withPatience(
        () => quick.nodePresence(nodeId),
        () => patientLook.nodePresence(nodeId),
      ),
    );
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.then(() => undefined);
    // The end of the workflow awaits the chain; until then a failure must not count as unhandled.
    this.#tail.catch(() => undefined);
    return done;
  }
}

async function withPatience<T>(first: () => Promise<T>, then: () => Promise<T>): Promise<T> {
  try {
    return await first();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return await then();
  }
}
