/** The hours in which the law lets a number be called, as its clock shows them. */
import { timeOfDayMs } from './campaign-hours';
import { legalHolidayDays } from './legal-holidays';
import { STATE_RULES } from './state-rule-table';
import type { PermittedHours, StateRule } from './state-rule-table';
import { DAY_MS, HOUR_MS, weekdayOf } from './zone-clock';

export type LegalRefusal = 'legal_day' | 'legal_holiday' | 'legal_hours';

/** Kept in every country. */
const FEDERAL_SOURCE: LegalSource = {
  source: '47 CFR § 64.1200(c)(1); 16 CFR § 310.4(c)',
  certainty: 'statute',
  checked: '2026-11-29',
};
export const LEGAL_DAY_START_MS = 8 * HOUR_MS;
export const LEGAL_DAY_END_MS = 21 * HOUR_MS;

type Span = readonly [startMs: number, endMs: number] | null;

const FEDERAL_SPAN: Span = [LEGAL_DAY_START_MS, LEGAL_DAY_END_MS];

export class LegalHours {
  /** `federal`, or the region of the state's rule. */
  readonly rule: string;
  /** Times of day (ms) at which an answer may change, without 0. */
  readonly edgesMs: readonly number[];
  /** From Monday to Sunday. */
  readonly #spans: readonly Span[];
  readonly #holidays: StateRule['holidays'];
  readonly #holidaysOfYear = new Map<number, ReadonlySet<number>>();

  constructor(rule: StateRule | null) {
    this.rule = rule?.region ?? 'federal';
    const weekday = rule === null ? FEDERAL_SPAN : withinFederal(rule.weekdays);
    const sunday = rule === null ? FEDERAL_SPAN : withinFederal(rule.sunday);
    const saturday = rule === null ? FEDERAL_SPAN : withinFederal(rule.saturday);
    this.#spans = [weekday, weekday, weekday, weekday, weekday, saturday, sunday];
    this.#holidays = rule?.holidays ?? [];
    this.edgesMs = this.#spans.flatMap((span) => span ?? []);
  }

  /** Null: open when the clock shows this. */
  refusal(day: number, timeMs: number): LegalRefusal | null {
    const span = this.#spans[weekdayOf(day)] ?? null;
    if (span === null) return 'legal_day';
    if (this.#holidays.length > 0 && this.#isHoliday(day)) return 'legal_holiday';
    return timeMs >= span[0] && timeMs < span[1] ? null : 'legal_hours';
  }

  #isHoliday(day: number): boolean {
    const year = new Date(day * DAY_MS).getUTCFullYear();
    let days = this.#holidaysOfYear.get(year);
    if (days === undefined) {
      days = legalHolidayDays(this.#holidays, year);
      this.#holidaysOfYear.set(year, days);
    }
    return days.has(day);
  }
}

function withinFederal(hours: PermittedHours): Span {
  if (hours === null) return null;
  const [start, end] = hours.map(timeOfDayMs) as [number, number];
  return [Math.max(start, LEGAL_DAY_START_MS), Math.min(end, LEGAL_DAY_END_MS)];
}

const FEDERAL = new LegalHours(null);
const BY_REGION: ReadonlyMap<string, LegalHours> = new Map(
  STATE_RULES.map((rule) => [rule.region, new LegalHours(rule)]),
);

/** Of a region (`US-FL`, `CA-ON`), else of its country, else the federal ones. */
export function legalHoursOf(region: string | null): LegalHours {
  if (region === null) return FEDERAL;
  return BY_REGION.get(region) ?? BY_REGION.get(region.split('-', 1)[0] ?? '') ?? FEDERAL;
}

/** Where it says so. */
export type LegalSource = Pick<StateRule, 'source' | 'certainty' | 'checked'>;

export function legalSourceOf({ rule }: Pick<LegalHours, 'rule'>): LegalSource {
  return STATE_RULES.find(({ region }) => region === rule) ?? FEDERAL_SOURCE;
}
