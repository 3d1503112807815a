import { CampaignHours, WEEK_DAYS } from '../../../../store/campaigns/campaign-hours';
import type { CampaignWindow } from '../../../../store/campaigns/campaign-hours';
import { DiallingWindow } from '../../../../store/campaigns/dialling-window';
import type { NumberPlace } from '../../../../store/campaigns/dialling-window';

const RING_MS = 30_000;

const window = (change: Partial<CampaignWindow> = {}): CampaignWindow => ({
  days: [...WEEK_DAYS],
  start: '09:00',
  end: '18:00',
  holidays: [],
  defaultTimeZone: null,
  legal: 'default',
  ...change,
});

const at = (...zones: string[]): NumberPlace => ({ zones, region: null });

const isOpen = (change: Partial<CampaignWindow>, place: NumberPlace, instant: string, ringMs = RING_MS): boolean =>
  new DiallingWindow(window(change)).isOpen(place, Date.parse(instant), ringMs);

const nextOpen = (
  change: Partial<CampaignWindow>,
  place: NumberPlace,
  instant: string,
  ringMs = RING_MS,
): string | null => {
  const found = new DiallingWindow(window(change)).nextOpen(place, Date.parse(instant), ringMs);
  return found === null ? null : new Date(found).toISOString();
};

const refusals = (change: Partial<CampaignWindow>, place: NumberPlace, instant: string): readonly string[] =>
  new DiallingWindow(window(change)).decide(place, Date.parse(instant), RING_MS).refusals;

describe('the edges', () => {
  test.each([
    ['2026-11-30T13:59:59.999Z', false],
    ['2026-11-30T14:00:00.000Z', true],
    ['2026-11-30T22:59:30.000Z', true],
    ['2026-11-30T22:59:30.001Z', false],
    ['2026-11-30T23:00:00.000Z', false],
  ])('9 to 18 in New York, ringing for 30 s, at %s: %s', (instant, open) => {
    expect(isOpen({}, at('America/New_York'), instant)).toBe(open);
  });

  test('a call that would ring past the end says so', () => {
    expect(refusals({}, at('America/New_York'), '2026-11-30T22:59:45Z')).toEqual(['ring_past_window']);
  });

  test('a ring longer than the window never fits', () => {
    expect(nextOpen({ start: '09:00', end: '09:01' }, at('UTC'), '2026-11-30T00:00:00Z', 61_000)).toBeNull();
    expect(nextOpen({ start: '09:00', end: '09:01' }, at('UTC'), '2026-11-30T00:00:00Z', 60_000)).toBe(
      '2026-11-30T09:00:00.000Z',
    );
  });

  test.each<readonly [string, string, Partial<CampaignWindow>, number, boolean]>([
    ['21:00', '23:00', {}, 1, false],
    ['21:00', '23:00', { legal: 'off' }, 1, true],
    ['22:00', '08:00', {}, 1, false],
    ['22:00', '08:01', {}, 60_000, true],
    ['22:00', '08:01', {}, 60_001, false],
    ['09:00', '09:01', {}, 60_001, false],
    ['09:00', '18:00', { days: ['sun'] }, RING_MS, true],
    ['09:00', '18:00', { days: ['fri'], holidays: ['1970-01-02', '1970-01-09'] }, RING_MS, true],
  ])('%s to %s %j, ringing for %d ms, opens some day: %s', (start, end, change, ringMs, opens) => {
    expect(new DiallingWindow(window({ ...change, start, end })).everOpens(ringMs)).toBe(opens);
  });

  test('a window of the whole day needs no gap at midnight', () => {
    const always = { start: '00:00', end: '24:00', legal: 'off' } as const;
    expect(isOpen(always, at('Europe/Berlin'), '2026-11-30T22:59:59.999Z', 120_000)).toBe(true);
  });
});

