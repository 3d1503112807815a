import { AREA_CODE_TABLE } from '../../../../store/campaigns/area-code-table';
import { timeOfDayMs } from '../../../../store/campaigns/campaign-hours';
import { legalHoursOf, legalSourceOf } from '../../../../store/campaigns/legal-hours';
import { STATE_RULES } from '../../../../store/campaigns/state-rule-table';
import { DAY_MS, MINUTE_MS, dayOfDate } from '../../../../store/campaigns/zone-clock';

const START_DAY = dayOfDate('2026-01-01')!;

test('no state opens what the federal rule closes, on any quarter of an hour of two years', () => {
  const federal = legalHoursOf(null);
  for (const { region } of STATE_RULES) {
    const hours = legalHoursOf(region);
    expect(hours.rule).toBe(region);
    let stricter = false;
    for (let day = START_DAY; day < START_DAY + 730; day += 1) {
      for (let timeMs = 0; timeMs < DAY_MS; timeMs += 15 * MINUTE_MS) {
        const closed = hours.refusal(day, timeMs) !== null;
        if (!closed && federal.refusal(day, timeMs) !== null) throw new Error(`${region} is open at ${timeMs}`);
        stricter ||= closed && federal.refusal(day, timeMs) === null;
      }
    }
    expect([region, stricter]).toEqual([region, true]);
  }
});

test('an answer changes only at an edge or at midnight', () => {
  for (const region of [null, ...STATE_RULES.map((rule) => rule.region)]) {
    const hours = legalHoursOf(region);
    for (let day = START_DAY; day < START_DAY + 14; day += 1) {
      for (let timeMs = MINUTE_MS; timeMs < DAY_MS; timeMs += MINUTE_MS) {
        if (hours.refusal(day, timeMs) === hours.refusal(day, timeMs - 1)) continue;
        expect(hours.edgesMs).toContain(timeMs);
      }
    }
  }
});

test('each row has hours that can be read, a source, a date, and a region that numbers have', () => {
  const regions = new Set(Object.keys(AREA_CODE_TABLE));
  for (const rule of STATE_RULES) {
    for (const hours of [rule.weekdays, rule.saturday, rule.sunday]) {
      if (hours !== null) expect(timeOfDayMs(hours[0])).toBeLessThan(timeOfDayMs(hours[1]));
    }
    expect(rule.source.length).toBeGreaterThan(10);
    expect(dayOfDate(rule.checked)).not.toBeNull();
    expect(rule.region === 'CA' || regions.has(rule.region)).toBe(true);
  }
  expect(new Set(STATE_RULES.map((rule) => rule.region)).size).toBe(STATE_RULES.length);
});

test('a province has the rule of its country, a state without a row the federal one', () => {
  expect(legalHoursOf('CA-ON').rule).toBe('CA');
  expect(legalHoursOf('US-CA').rule).toBe('US-CA');
  expect(legalHoursOf('US-NY').rule).toBe('federal');
  expect(legalHoursOf(null).rule).toBe('federal');
});

test('every rule names its source, the federal one too', () => {
  expect(legalSourceOf(legalHoursOf('US-NY')).source).toContain('47 CFR');
  for (const { region, source, certainty } of STATE_RULES) {
    expect(legalSourceOf(legalHoursOf(region))).toMatchObject({ source, certainty });
  }
});
