import fc from 'fast-check';
import { DEFAULT_NUMBER_CAPS, decideCaps } from '../../../../store/campaigns/number-caps';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 30, 12);
const hoursAgo = (...hours: number[]): number[] => hours.map((hour) => NOW_MS - hour * HOUR_MS);

test.each<[string, number[], string[], number | null]>([
  ['none yet', [], [], 0],
  ['two today', [1, 2], [], 0],
  ['three today', [1, 2, 3], ['cap_per_day'], 22],
  ['the third 24 hours ago', [1, 2, 24], ['cap_per_day'], 1],
  ['the third 25 hours ago', [1, 2, 25], [], 0],
  ['seven in the week', [30, 40, 50, 60, 70, 80, 90], ['cap_per_week'], 79],
  ['six in the week', [30, 40, 50, 60, 70, 80], [], 0],
  ['both full', [1, 2, 3, 60, 70, 80, 168], ['cap_per_day', 'cap_per_week'], 22],
  ['an attempt by a clock that is ahead', [-1, 2, 3], ['cap_per_day'], 22],
])('%s', (_, hours, refusals, hoursToWait) => {
  const decision = decideCaps(DEFAULT_NUMBER_CAPS, hoursAgo(...hours), NOW_MS);
  expect(decision).toEqual({
    allowed: refusals.length === 0,
    refusals,
    allowedAtMs: NOW_MS + (hoursToWait ?? 0) * HOUR_MS,
  });
});

test('a cap of 0 never allows', () => {
  expect(decideCaps({ perNumberPerDay: 0, perNumberPerWeek: 7 }, [], NOW_MS)).toEqual({
    allowed: false,
    refusals: ['cap_per_day'],
    allowedAtMs: null,
  });
});

test('whoever dials only when allowed keeps to the caps in every rolling and every calendar day and week', () => {
  // London's clocks go back on 2026-10-25: its calendar day has 25 hours, its week 169.
  const startMs = Date.UTC(2026, 9, 18);
  const localDay = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/London', dateStyle: 'short' });
  const gaps = fc.array(fc.integer({ min: 0, max: 20 * HOUR_MS }), { minLength: 20, maxLength: 80 });
  const caps = fc.record({
    perNumberPerDay: fc.integer({ min: 1, max: 5 }),
    perNumberPerWeek: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(caps, gaps, (given, waits) => {
      const dialled: number[] = [];
      let nowMs = startMs;
      for (const waitMs of waits) {
        nowMs += waitMs;
        const decision = decideCaps(given, dialled, nowMs);
        if (!decision.allowed) {
          // It says when, and is right.
          expect(decideCaps(given, dialled, decision.allowedAtMs!).allowed).toBe(true);
          expect(decideCaps(given, dialled, decision.allowedAtMs! - 1).allowed).toBe(false);
          continue;
        }
        dialled.push(nowMs);
      }
      for (const atMs of dialled) {
        const since = (spanMs: number) => dialled.filter((other) => other >= atMs && other < atMs + spanMs).length;
        expect(since(25 * HOUR_MS)).toBeLessThanOrEqual(given.perNumberPerDay);
        expect(since((7 * 24 + 1) * HOUR_MS)).toBeLessThanOrEqual(given.perNumberPerWeek);
      }
      const days = dialled.map((atMs) => localDay.format(atMs));
      for (const day of days) {
        expect(days.filter((other) => other === day).length).toBeLessThanOrEqual(given.perNumberPerDay);
      }
    }),
  );
});