describe('every zone must be open', () => {
  // Idaho's 208: 9 to 18 in Boise and Los Angeles is 10 to 18 in Boise.
  const both = at('America/Boise', 'America/Los_Angeles');
  test.each([
    ['2026-11-30T16:30:00Z', false],
    ['2026-11-30T17:00:00Z', true],
    ['2026-12-01T00:59:00Z', true],
    ['2026-12-01T01:00:00Z', false],
  ])('at %s: %s', (instant, open) => {
    expect(isOpen({}, both, instant)).toBe(open);
  });

  test('the order of the zones does not count', () => {
    const there = nextOpen({}, both, '2026-11-30T02:00:00Z');
    expect(there).toBe('2026-11-30T17:00:00.000Z');
    expect(nextOpen({}, at('America/Los_Angeles', 'America/Boise'), '2026-11-30T02:00:00Z')).toBe(there);
  });

  test('zones on both sides of the date line that never agree are never open', () => {
    expect(
      nextOpen({ days: ['mon'] }, at('Pacific/Kiritimati', 'Pacific/Pago_Pago'), '2026-11-01T00:00:00Z'),
    ).toBeNull();
  });

  test('no zone, or one that nobody knows, is never open', () => {
    for (const place of [at(), at('Mars/Olympus'), at('UTC', 'Mars/Olympus')]) {
      expect(isOpen({}, place, '2026-11-30T12:00:00Z')).toBe(false);
      expect(nextOpen({}, place, '2026-11-30T12:00:00Z')).toBeNull();
      expect(refusals({}, place, '2026-11-30T12:00:00Z')).toEqual(['zone_unknown']);
    }
  });
});

