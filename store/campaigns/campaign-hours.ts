/** The days and hours in which a campaign calls, as the contact's clock shows them. */
import { DAY_MS, HOUR_MS, MINUTE_MS, dayOfDate, weekdayOf } from './zone-clock';

export const WEEK_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type WeekDay = (typeof WEEK_DAYS)[number];

export interface CampaignWindow {
  /** The days on which a window starts; none: never open. */
  readonly days: readonly WeekDay[];
  /** `00:00` … `23:59`, as the contact's clock shows it; from then on it is open. */
  readonly start: string;
  /** `00:00` … `24:00`; from then on it is closed. Earlier than `start`: on the next day. */
  readonly end: string;
  /** `YYYY-MM-DD`, the contact's local date: no window starts on these days. */
  readonly holidays: readonly string[];
  /** The zone of contacts that have none, where their number may be anywhere in its country; null: not called. */
  readonly defaultTimeZone: string | null;
  /** `off`: without the legal hours; only an operator's key may say so. */
  readonly legal: 'default' | 'off';
}

export type CampaignRefusal = 'campaign_day' | 'campaign_holiday' | 'campaign_hours';

/** How many parts "another time of day" knows. */
export const PARTS_OF_DAY = 3;

/**
 * A window belongs to the day on which it starts: one from Friday 20:00 to 02:00 is open on Saturday at 01:00 when `fri` is
 * among the days and Friday is no holiday, whatever Saturday is.
 */
export class CampaignHours {
  /** Times of day (ms) at which an answer may change, without 0. */
  readonly edgesMs: readonly number[];
  readonly #weekdays: readonly boolean[];
  readonly #holidays: ReadonlySet<number>;
  readonly #startMs: number;
  /** Above a day where it is on the next one. */
  readonly #endMs: number;

  private constructor(weekdays: readonly boolean[], holidays: ReadonlySet<number>, startMs: number, endMs: number) {
    this.#weekdays = weekdays;
    this.#holidays = holidays;
    this.#startMs = startMs;
    this.#endMs = endMs;
    this.edgesMs = [startMs % DAY_MS, endMs % DAY_MS].filter((edge) => edge > 0);
  }

  /** Throws RangeError for what cannot be read: times, dates, and a start that is also the end. */
  static read(window: CampaignWindow): CampaignHours {
    const startMs = timeOfDayMs(window.start);
    const endMs = timeOfDayMs(window.end);
    if (startMs === DAY_MS || startMs === endMs) throw new RangeError('a window has a start, and an end that differs');
    const holidays = window.holidays.map((date) => {
      const day = dayOfDate(date);
      if (day === null) throw new RangeError('holidays are dates: YYYY-MM-DD');
      return day;
    });
    const weekdays = WEEK_DAYS.map((day) => window.days.includes(day));
    return new CampaignHours(weekdays, new Set(holidays), startMs, endMs < startMs ? endMs + DAY_MS : endMs);
  }

  /** Null: open when the clock shows this. */
  refusal(day: number, timeMs: number): CampaignRefusal | null {
    if (this.#within(timeMs)) return this.#dayRefusal(day);
    if (this.#within(timeMs + DAY_MS)) return this.#dayRefusal(day - 1);
    return this.#dayRefusal(day) ?? 'campaign_hours';
  }

  /** The same days with a third (`part` of `PARTS_OF_DAY`) of the hours, of those between the two times where there are any. */
  part(part: number, fromMs = 0, toMs = DAY_MS): CampaignHours {
    const clipped = [Math.max(this.#startMs, fromMs), Math.min(this.#endMs, toMs)] as const;
    // What crosses midnight may have hours at both ends of the legal day: it is divided as it is.
    const crosses = this.#endMs > DAY_MS || clipped[0] >= clipped[1];
    const [startMs, endMs] = crosses ? [this.#startMs, this.#endMs] : clipped;
    const at = (n: number): number =>
      startMs + Math.round(((endMs - startMs) * n) / PARTS_OF_DAY / MINUTE_MS) * MINUTE_MS;
    return new CampaignHours(this.#weekdays, this.#holidays, at(part), at(part + 1));
  }

  #within(timeMs: number): boolean {
    return timeMs >= this.#startMs && timeMs < this.#endMs;
  }

  #dayRefusal(day: number): CampaignRefusal | null {
    if (this.#weekdays[weekdayOf(day)] !== true) return 'campaign_day';
    return this.#holidays.has(day) ? 'campaign_holiday' : null;
  }
}

/** Ms since 00:00 of `HH:MM`, to `24:00`; throws RangeError. */
export function timeOfDayMs(text: string): number {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  const ms = Number(match?.[1]) * HOUR_MS + Number(match?.[2]) * MINUTE_MS;
  if (match === null || Number(match[2]) > 59 || ms > DAY_MS) throw new RangeError('times of day are HH:MM');
  return ms;
}
