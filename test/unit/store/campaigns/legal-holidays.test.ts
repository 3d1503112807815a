import { FEDERAL_HOLIDAYS, legalHolidayDays } from '../../../../store/campaigns/legal-holidays';
import type { LegalHoliday } from '../../../../store/campaigns/legal-holidays';
import { DAY_MS } from '../../../../store/campaigns/zone-clock';

const dates = (holidays: readonly LegalHoliday[], year: number): string[] =>
  [...legalHolidayDays(holidays, year)]
    .map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10))
    .filter((date) => date.startsWith(String(year)))
    .toSorted();

// As the Office of Personnel Management publishes them, with both the day and the day on which it is kept.
test('the federal holidays of 2026', () => {
  expect(dates(FEDERAL_HOLIDAYS, 2026)).toEqual([
    '2026-01-01',
    '2026-01-19',
    '2026-02-16',
    '2026-05-25',
    '2026-06-19',
    '2026-07-03',
    '2026-07-04',
    '2026-09-07',
    '2026-10-12',
    '2026-11-11',
    '2026-11-26',
    '2026-12-25',
  ]);
});

test('a holiday on a Sunday is kept on Monday too, a New Year on a Saturday in the year before', () => {
  expect(dates(['juneteenth', 'independence_day'], 2027)).toEqual([
    '2027-06-18',
    '2027-06-19',
    '2027-07-04',
    '2027-07-05',
  ]);
  expect(dates(['new_year'], 2027)).toEqual(['2027-01-01', '2027-12-31']);
  expect(dates(['new_year'], 2028)).toEqual(['2028-01-01']);
});

test.each<[LegalHoliday, string[]]>([
  ['good_friday', ['2024-03-29', '2025-04-18', '2026-04-03', '2027-03-26', '2028-04-14', '2038-04-23']],
  ['mardi_gras', ['2024-02-13', '2025-03-04', '2026-02-17', '2027-02-09', '2028-02-29', '2038-03-09']],
  ['election_day', ['2024-11-05', '2025-11-04', '2026-11-03', '2027-11-02', '2028-11-07', '2038-11-02']],
  ['victory_day', ['2024-08-12', '2025-08-11', '2026-08-10', '2027-08-09', '2028-08-14', '2038-08-09']],
  ['confederate_memorial_day', ['2024-04-22', '2025-04-28', '2026-04-27', '2027-04-26', '2028-04-24', '2038-04-26']],
  ['memorial_day', ['2024-05-27', '2025-05-26', '2026-05-25', '2027-05-31', '2028-05-29', '2038-05-31']],
  ['thanksgiving', ['2024-11-28', '2025-11-27', '2026-11-26', '2027-11-25', '2028-11-23', '2038-11-25']],
])('%s falls on %j', (holiday, expected) => {
  expect(expected.flatMap((date) => dates([holiday], Number(date.slice(0, 4))))).toEqual(expected);
});
