import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import { Backoff } from './backoff';
import type { BackoffOptions } from './backoff';

/** What `setTimeout` of `node:timers/promises` does: rejects when `signal` is aborted. */
export type Sleep = (ms: number, value: undefined, options: { readonly signal?: AbortSignal }) => Promise<void>;

export interface RetryOptions extends Omit<BackoffOptions, 'stableMs'> {
  /** Aborted: nothing is begun any more, and a pause ends at once. What is under way is waited for. */
  readonly signal?: AbortSignal;
  /** Nothing is tried again this long after the beginning, in ms. Default: for ever. */
  readonly limitMs?: number;
  /** False for a failure that another try does not help. Default: all are worth one. */
  readonly passes?: (error: unknown) => boolean;
  /** Before each pause; `failures` counts from 1. */
  readonly onFailure?: (error: unknown, failures: number) => void;
  /** For tests. */
  readonly sleep?: Sleep;
}

/**
 * Does `work` until it works.
 *
 * @throws the last error when there is no further try, the reason of `signal` when that was aborted
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, limitMs = Infinity, passes, onFailure, sleep = sleepOnTimer } = options;
  const backoff = new Backoff(options);
  const giveUpAtMs = performance.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const pauseMs = backoff.next();
      if (backoff.exhausted || performance.now() >= giveUpAtMs || passes?.(error) === false) throw error;
      onFailure?.(error, backoff.failures);
      if (pauseMs === 0) continue;
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined); // aborted: see above
    }
  }
}
