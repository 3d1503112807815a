import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import { MEDIA_TASK_QUEUE, mediaNodeTaskQueue } from '../ids';
import type { CallNodeActivities, DialReport } from './activities';
import type { OutboundCallInput } from './input';

/** `no_node`: nobody took the dial in time; `unknown`: it was taken, and whether an INVITE left is not known. */
export type AttemptOutcome = DialReport | { readonly sent: false; readonly code: 'no_node' } | 'unknown' | 'withdrawn';

/** Who dials where who is called has registered with us. */
export interface DialPlace {
  /** The node that holds the registration; null: any node may dial. */
  readonly holder: string | null;
  /** Holders that did not take the dial. */
  readonly askedInVain: readonly string[];
  /** When nobody has taken the dial by then, nobody will. */
  readonly withinMs: number;
}

/** One dial, never repeated by Temporal. `withdraw` takes it back as long as no node has begun it. */
export class DialAttempt {
  readonly #scope = new CancellationScope({ cancellable: true });
  #withdrawn = false;

  async run(
    input: OutboundCallInput,
    n: number,
    { holder, askedInVain, withinMs }: DialPlace,
  ): Promise<AttemptOutcome> {
    const media = proxyActivities<CallNodeActivities>({
      taskQueue: holder === null ? MEDIA_TASK_QUEUE : mediaNodeTaskQueue(holder),
      scheduleToStartTimeout: withinMs,
      startToCloseTimeout: '5s',
      retry: { maximumAttempts: 1 },
      // The dial does not listen to cancellation: once begun, its own answer counts.
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      summary: `dial, attempt ${n}, trunk ${input.trunkId}${holder === null ? '' : `, on ${holder}`}`,
    });
    try {
      return await this.#scope.run(() =>
        media.dialCall({ call: input, n, ...(askedInVain.length === 0 ? {} : { askedInVain }) }),
      );
    } catch (error) {
      if (this.#withdrawn && isCancellation(error)) return 'withdrawn';
      if (!(error instanceof ActivityFailure)) throw error;
      const neverBegun = error.cause instanceof TimeoutFailure && error.cause.timeoutType === 'SCHEDULE_TO_START';
      return neverBegun ? { sent: false, code: 'no_node' } : 'unknown';
    }
  }

  withdraw(): void {
    this.#withdrawn = true;
    this.#scope.cancel();
  }
}
