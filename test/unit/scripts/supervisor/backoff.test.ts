import { Backoff } from '../../../../scripts/supervisor/backoff';

describe('Backoff', () => {
  test('doubles the wait up to its maximum', () => {
    const backoff = new Backoff({ firstMs: 200, maximumMs: 1_000, maximumFailures: 10 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next(0))).toEqual([200, 400, 800, 1_000, 1_000]);
  });

  test('gives up after too many ends in a row', () => {
    const backoff = new Backoff({ maximumFailures: 3 });
    expect(backoff.next(10)).toBeDefined();
    expect(backoff.next(10)).toBeDefined();
    expect(backoff.next(10)).toBeUndefined();
  });

  test('who ran long enough begins anew', () => {
    const backoff = new Backoff({ firstMs: 200, stableMs: 10_000, maximumFailures: 3 });
    backoff.next(0);
    backoff.next(0);
    expect(backoff.next(10_000)).toBe(200);
    expect(backoff.failures).toBe(1);
  });
});
