import fc from 'fast-check';
import { DISPOSITIONS } from '../../../../contract/endings';
import { WEEK_DAYS } from '../../../../store/campaigns/campaign-hours';
import type { CampaignWindow } from '../../../../store/campaigns/campaign-hours';
import { DiallingWindow } from '../../../../store/campaigns/dialling-window';
import { DEFAULT_RETRY_MATRIX, planRetry } from '../../../../store/campaigns/retry-plan';
import type { PastAttempt, RetryInput } from '../../../../store/campaigns/retry-plan';

const HOURS: CampaignWindow = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  start: '09:00',
  end: '18:00',
  holidays: [],
  defaultTimeZone: null,
  legal: 'default',
};
const window = new DiallingWindow(HOURS);

const past = (...attempts: [at: string, disposition: PastAttempt['disposition']][]): PastAttempt[] =>
  attempts.map(([at, disposition]) => ({ atMs: Date.parse(at), disposition }));

const plan = (attempts: PastAttempt[], now: string, change: Partial<RetryInput> = {}): string => {
  const planned = planRetry({
    matrix: DEFAULT_RETRY_MATRIX,
    attempts,
    window,
    place: { zones: ['UTC'], region: null },
    ringMs: 30_000,
    nowMs: Date.parse(now),
    endsAtMs: null,
    ...change,
  });
  return planned.done ? planned.reason : new Date(planned.dueAtMs).toISOString().slice(0, 16);
};

// 2026-11-30 is a Monday; the parts of the day are 9–12, 12–15 and 15–18.
describe('when it is due', () => {
  test('the first time: when the window opens', () => {
    expect(plan([], '2026-11-30T10:30:00Z')).toBe('2026-11-30T10:30');
    expect(plan([], '2026-11-28T10:30:00Z')).toBe('2026-11-30T09:00');
  });

  test('busy: after minutes that grow, in the window', () => {
    const busy = past(['2026-11-30T10:00Z', 'busy']);
    expect(plan(busy, '2026-11-30T10:01:00Z')).toBe('2026-11-30T10:15');
    const again = [...busy, ...past(['2026-11-30T10:15Z', 'busy'])];
    expect(plan(again, '2026-11-30T10:16:00Z')).toBe('2026-11-30T11:15');
    const late = [...again, ...past(['2026-11-30T15:00Z', 'busy'])];
    expect(plan(late, '2026-11-30T15:01:00Z')).toBe('2026-12-01T09:00');
  });

  test('what was due while nobody looked is due now, not in the past', () => {
    expect(plan(past(['2026-11-30T10:00Z', 'busy']), '2026-11-30T13:00:00Z')).toBe('2026-11-30T13:00');
  });

  test('a delay shorter than the list repeats its last value', () => {
    const matrix = { rules: { busy: { max: 5, delaysMinutes: [5, 20] } }, maxAttemptsTotal: 9 };
    const busy = past(['2026-11-30T09:00Z', 'busy'], ['2026-11-30T09:05Z', 'busy'], ['2026-11-30T09:25Z', 'busy']);
    expect(plan(busy, '2026-11-30T09:26:00Z', { matrix })).toBe('2026-11-30T09:45');
  });

  test('the order in which attempts are given does not count', () => {
    const attempts = past(['2026-11-30T10:00Z', 'busy'], ['2026-11-30T10:15Z', 'no_answer']);
    expect(plan(attempts.toReversed(), '2026-11-30T10:16:00Z')).toBe(plan(attempts, '2026-11-30T10:16:00Z'));
  });
});

describe('another time of day', () => {
  test('nobody in the morning: the afternoon, then the evening of another day, then the part least tried', () => {
    const attempts = past(['2026-11-30T09:30Z', 'no_answer']);
    expect(plan(attempts, '2026-11-30T09:31:00Z')).toBe('2026-11-30T13:30');
    attempts.push(...past(['2026-11-30T13:30Z', 'no_answer']));
    expect(plan(attempts, '2026-11-30T13:31:00Z')).toBe('2026-12-01T15:00');
    attempts.push(...past(['2026-12-01T15:00Z', 'no_answer']));
    expect(plan(attempts, '2026-12-01T15:01:00Z')).toBe('2026-12-04T09:00');
  });

  test('a short delay does not ring twice in one part of the day', () => {
    const matrix = { rules: { no_answer: { max: 5, delaysMinutes: [10] } }, maxAttemptsTotal: 9 };
    expect(plan(past(['2026-11-30T09:00Z', 'no_answer']), '2026-11-30T09:01:00Z', { matrix })).toBe('2026-11-30T12:00');
  });

  test('a voicemail is nobody too, busy is somebody', () => {
    expect(plan(past(['2026-11-30T09:30Z', 'voicemail']), '2026-11-30T09:31:00Z')).toBe('2026-12-01T12:00');
    expect(plan(past(['2026-11-30T09:30Z', 'busy']), '2026-11-30T09:31:00Z')).toBe('2026-11-30T09:45');
  });

  test('the campaign ends before the better part: the same part, rather than not at all', () => {
    const endsAtMs = Date.parse('2026-12-01T11:00:00Z');
    expect(plan(past(['2026-11-30T09:30Z', 'voicemail']), '2026-11-30T09:31:00Z', { endsAtMs })).toBe(
      '2026-12-01T09:30',
    );
  });

  test('parts of a window over midnight', () => {
    const late = new DiallingWindow({ ...HOURS, days: [...WEEK_DAYS], start: '20:00', end: '02:00', legal: 'off' });
    const attempts = past(['2026-11-30T20:10Z', 'no_answer']);
    expect(plan(attempts, '2026-11-30T20:11:00Z', { window: late })).toBe('2026-12-01T00:10');
  });

  test('parts are those of the law where the window is wider', () => {
    const wide = new DiallingWindow({ ...HOURS, start: '00:00', end: '24:00' });
    // Thirds of 8–21: 8:00, 12:20, 16:40.
    const matrix = { rules: { no_answer: { max: 5, delaysMinutes: [10] } }, maxAttemptsTotal: 9 };
    const attempts = past(['2026-11-30T08:10Z', 'no_answer']);
    expect(plan(attempts, '2026-11-30T08:11:00Z', { matrix, window: wide })).toBe('2026-11-30T12:20');
  });
});

