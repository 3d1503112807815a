import type { Context } from 'koa';

import { ApiError } from '../errors';

interface Bucket {
  tokens: number;
  updatedMs: number;
}

export interface RateLimiterOptions {
  readonly perMinute: number;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
  /** Buckets kept; beyond it the one that was not used for longest is dropped. */
  readonly maxKeys?: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until the whole allowance is there again. */
  readonly resetSeconds: number;
  /** Until one more request is allowed. */
  readonly retryAfterSeconds: number;
}

/** A token bucket per key, one minute deep; each API process counts for itself. */
export class RateLimiter {
  readonly #perMinute: number;
  readonly #nowMs: () => number;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimiterOptions) {
    this.#perMinute = options.perMinute;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.#maxKeys = options.maxKeys ?? 10_000;
  }

  take(key: string): RateDecision {
    const bucket = this.#refilled(key);
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const perSecond = this.#perMinute / 60;
    return {
      allowed,
      limit: this.#perMinute,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: Math.ceil((this.#perMinute - bucket.tokens) / perSecond),
      retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond)),
    };
  }

  /** The request turned out not to count. */
  giveBack(key: string): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(this.#perMinute, bucket.tokens + 1);
  }

  #refilled(key: string): Bucket {
    const nowMs = this.#nowMs();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#perMinute, updatedMs: nowMs };
    const gained = ((nowMs - bucket.updatedMs) * this.#perMinute) / 60_000;
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + gained);
    bucket.updatedMs = nowMs;
    // Anew at the end: the first of the map is the one that was not used for longest.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#maxKeys && oldest !== undefined) this.#buckets.delete(oldest);
    return bucket;
  }
}

/** Counts the request; sets `RateLimit-Limit`, `-Remaining` and `-Reset`; 429 when the bucket is empty. */
export function applyRateLimit(ctx: Context, limiter: RateLimiter, keyId: string): void {
  const decision = limiter.take(keyId);
  ctx.set(headersOf(decision));
  if (!decision.allowed) throw rateLimited('Too many requests with this key', decision);
}

export function rateLimited(message: string, decision: RateDecision): ApiError {
  const { retryAfterSeconds } = decision;
  return new ApiError(429, 'rate_limited', message, { retryAfterSeconds, headers: headersOf(decision) });
}

function headersOf({ limit, remaining, resetSeconds }: RateDecision): Record<string, string> {
  return {
    'RateLimit-Limit': String(limit),
    'RateLimit-Remaining': String(remaining),
    'RateLimit-Reset': String(resetSeconds),
  };
}
