export interface BackoffOptions {
  /** Before the first restart; doubles with each failure. Default 200 ms. */
  readonly firstMs?: number;
  /** Default 10 s. */
  readonly maximumMs?: number;
  /** Who ran this long has recovered: its next end counts as the first. Default 10 s. */
  readonly stableMs?: number;
  /** After this many ends in a row without a recovery there is no further restart. Default 6. */
  readonly maximumFailures?: number;
}

/** How long to wait before what has ended is started again, and when to stop trying. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maximumMs: number;
  readonly #stableMs: number;
  readonly #maximumFailures: number;
  #failures = 0;

  constructor(options: BackoffOptions = {}) {
    this.#firstMs = options.firstMs ?? 200;
    this.#maximumMs = options.maximumMs ?? 10_000;
    this.#stableMs = options.stableMs ?? 10_000;
    this.#maximumFailures = options.maximumFailures ?? 6;
  }

  get failures(): number {
    return this.#failures;
  }

  /** The wait in ms after something has ended that ran for `ranMs`; `undefined`: give up. */
  next(ranMs: number): number | undefined {
    if (ranMs >= this.#stableMs) this.#failures = 0;
    this.#failures += 1;
    if (this.#failures >= this.#maximumFailures) return undefined;
    return Math.min(this.#firstMs * 2 ** (this.#failures - 1), this.#maximumMs);
  }
}
