import fc from 'fast-check';

import { RateLimiter } from '../../../../api/middleware/rate-limit';

describe('RateLimiter', () => {
  it('gives a full minute at once and then one by one', () => {
    let nowMs = 0;
    const limiter = new RateLimiter({ perMinute: 60, nowMs: () => nowMs });
    for (let n = 0; n < 60; n += 1) expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.take('a')).toEqual({
      allowed: false,
      limit: 60,
      remaining: 0,
      resetSeconds: 60,
      retryAfterSeconds: 1,
    });
    nowMs = 999;
    expect(limiter.take('a').allowed).toBe(false);
    nowMs = 1000;
    expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.take('a').allowed).toBe(false);
  });

  it('counts each key for itself', () => {
    const limiter = new RateLimiter({ perMinute: 1, nowMs: () => 0 });
    expect([limiter.take('a').allowed, limiter.take('b').allowed, limiter.take('a').allowed]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('forgets the key that was not used for longest when it holds too many', () => {
    const limiter = new RateLimiter({ perMinute: 1, nowMs: () => 0, maxKeys: 2 });
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key);
    expect(limiter.take('a').allowed).toBe(false);
    expect(limiter.take('b').allowed).toBe(true);
  });

  it('takes back what did not count', () => {
    const limiter = new RateLimiter({ perMinute: 1, nowMs: () => 0 });
    limiter.take('a');
    limiter.giveBack('a');
    limiter.giveBack('b');
    expect([limiter.take('a').allowed, limiter.take('a').allowed]).toEqual([true, false]);
  });

  it('never allows more than its rate over any time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 5000 })), (perMinute, steps) => {
        let nowMs = 0;
        let allowed = 0;
        const limiter = new RateLimiter({ perMinute, nowMs: () => nowMs });
        for (const step of steps) {
          nowMs += step;
          const decision = limiter.take('k');
          if (decision.allowed) allowed += 1;
          expect(decision.remaining).toBeLessThanOrEqual(perMinute);
        }
        expect(allowed).toBeLessThanOrEqual(perMinute + Math.ceil((nowMs * perMinute) / 60_000));
      }),
    );
  });
});
