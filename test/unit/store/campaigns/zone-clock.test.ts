import fc from 'fast-check';
import {
  DAY_MS,
  HOUR_MS,
  dayOfDate,
  isTimeZone,
  localTimeText,
  readClock,
  weekdayOf,
} from '../../../../store/campaigns/zone-clock';

const ZONES = Intl.supportedValuesOf('timeZone');
const FROM_MS = Date.UTC(2024, 0, 1);
const TO_MS = Date.UTC(2032, 0, 1);

/** The runtime's own words, by another way than the code's. */
const formats = new Map<string, Intl.DateTimeFormat>();
function wallClock(zone: string, atMs: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(zone, format);
  }
  return format.format(atMs);
}

function readText(zone: string, atMs: number): string {
  const { day, timeMs } = readClock(zone, atMs);
  return new Date(day * DAY_MS + Math.floor(timeMs / 1000) * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

test('any zone at any instant shows what the runtime shows', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), fc.integer({ min: FROM_MS, max: TO_MS }), (zone, atMs) => {
      expect(readText(zone, atMs)).toBe(wallClock(zone, atMs));
    }),
    { numRuns: 1500 },
  );
});

test('no zone changes its offset and back within a UTC day', () => {
  const changed: string[] = [];
  for (const zone of ZONES) {
    for (let dayMs = Date.UTC(2026, 0, 1); dayMs < Date.UTC(2026, 11, 31); dayMs += 4 * DAY_MS) {
      const { steadyUntilMs } = readClock(zone, dayMs);
      const noonMs = dayMs + 12 * HOUR_MS;
      if (steadyUntilMs > noonMs && readText(zone, noonMs) !== wallClock(zone, noonMs))
        changed.push(`${zone} ${noonMs}`);
    }
  }
  expect(changed).toEqual([]);
});

test.each([
  ['America/New_York', '2026-03-08T07:00:00.000Z', -5, -4],
  ['America/New_York', '2026-11-01T06:00:00.000Z', -4, -5],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00.000Z', 11, 10.5],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00.000Z', 10.5, 11],
  ['Pacific/Chatham', '2026-04-04T14:00:00.000Z', 13.75, 12.75],
  ['Africa/Casablanca', '2026-02-15T02:00:00.000Z', 1, 0],
  ['Antarctica/Troll', '2026-03-29T01:00:00.000Z', 0, 2],
  ['Pacific/Apia', '2011-12-30T10:00:00.000Z', -10, 14],
])('%s changes at %s, to the millisecond', (zone, at, hoursBefore, hoursAfter) => {
  const atMs = Date.parse(at);
  expect(readClock(zone, atMs - 1)).toMatchObject({ offsetMs: hoursBefore * HOUR_MS, steadyUntilMs: atMs });
  expect(readClock(zone, atMs).offsetMs).toBe(hoursAfter * HOUR_MS);
});

test.each([
  ['America/St_Johns', '2026-07-01T12:00:00.999Z', '2026-07-01T09:30:00-02:30'],
  ['Asia/Kathmandu', '2026-07-01T18:20:00Z', '2026-07-02T00:05:00+05:45'],
  ['UTC', '2028-02-29T23:59:59Z', '2028-02-29T23:59:59+00:00'],
])('the clock of %s at %s reads %s', (zone, at, text) => {
  expect(localTimeText(zone, Date.parse(at))).toBe(text);
});

test('offsets, short forms of nothing and other planets are no zones', () => {
  expect(['Europe/Berlin', 'america/new_york', 'US/Pacific', 'UTC'].map(isTimeZone)).toEqual([true, true, true, true]);
  expect(['+02:00', '-05', '', ' ', 'Mars/Olympus', 'Europe/Berlin '].map(isTimeZone)).toEqual(Array(6).fill(false));
  expect(() => readClock('Mars/Olympus', 0)).toThrow(RangeError);
});

test('a date that no calendar has is none', () => {
  expect(['2026-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '26-01-01', '2026-04-31', ''].map(dayOfDate)).toEqual(
    Array(7).fill(null),
  );
  expect([dayOfDate('1970-01-01'), dayOfDate('2028-02-29'), dayOfDate('1969-12-31')]).toEqual([0, 21_243, -1]);
});

test('weekdays count from Monday, before 1970 too', () => {
  expect(['2026-11-30', '2026-12-06', '1969-12-31', '1901-01-01'].map((date) => weekdayOf(dayOfDate(date)!))).toEqual([
    0, 6, 2, 1,
  ]);
});
