/**
 * Whether a clock on a wall shows an open time, worked out by `Intl` alone: nothing of the product's own windows, zones or
 * calendars is in it, so that a mistake of theirs is found.
 */
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

export interface OpenHours {
  /** `Mon` … `Sun`. */
  readonly days: readonly string[];
  /** Minutes since midnight; from then on it is open, and from `end` on closed. None crosses midnight. */
  readonly start: number;
  readonly end: number;
  /** `YYYY-MM-DD` */
  readonly holidays: readonly string[];
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function wallClock(zone: string, atMs: number): { readonly date: string; day: string; minutes: number } {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      weekday: 'short',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const day = part('weekday');
  if (!DAYS.includes(day)) throw new Error(`no day of the week: ${day}`);
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    day,
    minutes: Number(part('hour')) * 60 + Number(part('minute')) + Number(part('second')) / 60,
  };
}

/** From the dial to the end of its ringing, in every one of the zones. */
export function openThroughout(zones: readonly string[], hours: OpenHours, fromMs: number, toMs: number): boolean {
  return zones.every((zone) => {
    const dates = [fromMs, toMs].map((atMs) => {
      const { date, day, minutes } = wallClock(zone, atMs);
      const open = hours.days.includes(day) && !hours.holidays.includes(date) && minutes >= hours.start;
      return open && minutes < hours.end ? date : null;
    });
    return dates[0] !== null && dates[0] === dates[1];
  });
}
