import fc from 'fast-check';

import { rateOf } from '../../../../api/middleware/rate-limit';

describe('the rate of a key, as the store has counted it', () => {
  it('says what is left, until when it is whole again, and when there is one more', () => {
    expect(rateOf(60, { allowed: true, fullInUs: 1_000_000 })).toEqual({
      allowed: true,
      limit: 60,
      remaining: 59,
      resetSeconds: 1,
      retryAfterSeconds: 0,
    });
    expect(rateOf(60, { allowed: false, fullInUs: 59_500_000 })).toEqual({
      allowed: false,
      limit: 60,
      remaining: 0,
      resetSeconds: 60,
      retryAfterSeconds: 1,
    });
    expect(rateOf(3, { allowed: false, fullInUs: 55_000_000 })).toMatchObject({ retryAfterSeconds: 15 });
  });

  it('promises no more requests than the store would let pass, and no later than it would', () => {
    const counted = fc.record({ perMinute: fc.integer({ min: 1, max: 1e8 }), fullInUs: fc.nat(60_000_000) });
    fc.assert(
      fc.property(counted, ({ perMinute, fullInUs }) => {
        const shareUs = Math.max(1, Math.floor(60_000_000 / perMinute));
        const { remaining } = rateOf(perMinute, { allowed: true, fullInUs });
        expect(fullInUs + remaining * shareUs).toBeLessThanOrEqual(60_000_000);
        expect(remaining).toBeLessThanOrEqual(perMinute);
        const { retryAfterSeconds } = rateOf(perMinute, { allowed: false, fullInUs });
        expect(fullInUs - retryAfterSeconds * 1e6 + shareUs).toBeLessThanOrEqual(60_000_000);
      }),
    );
  });
});
