import { withDeadline } from '../ops/deadline';
import { Semaphore } from '../ops/semaphore';
import { STUCK } from './node-load';

/** At once, as in the API: beyond what the server takes at once only waiting grows. */
const MAX_STARTS = 16;
/** A start has its place no longer than this, as in the API: 40 a second begin however slow the server is. */
const START_MS = 400;
/** For a place, as in the API: who waits longer is served sooner by another node. */
const MAX_WAIT_MS = 1_000;

export interface InboundStartsOptions {
  /** Default 16. */
  readonly maxStarts?: number;
  readonly nowMs?: () => number;
}

/** Starts of workflows of calls that have come in: those under way, and those that wait for a place among them. */
export class InboundStarts {
  readonly #places: Semaphore;
  readonly #nowMs: () => number;
  /** When they began to wait, in this order. */
  readonly #sinceMs = new Map<symbol, number>();

  constructor({ maxStarts = MAX_STARTS, nowMs = (): number => performance.now() }: InboundStartsOptions = {}) {
    this.#places = new Semaphore(maxStarts);
    this.#nowMs = nowMs;
  }

  /** For how long the oldest has waited for its start, but for a few that may be stuck. */
  get behindMs(): number {
    let skipped = 0;
    for (const sinceMs of this.#sinceMs.values()) if (skipped++ === STUCK) return this.#nowMs() - sinceMs;
    return 0;
  }

  /** `busy`: there was no place in time, and nothing was started. */
  async run<T>(start: () => Promise<T>): Promise<T | 'busy'> {
    const key = Symbol('start');
    this.#sinceMs.set(key, this.#nowMs());
    try {
      if (!(await this.#places.acquire({ maxWaitMs: MAX_WAIT_MS }))) return 'busy';
      const started = start();
      const leave = (): void => this.#places.release();
      withDeadline(started, START_MS).then(leave, leave);
      return await started;
    } finally {
      this.#sinceMs.delete(key);
    }
  }
}
