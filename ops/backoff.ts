export interface BackoffOptions {
  /** After the first failure. */
  readonly pauseMs: number;
  /** Each further pause is twice as long, up to this. Default: all are the same. */
  readonly maximumPauseMs?: number;
  /** What ran this long has recovered: its next failure counts as the first. Default: nothing recovers. */
  readonly stableMs?: number;
  /** So many failures in a row are the last. Default: endless. */
  readonly maximumFailures?: number;
}

/** Far beyond every pause, and far from numbers that cannot be counted with. */
const MAX_DOUBLINGS = 30;

/** How long to wait before what has failed is begun again, and when to stop trying. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** It failed too often: nothing is begun any more. */
  get exhausted(): boolean {
    return this.#failures >= (this.#options.maximumFailures ?? Infinity);
  }

  /** The pause in ms after a failure of what ran for `ranMs`. */
  next(ranMs = 0): number {
    const { pauseMs, maximumPauseMs = pauseMs, stableMs = Infinity } = this.#options;
    if (ranMs >= stableMs) this.#failures = 0;
    this.#failures += 1;
    const doublings = Math.min(this.#failures - 1, MAX_DOUBLINGS);
    return Math.min(pauseMs * 2 ** doublings, maximumPauseMs);
  }
}
