/** Times as the contract writes them. */

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const digits = (count: number, most: number): readonly string[] =>
  Array.from({ length: most }, (_, n) => String(n).padStart(count, '0'));

const TWO = digits(2, 60);
const THREE = digits(3, 1000);
const MINUTES = Array.from({ length: 24 * 60 }, (_, n) => `${TWO[Math.floor(n / 60)]}:${TWO[n % 60]}:`);

/** The last one written: rows of a list are mostly of one day. */
let lastDay = { number: Number.NaN, text: '' };

/**
 * `2026-01-02T03:04:05.678Z`: `toISOString`, of which a page of calls asks two hundred, in an eighth of its time.
 * @throws RangeError for what is no time
 */
export function isoTime(date: Date): string {
  const ms = date.getTime();
  const number = Math.floor(ms / DAY_MS);
  if (number !== lastDay.number) lastDay = { number, text: date.toISOString().slice(0, -'HH:MM:SS.mmmZ'.length) };
  const ofDay = ms - number * DAY_MS;
  const ofMinute = ofDay % MINUTE_MS;
  return `${lastDay.text}${MINUTES[(ofDay - ofMinute) / MINUTE_MS]}${TWO[Math.floor(ofMinute / 1000)]}.${THREE[ofMinute % 1000]}Z`;
}

export const isoTimeOrNull = (date: Date | null): string | null => (date === null ? null : isoTime(date));
