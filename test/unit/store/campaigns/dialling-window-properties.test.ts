import fc from 'fast-check';
import { WEEK_DAYS } from '../../../../store/campaigns/campaign-hours';
import type { CampaignWindow } from '../../../../store/campaigns/campaign-hours';
import { DiallingWindow } from '../../../../store/campaigns/dialling-window';
import type { NumberPlace } from '../../../../store/campaigns/dialling-window';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Of every kind: whole, half and three-quarter hours, changes by 30, 60 and 120 minutes, at night and at midnight. */
const ZONES = [
  'America/New_York',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Havana',
  'America/Santiago',
  'America/Phoenix',
  'Atlantic/Azores',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Adelaide',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Apia',
  'Antarctica/Troll',
];

const FROM_MS = Date.UTC(2026, 0, 1);
const TO_MS = Date.UTC(2029, 0, 1);

/** A slow and independent reading of the same words: Intl's text of each minute, compared as text. */
const formats = new Map<string, Intl.DateTimeFormat>();
const shown = new Map<string, { readonly date: string; readonly time: string }>();
function wall(zone: string, minuteMs: number): { readonly date: string; readonly time: string } {
  const key = `${zone} ${minuteMs}`;
  let known = shown.get(key);
  if (known === undefined) {
    let format = formats.get(zone);
    if (format === undefined) {
      format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
      formats.set(zone, format);
    }
    const [date = '', time = ''] = format.format(minuteMs).split(' ');
    known = { date, time };
    if (shown.size > 200_000) shown.clear();
    shown.set(key, known);
  }
  return known;
}

const weekday = (date: string): string => WEEK_DAYS[(new Date(date).getUTCDay() + 6) % 7] as string;
const dayBefore = (date: string): string => new Date(Date.parse(date) - DAY_MS).toISOString().slice(0, 10);

function showsOpen(window: CampaignWindow, region: string | null, zone: string, minuteMs: number): boolean {
  const { date, time } = wall(zone, minuteMs);
  const starts = (on: string): boolean =>
    (window.days as readonly string[]).includes(weekday(on)) && !window.holidays.includes(on);
  const overMidnight = window.end < window.start;
  const inWindow = overMidnight
    ? (time >= window.start && starts(date)) || (time < window.end && starts(dayBefore(date)))
    : time >= window.start && time < window.end && starts(date);
  if (!inWindow || window.legal === 'off') return inWindow;
  if (region === 'US-TX') {
    return time >= (weekday(date) === 'sun' ? '12:00' : '09:00') && time < '21:00';
  }
  if (region === 'US-WA') return time >= '08:00' && time < '20:00';
  return time >= '08:00' && time < '21:00';
}

const floorMinute = (atMs: number): number => Math.floor(atMs / MINUTE_MS) * MINUTE_MS;

function slowlyOpen(window: CampaignWindow, place: NumberPlace, atMs: number, ringMs: number): boolean {
  for (let minuteMs = floorMinute(atMs); minuteMs < atMs + ringMs; minuteMs += MINUTE_MS) {
    if (!place.zones.every((zone) => showsOpen(window, place.region, zone, minuteMs))) return false;
  }
  return true;
}

function slowlyNextOpen(
  window: CampaignWindow,
  place: NumberPlace,
  fromMs: number,
  ringMs: number,
  untilMs: number,
): number | null {
  if (slowlyOpen(window, place, fromMs, ringMs)) return fromMs;
  for (let atMs = floorMinute(fromMs) + MINUTE_MS; atMs <= untilMs; atMs += MINUTE_MS) {
    if (slowlyOpen(window, place, atMs, ringMs)) return atMs;
  }
  return null;
}

/** Instants at which a zone's clocks are changed, found by asking Intl hour by hour. */
const changesMs: readonly number[] = ZONES.flatMap((zone) => {
  const found: number[] = [];
  let before: number | null = null;
  for (let atMs = FROM_MS; atMs < FROM_MS + 366 * DAY_MS; atMs += 6 * HOUR_MS) {
    const { date, time } = wall(zone, atMs);
    const offsetMs = Date.parse(`${date}T${time}Z`) - atMs;
    if (before !== null && before !== offsetMs) found.push(atMs);
    before = offsetMs;
  }
  return found;
});

