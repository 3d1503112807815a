/** Legal holidays of the United States and of single states, as rules from which each year's dates follow. */
import { DAY_MS, weekdayOf } from './zone-clock';

type HolidayRule = (year: number) => number;

const dayOf = (year: number, month: number, date: number): number => Date.UTC(year, month - 1, date) / DAY_MS;

const fixed =
  (month: number, date: number): HolidayRule =>
  (year) =>
    dayOf(year, month, date);

/** The `n`th such weekday (0: Monday) of the month. */
const nth =
  (n: number, weekday: number, month: number): HolidayRule =>
  (year) => {
    const first = dayOf(year, month, 1);
    return first + ((weekday - weekdayOf(first) + 7) % 7) + (n - 1) * 7;
  };

const last =
  (weekday: number, month: number): HolidayRule =>
  (year) => {
    const end = dayOf(year, month + 1, 0);
    return end - ((weekdayOf(end) - weekday + 7) % 7);
  };

/** Gregorian Easter Sunday (Meeus, Astronomical Algorithms, chapter 8), and days from it. */
const easter =
  (days: number): HolidayRule =>
  (year) => {
    const a = year % 19;
    const b = Math.floor(year / 100);
    const c = year % 100;
    const f = Math.floor((b + 8) / 25);
    const g = Math.floor((b - f + 1) / 3);
    const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
    const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
    const m = Math.floor((a + 11 * h + 22 * l) / 451);
    const sum = h + l - 7 * m + 114;
    return dayOf(year, Math.floor(sum / 31), (sum % 31) + 1) + days;
  };

const RULES = {
  new_year: fixed(1, 1),
  battle_of_new_orleans: fixed(1, 8),
  robert_e_lee: fixed(1, 19),
  martin_luther_king: nth(3, 0, 1),
  presidents_day: nth(3, 0, 2),
  mardi_gras: easter(-47),
  good_friday: easter(-2),
  confederate_memorial_day: nth(4, 0, 4),
  memorial_day: last(0, 5),
  jefferson_davis: nth(1, 0, 6),
  flag_day: fixed(6, 14),
  juneteenth: fixed(6, 19),
  independence_day: fixed(7, 4),
  pioneer_day: fixed(7, 24),
  victory_day: nth(2, 0, 8),
  labor_day: nth(1, 0, 9),
  columbus_day: nth(2, 0, 10),
  /** The Tuesday after the first Monday. */
  election_day: (year) => nth(1, 0, 11)(year) + 1,
  veterans_day: fixed(11, 11),
  thanksgiving: nth(4, 3, 11),
  christmas: fixed(12, 25),
} satisfies Record<string, HolidayRule>;

export type LegalHoliday = keyof typeof RULES;

/** 5 U.S.C. § 6103(a). */
export const FEDERAL_HOLIDAYS: readonly LegalHoliday[] = [
  'new_year',
  'martin_luther_king',
  'presidents_day',
  'memorial_day',
  'juneteenth',
  'independence_day',
  'labor_day',
  'columbus_day',
  'veterans_day',
  'thanksgiving',
  'christmas',
];

/**
 * The days (since 1970-01-01) of a year on which one of these is kept. A holiday on a Sunday is kept on Monday too, one on a
 * Saturday on Friday too: states differ in which of both it is, so both are closed.
 */
export function legalHolidayDays(holidays: readonly LegalHoliday[], year: number): ReadonlySet<number> {
  const days = new Set<number>();
  // The Friday before a Saturday's New Year lies in the year before.
  for (const inYear of [year, year + 1]) {
    for (const holiday of holidays) {
      const day = RULES[holiday](inYear);
      days.add(day);
      if (weekdayOf(day) === 6) days.add(day + 1);
      if (weekdayOf(day) === 5) days.add(day - 1);
    }
  }
  return days;
}
