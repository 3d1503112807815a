import { keepNewest } from './keep-newest';

export interface RateLimit {
  /** What a key may take for ever. */
  readonly perSecond: number;
  /** What it may take at once, 1 or more. */
  readonly burst: number;
}

export interface TokenBucketsOptions extends RateLimit {
  /** Buckets kept; beyond it some are dropped, and their keys may take a whole burst again. */
  readonly maxKeys: number;
  /** Those that are dropped: not used for longest, which costs a move at each use, or made first. */
  readonly drops: 'idle' | 'first';
  /** Monotonic milliseconds. Default `performance`. */
  readonly clock?: { now(): number };
}

interface Bucket {
  tokens: number;
  updatedMs: number;
}

/** A token bucket per key, full at first. Memory is bounded. */
export class TokenBuckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #maxKeys: number;
  readonly #dropsIdle: boolean;
  readonly #clock: { now(): number };
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: TokenBucketsOptions) {
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#maxKeys = options.maxKeys;
    this.#dropsIdle = options.drops === 'idle';
    this.#clock = options.clock ?? performance;
  }

  /** Takes one token; false when there is none. */
  take(key: string): boolean {
    const bucket = this.#refilled(key);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Takes what was used already. A key owes a burst at most, and may take nothing until it has made up for it. */
  charge(key: string, tokens: number): void {
    const bucket = this.#refilled(key);
    bucket.tokens = Math.max(-this.#burst, bucket.tokens - tokens);
  }

  /** Milliseconds until there is a token, 0 when there is one. */
  waitMs(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const missing = 1 - bucket.tokens - (this.#clock.now() - bucket.updatedMs) * this.#perMs;
    return missing <= 0 ? 0 : Math.ceil(missing / this.#perMs);
  }

  has(key: string): boolean {
    return this.#buckets.has(key);
  }

  /** Tokens that were left, with fractions, when the key last took one. */
  left(key: string): number {
    return this.#buckets.get(key)?.tokens ?? this.#burst;
  }

  /** What was taken turned out not to count. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(this.#burst, bucket.tokens + 1);
  }

  #refilled(key: string): Bucket {
    const nowMs = this.#clock.now();
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return this.#make(key, nowMs);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (nowMs - bucket.updatedMs) * this.#perMs);
    bucket.updatedMs = nowMs;
    if (this.#dropsIdle) {
      // The first of the map is the next to go.
      this.#buckets.delete(key);
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #make(key: string, nowMs: number): Bucket {
    const bucket = { tokens: this.#burst, updatedMs: nowMs };
    this.#buckets.set(key, bucket);
    keepNewest(this.#buckets, this.#maxKeys);
    return bucket;
  }
}
