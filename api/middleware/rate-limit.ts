import type { Context } from 'koa';

import { TokenBuckets } from '../../ops/token-bucket';
import { ApiError } from '../errors';

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
  readonly #buckets: TokenBuckets;

  constructor(options: RateLimiterOptions) {
    const { perMinute, nowMs, maxKeys = 10_000 } = options;
    this.#perMinute = perMinute;
    this.#buckets = new TokenBuckets({
      perSecond: perMinute / 60,
      burst: perMinute,
      maxKeys,
      drops: 'idle',
      ...(nowMs === undefined ? {} : { clock: { now: nowMs } }),
    });
  }

  take(key: string): RateDecision {
    const allowed = this.#buckets.take(key);
    const left = this.#buckets.left(key);
    const perSecond = this.#perMinute / 60;
    return {
      allowed,
      limit: this.#perMinute,
      remaining: Math.floor(left),
      resetSeconds: Math.ceil((this.#perMinute - left) / perSecond),
      retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((1 - left) / perSecond)),
    };
  }

  /** The request turned out not to count. */
  giveBack(key: string): void {
    this.#buckets.giveBack(key);
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
