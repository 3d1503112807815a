import { types } from 'pg';

/** PostgreSQL's number of the type `timestamptz`. */
export const TIMESTAMPTZ = types.builtins.TIMESTAMPTZ;

const asPgDoes = types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => unknown;

/**
 * `2026-01-02 03:04:05.678+00`, as a session in UTC writes it, digit by digit: a page of calls has some two hundred of them,
 * and the general reading by regular expressions was a tenth of what the page cost. Whatever is written otherwise is read
 * by that.
 */
export function parseTimestamp(text: string): unknown {
  const { length } = text;
  const plain = length >= 22 && length <= 29 && text[10] === ' ' && text[4] === '-' && text.endsWith('+00');
  // `Date.UTC` takes a year before 100 for one of another century.
  if (!plain || text[0] === '0') return asPgDoes(text);
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10)];
  const [hour, minute, second] = [digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19)];
  // As far as there are digits before the zone: zeros at the end are not written.
  const thousandths = Math.trunc((digits(text, 20, length - 3) * 1000) / (PARTS[length - 23] ?? 1));
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, thousandths));
}

/** Of a second, by the digits of its fraction. */
const PARTS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO;
  return value;
}

const ZERO = '0'.charCodeAt(0);