describe('clocks that go forward and back', () => {
  const night = { start: '02:30', end: '03:30', legal: 'off' } as const;

  test('a start that is skipped opens when the clocks have jumped past it', () => {
    // New York, 2026-03-08: after 01:59:59 comes 03:00:00.
    expect(nextOpen(night, at('America/New_York'), '2026-03-08T05:00:00Z')).toBe('2026-03-08T07:00:00.000Z');
    expect(isOpen(night, at('America/New_York'), '2026-03-08T06:59:59.999Z')).toBe(false);
  });

  test('an end that is skipped closes when the clocks jump past it', () => {
    const early = { start: '01:30', end: '02:30', legal: 'off' } as const;
    expect(isOpen(early, at('America/New_York'), '2026-03-08T06:59:30Z')).toBe(true);
    expect(isOpen(early, at('America/New_York'), '2026-03-08T06:59:30.001Z')).toBe(false);
    expect(isOpen(early, at('America/New_York'), '2026-03-08T07:00:00Z')).toBe(false);
  });

  test('a window that is skipped whole does not open that day', () => {
    const skipped = { start: '02:10', end: '02:50', legal: 'off' } as const;
    expect(nextOpen(skipped, at('America/New_York'), '2026-03-08T05:00:00Z')).toBe('2026-03-09T06:10:00.000Z');
  });

  test('a time that comes twice is open twice, and closed between', () => {
    // New York, 2026-11-01: 01:00–02:00 in EDT (05:00Z) and again in EST (06:00Z).
    const twice = { start: '01:15', end: '01:45', legal: 'off' } as const;
    const place = at('America/New_York');
    expect(nextOpen(twice, place, '2026-11-01T04:00:00Z')).toBe('2026-11-01T05:15:00.000Z');
    expect(nextOpen(twice, place, '2026-11-01T05:45:00Z')).toBe('2026-11-01T06:15:00.000Z');
    expect(nextOpen(twice, place, '2026-11-01T06:45:00Z')).toBe('2026-11-02T06:15:00.000Z');
    expect(isOpen(twice, place, '2026-11-01T05:44:45Z')).toBe(false);
  });

  test('days of 23 and 25 hours: the same hours by the clock, an hour earlier and later by UTC', () => {
    const place = at('Europe/Berlin');
    expect(nextOpen({}, place, '2026-03-28T20:00:00Z')).toBe('2026-03-29T07:00:00.000Z');
    expect(nextOpen({}, place, '2026-03-27T20:00:00Z')).toBe('2026-03-28T08:00:00.000Z');
    expect(nextOpen({}, place, '2026-10-24T20:00:00Z')).toBe('2026-10-25T08:00:00.000Z');
    expect(nextOpen({}, place, '2026-10-23T20:00:00Z')).toBe('2026-10-24T07:00:00.000Z');
  });

  test('a window over the hour that comes twice is an hour longer', () => {
    const over = { start: '00:00', end: '04:00', legal: 'off' } as const;
    expect(isOpen(over, at('America/New_York'), '2026-11-01T08:59:00Z')).toBe(true);
    expect(isOpen(over, at('America/New_York'), '2026-11-01T09:00:00Z')).toBe(false);
  });

  test('half an hour on Lord Howe: 01:30–02:00 comes twice, 02:00–02:30 is skipped', () => {
    const place = at('Australia/Lord_Howe');
    const half = { start: '01:30', end: '02:00', legal: 'off' } as const;
    expect(isOpen(half, place, '2026-04-04T14:45:00Z')).toBe(true);
    expect(isOpen(half, place, '2026-04-04T15:15:00Z')).toBe(true);
    expect(isOpen(half, place, '2026-04-04T15:30:00Z')).toBe(false);
    expect(nextOpen({ start: '02:10', end: '03:00', legal: 'off' }, place, '2026-10-03T14:00:00Z')).toBe(
      '2026-10-03T15:30:00.000Z',
    );
  });

  test('Chatham is 45 minutes from a whole hour, in both seasons', () => {
    const place = at('Pacific/Chatham');
    expect(nextOpen({}, place, '2026-04-04T12:00:00Z')).toBe('2026-04-04T20:15:00.000Z');
    expect(nextOpen({}, place, '2026-04-03T12:00:00Z')).toBe('2026-04-03T19:15:00.000Z');
  });

  test('clocks that jump at midnight: Cairo skips 00:00–01:00 of a Friday', () => {
    const early = { start: '00:00', end: '02:00', days: ['fri'], legal: 'off' } as const;
    expect(nextOpen(early, at('Africa/Cairo'), '2026-04-23T12:00:00Z')).toBe('2026-04-23T22:00:00.000Z');
    expect(isOpen(early, at('Africa/Cairo'), '2026-04-23T23:00:00Z')).toBe(false);
  });

  test('clocks that go back over midnight: the last hour of the day before comes twice', () => {
    // Cairo, 2026-10-30 00:00 is 2026-10-29 23:00 again.
    const late = { start: '23:00', end: '24:00', days: ['thu'], legal: 'off' } as const;
    expect(isOpen(late, at('Africa/Cairo'), '2026-10-29T20:30:00Z')).toBe(true);
    expect(isOpen(late, at('Africa/Cairo'), '2026-10-29T21:30:00Z')).toBe(true);
    expect(isOpen(late, at('Africa/Cairo'), '2026-10-29T22:00:00Z')).toBe(false);
  });

  test('a zone that leaves out a day: Apia had no 2011-12-30', () => {
    const place = at('Pacific/Apia');
    expect(nextOpen({ days: ['fri'] }, place, '2011-12-29T20:00:00Z')).toBe('2012-01-05T19:00:00.000Z');
    expect(nextOpen({}, place, '2011-12-30T08:00:00Z')).toBe('2011-12-30T19:00:00.000Z');
  });

  test('a zone that changes its offset for Ramadan while a campaign runs', () => {
    const place = at('Africa/Casablanca');
    expect(nextOpen({}, place, '2026-02-14T20:00:00Z')).toBe('2026-02-15T09:00:00.000Z');
    expect(nextOpen({}, place, '2026-02-13T20:00:00Z')).toBe('2026-02-14T08:00:00.000Z');
  });
});

describe('half-hour and quarter-hour zones', () => {
  test.each([
    ['Asia/Kathmandu', '2026-11-30T03:15:00.000Z'],
    ['Asia/Kolkata', '2026-11-30T03:30:00.000Z'],
    ['America/St_Johns', '2026-11-30T12:30:00.000Z'],
    ['Australia/Eucla', '2026-11-30T00:15:00.000Z'],
  ])('9:00 in %s is %s', (zone, instant) => {
    expect(nextOpen({}, at(zone), '2026-11-30T00:00:00Z')).toBe(instant);
  });
});

