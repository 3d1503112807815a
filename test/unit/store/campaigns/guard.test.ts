import fc from 'fast-check';
import { areConclusive, guardSinceMs, guardVerdict } from '../../../../store/campaigns/guard';
import type { GuardFigures, GuardVerdict } from '../../../../store/campaigns/guard';
import type { AutoPause } from '../../../../store/entities/campaign';

const NO_LIMITS: AutoPause = { answerRateBelow: null, shortCallShareAbove: null, abandonShareAbove: null };
const GOOD: GuardFigures = { attempts: 200, answered: 100, shortCalls6s: 5, shortCalls12s: 10, abandoned: 1 };

const verdict = (figures: Partial<GuardFigures>, limits: Partial<AutoPause>, pace = 1): GuardVerdict =>
  guardVerdict({ ...GOOD, ...figures }, { ...NO_LIMITS, ...limits }, pace);

describe('the verdict of the guards', () => {
  test('without limits nothing is looked at', () => {
    expect(verdict({ answered: 0, abandoned: 100 }, {})).toEqual({ action: 'none' });
  });

  test('what keeps to its limits goes on, at the limit too', () => {
    const limits = { answerRateBelow: 0.5, shortCallShareAbove: 0.05, abandonShareAbove: 0.01 };
    expect(verdict({}, limits)).toEqual({ action: 'none' });
  });

  test.each<[string, Partial<GuardFigures>, Partial<AutoPause>, Partial<GuardVerdict>]>([
    ['few answers', { answered: 40 }, { answerRateBelow: 0.3 }, { guard: 'answer_rate', figure: 0.2, calls: 200 }],
    ['calls over at once', { shortCalls6s: 21 }, { shortCallShareAbove: 0.2 }, { guard: 'short_calls', figure: 0.21 }],
    ['calls of up to 12 s', { shortCalls12s: 41 }, { shortCallShareAbove: 0.2 }, { figure: 0.41, limit: 0.4 }],
    ['silence', { abandoned: 4 }, { abandonShareAbove: 0.03 }, { guard: 'abandon', figure: 0.04, calls: 100 }],
  ])('%s: slows a campaign at full pace, and pauses one that was slowed', (_, figures, limits, expected) => {
    expect(verdict(figures, limits)).toMatchObject({ action: 'slow', ...expected });
    expect(verdict(figures, limits, 0.5)).toMatchObject({ action: 'pause', ...expected });
  });

  test('of several breaches the one that harms people is told', () => {
    const all = { answerRateBelow: 0.9, shortCallShareAbove: 0.01, abandonShareAbove: 0.001 };
    expect(verdict({}, all)).toMatchObject({ guard: 'abandon' });
    expect(verdict({}, { ...all, abandonShareAbove: null })).toMatchObject({ guard: 'short_calls' });
  });

  test('the first calls of a campaign say nothing', () => {
    const none = { answered: 0, shortCalls6s: 0, shortCalls12s: 0, abandoned: 0 };
    expect(verdict({ ...none, attempts: 3 }, { answerRateBelow: 0.3 })).toEqual({ action: 'none' });
    expect(verdict({ ...none, attempts: 49 }, { answerRateBelow: 0.3 })).toEqual({ action: 'none' });
    expect(verdict({ ...none, attempts: 50 }, { answerRateBelow: 0.3 })).toMatchObject({ action: 'slow' });
    const silent = { answered: 29, abandoned: 29, shortCalls6s: 29 };
    expect(verdict(silent, { abandonShareAbove: 0.03, shortCallShareAbove: 0.1 })).toEqual({ action: 'none' });
    expect(verdict({ ...silent, answered: 30 }, { abandonShareAbove: 0.03 })).toMatchObject({ action: 'slow' });
  });

  test('whatever the figures, a verdict tells a share that has broken its own limit', () => {
    const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
    const figures = fc.nat(5000).chain((attempts) =>
      fc.nat(attempts).chain((answered) =>
        fc.record({
          attempts: fc.constant(attempts),
          answered: fc.constant(answered),
          shortCalls6s: fc.nat(answered),
          shortCalls12s: fc.nat(answered),
          abandoned: fc.nat(answered),
        }),
      ),
    );
    const limits = fc.record({ answerRateBelow: share, shortCallShareAbove: share, abandonShareAbove: share });
    fc.assert(
      fc.property(figures, limits, fc.constantFrom(1, 0.5, 0.25), (counted, limited, pace) => {
        const told = guardVerdict(counted, limited, pace);
        if (told.action === 'none') return;
        expect(told.action).toBe(pace === 1 ? 'slow' : 'pause');
        expect(told.figure).toBeGreaterThanOrEqual(0);
        expect(told.figure).toBeLessThanOrEqual(1);
        const broken = told.guard === 'answer_rate' ? told.figure < told.limit : told.figure > told.limit;
        expect(broken).toBe(true);
        expect(told.calls).toBeGreaterThanOrEqual(30);
        // Better figures never bring a verdict where worse ones brought none.
        const spotless = { ...counted, answered: counted.attempts, shortCalls6s: 0, shortCalls12s: 0, abandoned: 0 };
        expect(guardVerdict(spotless, limited, pace)).toEqual({ action: 'none' });
      }),
    );
  });
});

describe('what counts', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  const minutesAgo = (minutes: number): number => now - minutes * 60_000;

  test('half an hour, but nothing from before the start, a resumption or the slowing', () => {
    expect(guardSinceMs(now, { runningMs: null, slowedMs: null })).toBe(minutesAgo(30));
    expect(guardSinceMs(now, { runningMs: minutesAgo(90), slowedMs: null })).toBe(minutesAgo(30));
    expect(guardSinceMs(now, { runningMs: minutesAgo(20), slowedMs: null })).toBe(minutesAgo(20));
    expect(guardSinceMs(now, { runningMs: minutesAgo(20), slowedMs: minutesAgo(5) })).toBe(minutesAgo(5));
  });

  test('a slowed campaign has proved itself only by enough calls of each kind that is limited', () => {
    const limits = { ...NO_LIMITS, answerRateBelow: 0.3, abandonShareAbove: 0.03 };
    expect(areConclusive({ ...GOOD, attempts: 49, answered: 40 }, limits)).toBe(false);
    expect(areConclusive({ ...GOOD, attempts: 90, answered: 29 }, limits)).toBe(false);
    expect(areConclusive({ ...GOOD, attempts: 90, answered: 29 }, { ...NO_LIMITS, answerRateBelow: 0.3 })).toBe(true);
    expect(areConclusive({ ...GOOD, attempts: 90, answered: 30 }, limits)).toBe(true);
  });
});
