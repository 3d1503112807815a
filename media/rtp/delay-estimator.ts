/**
 * How much delay a stream needs: a forgetting histogram of each packet's delay above the fastest recent one, of which
 * the 97th percentile plus one frame is the target. The fastest packet is forgotten after some seconds, so that a clock
 * that drifts away is followed.
 */
const BIN_MS = 10;
const BINS = 24;
const FORGET = 0.99;
const QUANTILE = 0.97;
const BASE_WINDOW_MS = 4000;

const MIN_DELAY_MS = 20;
const MAX_DELAY_MS = 120;

export class DelayEstimator {
  readonly #histogram = new Float64Array(BINS);
  #weight = 0;
  #base = Infinity;
  #previousBase = Infinity;
  #windowEndMs = 0;
  #targetMs = MIN_DELAY_MS;

  /** A packet has come. */
  get known(): boolean {
    return this.#weight > 0;
  }

  /** Delay to aim at, above the fastest packet: 20–120 ms. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /** `transitMs`: arrival minus timestamp, on any common origin. Returns the delay above the fastest recent packet. */
  update(transitMs: number, nowMs: number): number {
    if (nowMs >= this.#windowEndMs) {
      this.#previousBase = this.#base;
      this.#base = Infinity;
      this.#windowEndMs = nowMs + BASE_WINDOW_MS;
    }
    if (transitMs < this.#base) this.#base = transitMs;
    const above = transitMs - Math.min(this.#base, this.#previousBase);
    this.#learn(above);
    return above;
  }

  /** The stream's time line jumped: transits before and after cannot be compared. What is known of its jitter stays. */
  rebase(): void {
    this.#base = Infinity;
    this.#previousBase = Infinity;
    this.#windowEndMs = 0;
  }

  #learn(aboveMs: number): void {
    const histogram = this.#histogram;
    for (let i = 0; i < BINS; i++) histogram[i] = (histogram[i] as number) * FORGET;
    const bin = Math.min(BINS - 1, Math.floor(aboveMs / BIN_MS));
    histogram[bin] = (histogram[bin] as number) + 1 - FORGET;
    this.#weight = this.#weight * FORGET + 1 - FORGET;
    let sum = 0;
    let quantileBin = 0;
    for (; quantileBin < BINS - 1; quantileBin++) {
      sum += histogram[quantileBin] as number;
      if (sum >= QUANTILE * this.#weight) break;
    }
    this.#targetMs = Math.max(MIN_DELAY_MS, Math.min(MAX_DELAY_MS, quantileBin * BIN_MS + MIN_DELAY_MS));
  }
}
