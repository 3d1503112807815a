/**
 * What the clocks of a time zone show at an instant, by the runtime's own time-zone database (Intl), exact to the
 * millisecond and cached per zone and UTC day: a change of offset costs one bisection, every other question a look-up.
 */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Days since 1970-01-01 of the local calendar, and ms since the clock last showed 00:00. */
export interface ClockReading {
  readonly day: number;
  readonly timeMs: number;
  /** Local time minus UTC. */
  readonly offsetMs: number;
  /** The offset stays at least until then; epoch ms, later than the instant asked for. */
  readonly steadyUntilMs: number;
}

/** Days of offsets that a zone keeps: a year and a half. */
const KEPT_DAYS = 550;

/**
 * The offsets of one zone. Within a UTC day they change at most once: no zone has changed twice in a day since 1970, and
 * a day whose both ends have the same offset is taken to have it throughout.
 */
class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;
  readonly #atStartOfDay = new Map<number, number>();
  readonly #changeInDay = new Map<number, number>();

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  read(atMs: number): ClockReading {
    const utcDay = Math.floor(atMs / DAY_MS);
    const before = this.#startOfDay(utcDay);
    const after = this.#startOfDay(utcDay + 1);
    const endOfDayMs = (utcDay + 1) * DAY_MS;
    if (before === after) return reading(atMs, before, endOfDayMs);
    const changeMs = this.#change(utcDay, before);
    return atMs < changeMs ? reading(atMs, before, changeMs) : reading(atMs, after, endOfDayMs);
  }

  #startOfDay(utcDay: number): number {
    const known = this.#atStartOfDay.get(utcDay);
    if (known !== undefined) return known;
    if (this.#atStartOfDay.size >= KEPT_DAYS) {
      this.#atStartOfDay.clear();
      this.#changeInDay.clear();
    }
    const offset = this.#ask(utcDay * DAY_MS);
    this.#atStartOfDay.set(utcDay, offset);
    return offset;
  }

  /** The first ms of the day at which the offset is no longer `before`. */
  #change(utcDay: number, before: number): number {
    const known = this.#changeInDay.get(utcDay);
    if (known !== undefined) return known;
    let [last, first] = [utcDay * DAY_MS, (utcDay + 1) * DAY_MS];
    while (first - last > 1) {
      const middle = Math.floor((last + first) / 2);
      if (this.#ask(middle) === before) last = middle;
      else first = middle;
    }
    this.#changeInDay.set(utcDay, first);
    return first;
  }

  #ask(atMs: number): number {
    const fields: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(atMs)) fields[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = fields;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
  }
}

function reading(atMs: number, offsetMs: number, steadyUntilMs: number): ClockReading {
  const localMs = atMs + offsetMs;
  const day = Math.floor(localMs / DAY_MS);
  return { day, timeMs: localMs - day * DAY_MS, offsetMs, steadyUntilMs };
}

/** By name; null for names that the runtime does not know, of which only so many are remembered. */
const zones = new Map<string, ZoneOffsets | null>();
const KEPT_ZONES = 2000;

function offsetsOf(zone: string): ZoneOffsets | null {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  if (zones.size >= KEPT_ZONES) zones.clear();
  const made = make(zone);
  zones.set(zone, made);
  return made;
}

function make(zone: string): ZoneOffsets | null {
  // Intl also takes "+02:00" and the like: an offset is no zone, its clocks never change.
  if (!/^[A-Za-z]/.test(zone)) return null;
  try {
    return new ZoneOffsets(zone);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** An IANA name that this runtime has data of, such as `America/St_Johns`. */
export function isTimeZone(name: string): boolean {
  return offsetsOf(name) !== null;
}

/** Throws RangeError for a zone that `isTimeZone` does not know. */
export function readClock(zone: string, atMs: number): ClockReading {
  const offsets = offsetsOf(zone);
  if (offsets === null) throw new RangeError('not a known time zone');
  return offsets.read(atMs);
}

/** `2026-03-08T09:30:00-05:00`, to the second. */
export function localTimeText(zone: string, atMs: number): string {
  const { offsetMs } = readClock(zone, atMs);
  const local = new Date(Math.floor((atMs + offsetMs) / 1000) * 1000).toISOString().slice(0, 19);
  const minutes = Math.abs(Math.trunc(offsetMs / MINUTE_MS));
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${local}${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

/** Days since 1970-01-01 of `YYYY-MM-DD`; null for a date that no calendar has. */
export function dayOfDate(date: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const ms = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) return null;
  return ms / DAY_MS;
}

/** 0 is Monday, 6 Sunday. */
export function weekdayOf(day: number): number {
  // 1970-01-01 was a Thursday.
  return (((day + 3) % 7) + 7) % 7;
}
