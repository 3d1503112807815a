/** How often a number may be called, by every campaign of the organisation together. */
import { DAY_MS, HOUR_MS } from './zone-clock';

export interface NumberCaps {
  readonly perNumberPerDay: number;
  readonly perNumberPerWeek: number;
}

export const DEFAULT_NUMBER_CAPS: NumberCaps = { perNumberPerDay: 3, perNumberPerWeek: 7 };

/**
 * Days and weeks roll: no span of this length, wherever it begins, has more attempts than the cap, which is what statutes
 * ask ("a 24-hour period", Fla. Stat. § 501.616(6)(b); "seven consecutive days", 12 CFR § 1006.14(b)(2)). An hour longer than
 * a day and a week, so that no day or week of any zone's calendar has more either, not even one whose clocks go back; and no
 * zone need be known to count.
 */
const CAP_DAY_MS = DAY_MS + HOUR_MS;
export const CAP_WEEK_MS = 7 * DAY_MS + HOUR_MS;

export type CapRefusal = 'cap_per_day' | 'cap_per_week';

export interface CapDecision {
  readonly allowed: boolean;
  readonly refusals: readonly CapRefusal[];
  /** When both caps allow another attempt if none is made before; null: never (a cap of 0). Epoch ms. */
  readonly allowedAtMs: number | null;
}

/** `attemptsAtMs`: when the number was dialled, in any order; those of the last `CAP_WEEK_MS` suffice. Later than now: counted. */
export function decideCaps(caps: NumberCaps, attemptsAtMs: readonly number[], nowMs: number): CapDecision {
  const newestFirst = attemptsAtMs.toSorted((a, b) => b - a);
  const dayFreeMs = freeAtMs(newestFirst, caps.perNumberPerDay, CAP_DAY_MS);
  const weekFreeMs = freeAtMs(newestFirst, caps.perNumberPerWeek, CAP_WEEK_MS);
  const refusals: CapRefusal[] = [];
  if (dayFreeMs > nowMs) refusals.push('cap_per_day');
  if (weekFreeMs > nowMs) refusals.push('cap_per_week');
  const allowedAtMs = Math.max(nowMs, dayFreeMs, weekFreeMs);
  return { allowed: refusals.length === 0, refusals, allowedAtMs: Number.isFinite(allowedAtMs) ? allowedAtMs : null };
}

/** When the attempt that fills the cap leaves the span. */
function freeAtMs(newestFirst: readonly number[], cap: number, spanMs: number): number {
  if (cap <= 0) return Infinity;
  const filling = newestFirst[cap - 1];
  return filling === undefined ? -Infinity : filling + spanMs;
}
