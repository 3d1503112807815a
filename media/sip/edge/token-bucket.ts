import type { Clock } from '../../clock';

export interface RateLimit {
  /** Messages per second that a source may send for ever. */
  readonly perSecond: number;
  /** Messages it may send at once. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const MAX_SOURCES = 20_000;

/** One token bucket per source address, taken from before a message is parsed. Memory is bounded. */
export class SourceRateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(source: string): boolean {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_SOURCES) this.#forgetOldest();
      this.#buckets.set(source, { tokens: this.#limit.burst - 1, at: now });
      return true;
    }
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + ((now - bucket.at) * this.#limit.perSecond) / 1000);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