describe('windows over midnight', () => {
  const friday = { days: ['fri'], start: '20:00', end: '02:00', legal: 'off' } as const;

  test.each([
    // Early on Friday the clock shows a time of Thursday's window, and Thursday has none.
    ['2026-11-27T00:30:00Z', ['campaign_day']],
    ['2026-11-27T19:59:00Z', ['campaign_hours']],
    ['2026-11-27T20:00:00Z', []],
    ['2026-11-28T01:59:00Z', []],
    ['2026-11-28T01:59:45Z', ['ring_past_window']],
    ['2026-11-28T02:00:00Z', ['campaign_day']],
    ['2026-11-28T20:30:00Z', ['campaign_day']],
  ])('Friday 20:00–02:00 at %s: %j', (instant, expected) => {
    expect(refusals(friday, at('UTC'), instant)).toEqual(expected);
  });

  test('a holiday closes the window that starts on it, not the end of the one before', () => {
    const holiday = { ...friday, days: [...WEEK_DAYS], holidays: ['2026-12-25'] };
    expect(refusals(holiday, at('UTC'), '2026-12-25T01:00:00Z')).toEqual([]);
    expect(refusals(holiday, at('UTC'), '2026-12-25T21:00:00Z')).toEqual(['campaign_holiday']);
    expect(refusals(holiday, at('UTC'), '2026-12-26T01:00:00Z')).toEqual(['campaign_holiday']);
    expect(refusals(holiday, at('UTC'), '2026-12-26T21:00:00Z')).toEqual([]);
  });

  test('the ring may lie over midnight', () => {
    expect(isOpen(friday, at('UTC'), '2026-11-27T23:59:59Z')).toBe(true);
  });

  test('an end at 00:00 is the end of the day', () => {
    expect(isOpen({ start: '20:00', end: '00:00', legal: 'off' }, at('UTC'), '2026-11-27T23:59:29Z')).toBe(true);
    expect(isOpen({ start: '20:00', end: '00:00', legal: 'off' }, at('UTC'), '2026-11-28T00:00:00Z')).toBe(false);
  });

  test('the legal hours stay those of the day that the clock shows', () => {
    const late = { start: '20:00', end: '09:00' };
    expect(nextOpen(late, at('UTC'), '2026-11-27T20:59:45Z')).toBe('2026-11-28T08:00:00.000Z');
    expect(nextOpen(late, at('UTC'), '2026-11-28T08:59:45Z')).toBe('2026-11-28T20:00:00.000Z');
  });
});

describe('days and holidays', () => {
  test('holidays are dates of the contact, not of the server', () => {
    const holiday = { holidays: ['2026-12-25'], start: '08:00', end: '21:00' };
    // 2026-12-24 23:30Z is Christmas in Auckland, and not yet in New York.
    expect(refusals(holiday, at('Pacific/Auckland'), '2026-12-24T23:30:00Z')).toEqual(['campaign_holiday']);
    expect(refusals(holiday, at('America/New_York'), '2026-12-24T23:30:00Z')).toEqual([]);
    expect(refusals(holiday, at('America/New_York'), '2026-12-25T15:00:00Z')).toEqual(['campaign_holiday']);
  });

  test('leap days are days', () => {
    expect(refusals({ holidays: ['2028-02-29'] }, at('UTC'), '2028-02-29T12:00:00Z')).toEqual(['campaign_holiday']);
    expect(refusals({ days: ['tue'] }, at('UTC'), '2028-02-29T12:00:00Z')).toEqual([]);
    expect(nextOpen({ days: ['tue'] }, at('UTC'), '2028-02-28T12:00:00Z')).toBe('2028-02-29T09:00:00.000Z');
    expect(nextOpen({ days: ['wed'] }, at('UTC'), '2028-02-28T12:00:00Z')).toBe('2028-03-01T09:00:00.000Z');
  });

  test('weekends are jumped over', () => {
    const week = { days: ['mon', 'tue', 'wed', 'thu', 'fri'] } as const;
    expect(nextOpen(week, at('Europe/Berlin'), '2026-11-27T18:00:00Z')).toBe('2026-11-30T08:00:00.000Z');
  });

  test('no days, or a month of holidays, never opens within 30 days', () => {
    expect(nextOpen({ days: [] }, at('UTC'), '2026-11-30T00:00:00Z')).toBeNull();
    const december = Array.from({ length: 31 }, (_, n) => `2026-12-${String(n + 1).padStart(2, '0')}`);
    expect(nextOpen({ holidays: december }, at('UTC'), '2026-12-01T00:00:00Z')).toBeNull();
    expect(nextOpen({ holidays: december }, at('UTC'), '2026-12-05T00:00:00Z')).toBe('2027-01-01T09:00:00.000Z');
  });
});

