import { Semaphore } from '../ops/semaphore';

/** At once, as many as the API has: beyond what the server takes at once only waiting grows. */
const MAX_STARTS = 16;
/** For a place among them. With the start itself it is less than what a caller is kept waiting for. */
const MAX_WAIT_MS = 400;
/** Whoever is behind is so with many. */
const FEW = 8;

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
    for (const sinceMs of this.#sinceMs.values()) if (skipped++ === FEW) return this.#nowMs() - sinceMs;
    return 0;
  }

  /** `busy`: there was no place in time, and nothing was started. */
  async run<T>(start: () => Promise<T>): Promise<T | 'busy'> {
    const key = Symbol('start');
    this.#sinceMs.set(key, this.#nowMs());
    try {
      if (!(await this.#places.acquire({ maxWaitMs: MAX_WAIT_MS }))) return 'busy';
      return await start().finally(() => this.#places.release());
    } finally {
      this.#sinceMs.delete(key);
    }
  }
}
