import type { Context } from 'koa';

import { TokenBuckets } from '../../ops/token-bucket';
import type { AdmittedApiKey } from '../../store/repositories/api-key-repository';
import { ApiError } from '../errors';

const MINUTE_US = 60_000_000;

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

/** The store counts whole microseconds. */
export function shareUs(perMinute: number): number {
  return Math.max(1, Math.floor(MINUTE_US / perMinute));
}

/** What the store has counted for a key, over all API processes: a bucket one minute deep. */
export function rateOf(perMinute: number, counted: Pick<AdmittedApiKey, 'allowed' | 'fullInUs'>): RateDecision {
  const { allowed, fullInUs } = counted;
  const oneUs = shareUs(perMinute);
  const freeUs = MINUTE_US - fullInUs;
  return {
    allowed,
    limit: perMinute,
    remaining: allowed ? Math.min(perMinute, Math.max(0, Math.floor(freeUs / oneUs))) : 0,
    resetSeconds: Math.ceil(fullInUs / 1e6),
    retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((oneUs - freeUs) / 1e6)),
  };
}

/** A token bucket per key, one minute deep, of this process alone: for what is counted without asking the store. */
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

/** Sets `RateLimit-Limit`, `-Remaining` and `-Reset`; 429 when the request was one too many. */
export function applyRateLimit(ctx: Context, decision: RateDecision): void {
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