describe('the legal hours', () => {
  const wide = { start: '00:00', end: '24:00' };

  test('8 to 21 at the contact, in every country', () => {
    expect(nextOpen(wide, at('Asia/Tokyo'), '2026-11-30T12:00:00Z')).toBe('2026-11-30T23:00:00.000Z');
    expect(refusals(wide, at('Asia/Tokyo'), '2026-11-30T12:00:00Z')).toEqual(['legal_hours']);
  });

  test('off: the campaign alone, and the evidence says so', () => {
    const decision = new DiallingWindow(window({ ...wide, legal: 'off' })).decide(
      { zones: ['America/New_York'], region: 'US-FL' },
      Date.parse('2026-11-30T05:00:00Z'),
      RING_MS,
    );
    expect(decision).toEqual({
      allowed: true,
      refusals: [],
      zones: [{ zone: 'America/New_York', localTime: '2026-11-30T00:00:00-05:00', legalRule: 'off', refusals: [] }],
    });
  });

  test('both reasons are told, by zone', () => {
    const decision = new DiallingWindow(window({ days: ['sun'] })).decide(
      { zones: ['America/Chicago', 'America/New_York'], region: 'US-FL' },
      Date.parse('2026-12-01T01:30:00Z'),
      RING_MS,
    );
    expect(decision).toEqual({
      allowed: false,
      refusals: ['campaign_day', 'legal_hours'],
      zones: [
        {
          zone: 'America/Chicago',
          localTime: '2026-11-30T19:30:00-06:00',
          legalRule: 'US-FL',
          refusals: ['campaign_day'],
        },
        {
          zone: 'America/New_York',
          localTime: '2026-11-30T20:30:00-05:00',
          legalRule: 'US-FL',
          refusals: ['campaign_day', 'legal_hours'],
        },
      ],
    });
  });

  test.each([
    ['US-FL', '2026-11-30T20:00:00Z', ['legal_hours']],
    ['US-FL', '2026-11-30T19:59:00Z', []],
    ['US-NY', '2026-11-30T20:59:00Z', []],
    ['US-CT', '2026-11-30T08:59:00Z', ['legal_hours']],
    ['US-KY', '2026-11-30T09:59:00Z', ['legal_hours']],
    ['US-RI', '2026-11-28T17:00:00Z', ['legal_hours']],
    ['US-RI', '2026-11-28T16:59:00Z', []],
    ['US-RI', '2026-11-29T12:00:00Z', ['legal_day']],
    ['US-TX', '2026-11-29T11:59:00Z', ['legal_hours']],
    ['US-TX', '2026-11-29T12:00:00Z', []],
    ['US-NE', '2026-11-29T12:59:00Z', ['legal_hours']],
    ['US-NE', '2026-11-29T13:00:00Z', []],
    ['US-UT', '2026-07-24T12:00:00Z', ['legal_holiday']],
    ['US-PA', '2026-11-03T12:00:00Z', ['legal_holiday']],
    ['US-PA', '2026-11-04T12:00:00Z', []],
    ['CA-ON', '2026-11-28T18:00:00Z', ['legal_hours']],
    ['CA-QC', '2026-11-30T20:59:00Z', []],
    ['CA-QC', '2026-11-30T21:00:00Z', ['legal_hours']],
  ])('%s at %s by its clock: %j', (region, instant, expected) => {
    // A zone without an offset: what the clock shows is what is written.
    expect(refusals(wide, { zones: ['UTC'], region }, instant)).toEqual(expected);
  });

  test('nextOpen goes over Sundays and holidays of the state', () => {
    // Saturday evening, then Sunday, then Monday 2026-12-28; Christmas before it was a Friday.
    expect(nextOpen({}, { zones: ['UTC'], region: 'US-LA' }, '2026-12-24T19:00:00Z')).toBe('2026-12-26T09:00:00.000Z');
    expect(nextOpen({}, { zones: ['UTC'], region: 'US-LA' }, '2026-12-26T19:00:00Z')).toBe('2026-12-28T09:00:00.000Z');
  });
});

test.each([
  { start: '9:00' },
  { start: '24:00' },
  { end: '24:01' },
  { end: '12:60' },
  { start: '10:00', end: '10:00' },
  { holidays: ['2026-02-29'] },
  { start: '' },
])('%j cannot be read', (change) => {
  expect(() => CampaignHours.read(window(change))).toThrow(RangeError);
});
