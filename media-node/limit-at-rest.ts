/**
 * What a recogniser manages is measured before a node is ready, while every process of the product starts beside it. Measured
 * again at rest it is more, and never at the cost of a call: not before there is none.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** The other processes have started by then. */
const FIRST_LOOK_MS = 10_000;
const NEXT_LOOK_MS = 5_000;

export interface RestOptions {
  /** No call is there. */
  readonly isIdle: () => boolean;
  readonly measure: () => Promise<void>;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** Resolves when it was measured, or when that is not wanted any more. Never rejects. */
export async function measureAtRest({ isIdle, measure, signal, wait }: RestOptions): Promise<void> {
  const pause = wait ?? ((ms: number): Promise<unknown> => sleep(ms, undefined, { signal, ref: false }));
  try {
    for (let ms = FIRST_LOOK_MS; ; ms = NEXT_LOOK_MS) {
      await pause(ms);
      if (signal.aborted) return;
      if (isIdle()) return await measure();
    }
  } catch {
    // Aborted, or the recogniser is gone: the limit stays what it was.
  }
}
