import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { Sleep } from '../ops/retry';
import { Semaphore } from '../ops/semaphore';
import type { SignalOutcome } from '../workflows/client/call-workflows';

/** From the start: by then the caller has repeated its INVITE, and the call lives here, or it never will. */
const ANSWER_BY_MS = 10_000;
const RETRIES = { pauseMs: 200, maximumPauseMs: 2_000 };
/** After an outage every one of them has something to say. */
const MAX_PARALLEL = 16;

export interface UnsureStartsOptions {
  /** Has the workflow of the call ask this boot for it. Rejects while Temporal is away. */
  readonly verify: (callId: string) => Promise<SignalOutcome>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/**
 * Calls that have come in and were turned away because Temporal did not say in time whether their workflow began. One that
 * did begin would wait for a call that is nowhere: it is told to ask, until it was told or turns out never to have been.
 * Whoever has repeated its INVITE meanwhile is found, and goes on.
 */
export class UnsureStarts {
  readonly #options: UnsureStartsOptions;
  readonly #asking = new Set<string>();
  readonly #places = new Semaphore(MAX_PARALLEL);
  readonly #closing = new AbortController();

  constructor(options: UnsureStartsOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  note(callId: string): void {
    if (this.#asking.has(callId)) return;
    this.#asking.add(callId);
    void this.#ask(callId).finally(() => this.#asking.delete(callId));
  }

  /** What is not told by then the loss of this boot settles, as of its other calls. */
  close(): void {
    this.#closing.abort();
  }

  async #ask(callId: string): Promise<void> {
    const { sleep = sleepOnTimer, logger } = this.#options;
    const { signal } = this.#closing;
    try {
      await sleep(ANSWER_BY_MS, undefined, { signal });
      const outcome = await retry(() => this.#verify(callId), { ...RETRIES, signal, sleep });
      if (outcome === 'delivered')
        logger.info({ callId }, 'a call that was turned away had begun: its workflow asks for it');
    } catch {
      // closed
    }
  }

  async #verify(callId: string): Promise<SignalOutcome> {
    await this.#places.acquire();
    try {
      return await this.#options.verify(callId);
    } finally {
      this.#places.release();
    }
  }
}