const instant = fc.oneof(
  fc.integer({ min: FROM_MS, max: TO_MS }),
  fc
    .tuple(fc.constantFrom(...changesMs), fc.integer({ min: -36 * HOUR_MS, max: 12 * HOUR_MS }))
    .map(([changeMs, apartMs]) => changeMs + apartMs),
);
const timeOfDay = (maxMinute: number) =>
  fc
    .integer({ min: 0, max: maxMinute })
    .map((minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`);

const windows: fc.Arbitrary<CampaignWindow> = fc
  .record({
    days: fc.uniqueArray(fc.constantFrom(...WEEK_DAYS), { minLength: 2, maxLength: 7 }),
    start: timeOfDay(1439),
    end: timeOfDay(1440),
    holidays: fc.array(
      instant.map((atMs) => new Date(atMs).toISOString().slice(0, 10)),
      { maxLength: 3 },
    ),
    defaultTimeZone: fc.constant(null),
    legal: fc.constantFrom('default' as const, 'off' as const),
  })
  .filter(({ start, end }) => start !== end);

const places: fc.Arbitrary<NumberPlace> = fc.record({
  zones: fc.uniqueArray(fc.constantFrom(...ZONES), { minLength: 1, maxLength: 3 }),
  region: fc.constantFrom(null, 'US-NY', 'US-TX', 'US-WA'),
});
const rings = fc.integer({ min: 1, max: 180_000 });

test('open is what a reading of every minute of the ring says', () => {
  let opened = 0;
  fc.assert(
    fc.property(windows, places, instant, rings, (window, place, atMs, ringMs) => {
      const diallingWindow = new DiallingWindow(window);
      const open = slowlyOpen(window, place, atMs, ringMs);
      opened += Number(open);
      expect(diallingWindow.isOpen(place, atMs, ringMs)).toBe(open);
      expect(diallingWindow.decide(place, atMs, ringMs).allowed).toBe(open);
    }),
    { numRuns: 1000 },
  );
  expect(opened).toBeGreaterThan(60);
});

test('to the millisecond at the start and the end', () => {
  const steady = fc.constantFrom(['UTC', 0], ['Asia/Kathmandu', 345], ['America/Phoenix', -420]);
  const shifts = fc.constantFrom(-30_001, -30_000, -29_999, -1_000, -1, 0, 1, 999);
  let edges = 0;
  fc.assert(
    fc.property(
      windows,
      steady,
      instant,
      fc.boolean(),
      shifts,
      (window, [zone, offsetMinutes], dayMs, atStart, shiftMs) => {
        const [hours = 0, minutes = 0] = (atStart ? window.start : window.end).split(':').map(Number);
        const minuteOfDay = hours * 60 + minutes - Number(offsetMinutes);
        const atMs = Math.floor(dayMs / DAY_MS) * DAY_MS + minuteOfDay * MINUTE_MS + shiftMs;
        const place = { zones: [String(zone)], region: null };
        const open = slowlyOpen(window, place, atMs, 30_000);
        edges += Number(open !== slowlyOpen(window, place, atMs + 1, 30_000));
        const diallingWindow = new DiallingWindow(window);
        expect(diallingWindow.isOpen(place, atMs, 30_000)).toBe(open);
        expect(diallingWindow.nextOpen(place, atMs, 30_000) === atMs).toBe(open);
      },
    ),
    { numRuns: 1000 },
  );
  expect(edges).toBeGreaterThan(25);
});

test('the next opening is the one that stepping through the minutes finds', () => {
  fc.assert(
    fc.property(windows, places, instant, rings, (window, place, fromMs, ringMs) => {
      const untilMs = fromMs + 2 * DAY_MS;
      const slow = slowlyNextOpen(window, place, fromMs, ringMs, untilMs);
      const found = new DiallingWindow(window).nextOpen(place, fromMs, ringMs);
      expect(found !== null && found <= untilMs ? found : null).toBe(slow);
    }),
    { numRuns: 80 },
  );
});

test('the next opening is open, and a millisecond before it is not, unless it is now', () => {
  fc.assert(
    fc.property(windows, places, instant, rings, (window, place, fromMs, ringMs) => {
      const diallingWindow = new DiallingWindow(window);
      const found = diallingWindow.nextOpen(place, fromMs, ringMs);
      if (found === null) return;
      expect(found).toBeGreaterThanOrEqual(fromMs);
      expect(diallingWindow.isOpen(place, found, ringMs)).toBe(true);
      if (found > fromMs) expect(diallingWindow.isOpen(place, found - 1, ringMs)).toBe(false);
      expect(diallingWindow.nextOpen(place, found, ringMs)).toBe(found);
    }),
    { numRuns: 1000 },
  );
});

test('nothing between an instant and its next opening is open', () => {
  fc.assert(
    fc.property(
      windows,
      places,
      instant,
      rings,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (window, place, fromMs, ringMs, share) => {
        const diallingWindow = new DiallingWindow(window);
        const found = diallingWindow.nextOpen(place, fromMs, ringMs) ?? fromMs + 30 * DAY_MS;
        const between = fromMs + Math.floor((found - fromMs) * share);
        if (between < found) expect(diallingWindow.isOpen(place, between, ringMs)).toBe(false);
      },
    ),
    { numRuns: 1000 },
  );
});

test('what is open with another zone, a longer ring and the legal hours is open without', () => {
  fc.assert(
    fc.property(windows, places, instant, rings, fc.constantFrom(...ZONES), (window, place, atMs, ringMs, zone) => {
      const strict = new DiallingWindow({ ...window, legal: 'default' });
      fc.pre(strict.isOpen({ ...place, zones: [...place.zones, zone] }, atMs, ringMs));
      expect(strict.isOpen(place, atMs, ringMs)).toBe(true);
      expect(strict.isOpen(place, atMs, 1)).toBe(true);
      expect(new DiallingWindow({ ...window, legal: 'off' }).isOpen(place, atMs, ringMs)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('in each minute of two days one part of the day is open where the window is, and none where it is not', () => {
  fc.assert(
    fc.property(windows, fc.constantFrom(...ZONES), instant, (window, zone, fromMs) => {
      const place = { zones: [zone], region: null };
      const whole = new DiallingWindow(window);
      const parts = whole.partsOfDay();
      for (let atMs = floorMinute(fromMs); atMs < fromMs + 2 * DAY_MS; atMs += MINUTE_MS) {
        const open = parts.filter((part) => part.isOpen(place, atMs, 1)).length;
        if (open !== Number(whole.isOpen(place, atMs, 1))) throw new Error(`${open} parts at ${atMs}`);
      }
    }),
    { numRuns: 40 },
  );
});
