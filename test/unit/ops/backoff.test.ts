import { Backoff } from '../../../ops/backoff';

describe('Backoff', () => {
  test('doubles the pause up to its maximum, or keeps it', () => {
    const backoff = new Backoff({ pauseMs: 200, maximumPauseMs: 1_000 });
    expect([1, 2, 3, 4, 5].map(() => backoff.next(0))).toEqual([200, 400, 800, 1_000, 1_000]);
    const steady = new Backoff({ pauseMs: 500 });
    expect([1, 2, 3].map(() => steady.next())).toEqual([500, 500, 500]);
  });

  test('is exhausted after too many failures in a row, or never', () => {
    const backoff = new Backoff({ pauseMs: 1, maximumFailures: 3 });
    const patient = new Backoff({ pauseMs: 1 });
    const exhausted = [1, 2, 3].map(() => {
      backoff.next(10);
      patient.next(10);
      return [backoff.exhausted, patient.exhausted];
    });
    expect(exhausted).toEqual([
      [false, false],
      [false, false],
      [true, false],
    ]);
  });

  test('who ran long enough begins anew', () => {
    const backoff = new Backoff({ pauseMs: 200, maximumPauseMs: 1_000, stableMs: 10_000, maximumFailures: 3 });
    backoff.next(0);
    backoff.next(0);
    expect(backoff.next(10_000)).toBe(200);
    expect([backoff.failures, backoff.exhausted]).toEqual([1, false]);
  });

  test('stays at its maximum however long it goes on', () => {
    const backoff = new Backoff({ pauseMs: 200, maximumPauseMs: 5_000 });
    for (let failures = 0; failures < 2_000; failures++) backoff.next();
    expect(backoff.next()).toBe(5_000);
  });
});