describe('when it is done', () => {
  test.each<[string, PastAttempt[]]>([
    ['answered', past(['2026-11-30T10:00Z', 'answered'])],
    ['answered', past(['2026-11-30T10:00Z', 'answered'], ['2026-11-30T11:00Z', 'busy'])],
    ['not_retried', past(['2026-11-30T10:00Z', 'rejected'])],
    ['not_retried', past(['2026-11-30T10:00Z', 'busy'], ['2026-11-30T11:00Z', 'uncertain'])],
    [
      'disposition_exhausted',
      past(['2026-11-30T09:00Z', 'voicemail'], ['2026-12-01T09:00Z', 'voicemail'], ['2026-12-02T09:00Z', 'voicemail']),
    ],
    [
      'attempts_exhausted',
      past(
        ['2026-11-30T09:00Z', 'busy'],
        ['2026-11-30T10:00Z', 'busy'],
        ['2026-11-30T11:00Z', 'no_answer'],
        ['2026-12-01T11:00Z', 'no_answer'],
        ['2026-12-02T11:00Z', 'busy'],
      ),
    ],
  ])('%s', (reason, attempts) => {
    expect(plan(attempts, '2026-12-03T09:00:00Z')).toBe(reason);
  });

  test('the window never opens, or the campaign ends first', () => {
    const never = new DiallingWindow({ ...HOURS, days: [] });
    expect(plan([], '2026-11-30T10:00:00Z', { window: never })).toBe('window_closed');
    expect(plan(past(['2026-11-30T09:00Z', 'busy']), '2026-11-30T10:00:00Z', { window: never })).toBe('window_closed');
    const endsAtMs = Date.parse('2026-11-30T10:15:00Z');
    expect(plan(past(['2026-11-30T10:00Z', 'busy']), '2026-11-30T10:01:00Z', { endsAtMs })).toBe('campaign_ended');
    expect(plan(past(['2026-11-30T10:00Z', 'busy']), '2026-11-30T10:01:00Z', { endsAtMs: endsAtMs + 1 })).toBe(
      '2026-11-30T10:15',
    );
  });

  test('a rule without delays is no rule', () => {
    const matrix = { rules: { busy: { max: 1, delaysMinutes: [] } }, maxAttemptsTotal: 5 };
    expect(() => plan(past(['2026-11-30T10:00Z', 'busy']), '2026-11-30T10:01:00Z', { matrix })).toThrow(RangeError);
  });
});

test('whatever the endings, following the plan stays in the window, waits as long as it must, and comes to an end', () => {
  const zones = fc.constantFrom('America/New_York', 'Asia/Kathmandu', 'Pacific/Chatham', 'Australia/Lord_Howe');
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...DISPOSITIONS), { minLength: 12, maxLength: 12 }),
      zones,
      (endings, zone) => {
        const place = { zones: [zone], region: null };
        const attempts: PastAttempt[] = [];
        let nowMs = Date.parse('2026-03-27T12:00:00Z');
        for (const disposition of endings) {
          const input = {
            matrix: DEFAULT_RETRY_MATRIX,
            attempts,
            window,
            place,
            ringMs: 30_000,
            nowMs,
            endsAtMs: null,
          };
          const planned = planRetry(input);
          if (planned.done) break;
          expect(window.isOpen(place, planned.dueAtMs, 30_000)).toBe(true);
          const last = attempts.at(-1);
          const delays = last === undefined ? [0] : DEFAULT_RETRY_MATRIX.rules[last.disposition]!.delaysMinutes;
          expect(planned.dueAtMs - (last?.atMs ?? nowMs)).toBeGreaterThanOrEqual(Math.min(...delays) * 60_000);
          attempts.push({ atMs: planned.dueAtMs, disposition });
          nowMs = planned.dueAtMs + 60_000;
        }
        expect(attempts.length).toBeLessThanOrEqual(DEFAULT_RETRY_MATRIX.maxAttemptsTotal);
        expect(attempts.slice(0, -1).every(({ disposition }) => disposition !== 'answered')).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test('three times nobody in a working week: never twice in the same part of a day', () => {
  const parts = window.partsOfDay();
  const partOf = (atMs: number): number => parts.findIndex((part) => part.showsOpen('UTC', atMs));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9 * 60 - 1 }), (minute) => {
      const attempts: PastAttempt[] = [
        { atMs: Date.parse('2026-11-30T09:00:00Z') + minute * 60_000, disposition: 'no_answer' },
      ];
      for (let n = 0; n < 2; n += 1) {
        const last = attempts.at(-1)!;
        const input = { matrix: DEFAULT_RETRY_MATRIX, attempts, window, ringMs: 30_000, endsAtMs: null };
        const planned = planRetry({ ...input, place: { zones: ['UTC'], region: null }, nowMs: last.atMs + 60_000 });
        if (planned.done) throw new Error(planned.reason);
        attempts.push({ atMs: planned.dueAtMs, disposition: 'no_answer' });
      }
      expect(new Set(attempts.map(({ atMs }) => partOf(atMs))).size).toBe(3);
    }),
  );
});
