/**
 * Where a message's head ends and how long its body is. The parser and the framer of a stream ask here alike: were one to
 * see another end than the other, what one of them takes for a body would be a request to the other.
 */

interface HeadEnd {
  /** Past the last byte of the last header line, without its line end. */
  readonly end: number;
  readonly bodyStart: number;
}

const CR = 13;

/** The first blank line; some devices end their lines, or this one alone, with a bare LF. Null while there is none. */
export function findHeadEnd(bytes: Buffer, from: number): HeadEnd | null {
  const crlf = bytes.indexOf('\n\r\n', from, 'latin1');
  const lf = (crlf < 0 ? bytes : bytes.subarray(0, crlf + 1)).indexOf('\n\n', from, 'latin1');
  const at = lf < 0 ? crlf : lf;
  if (at < 0) return null;
  const end = bytes[at - 1] === CR ? at - 1 : at;
  return { end, bodyStart: at + (lf < 0 ? 3 : 2) };
}

const FOLD = /\r?\n[ \t]([^\n]*)/g;
const CONTENT_LENGTH = /\n(?:content-length|l)[ \t]*:([^\n]*)/gi;

/** Values of Content-Length below the first line of `head`, unfolded as those of any header (RFC 3261 §7.3.1). */
export function contentLengthsOf(head: string): string[] {
  const unfolded = head.replace(FOLD, (_fold, rest: string) => ` ${rest.trim()}`);
  return Array.from(unfolded.matchAll(CONTENT_LENGTH), ([, value = '']) => value.trim());
}

/**
 * What the values of Content-Length say together: null without one, and NaN when they cannot be read or contradict each
 * other.
 */
export function bodyLength(values: readonly string[] | undefined): number | null {
  if (values === undefined || values.length === 0) return null;
  const [first = '', ...others] = values;
  return /^\d{1,9}$/.test(first) && others.every((value) => value === first) ? Number(first) : NaN;
}
