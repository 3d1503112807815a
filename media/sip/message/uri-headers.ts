import { decodeWireText } from './message';

/** The header part of a URI (RFC 3261 §19.1.1): what the request to that URI is to carry. */
export type UriHeaders = readonly (readonly [name: string, value: string])[];

const MAX_HEADERS = 32;
const NAME = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const CONTROL = /[^\x20-\x7e\x80-\uffff]/;
/** Not a header; its line ends are meant. Nobody but a peer has one. */
const BODY = 'body';

/**
 * Takes apart what follows the `?`, with names in lower case. Null when it is malformed, or when a value would begin a line of its own: whoever
 * copies it into a request must never write another header by it.
 */
export function parseUriHeaders(text: string): UriHeaders | null {
  if (text === '') return [];
  const parts = text.split('&', MAX_HEADERS + 1);
  if (parts.length > MAX_HEADERS) return null;
  const headers: (readonly [string, string])[] = [];
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = equals < 0 ? null : unescape(part.slice(0, equals));
    if (name === null || !NAME.test(name)) return null;
    if (name.toLowerCase() === BODY) continue;
    const value = unescape(part.slice(equals + 1));
    if (value === null || CONTROL.test(value)) return null;
    headers.push([name.toLowerCase(), value]);
  }
  return headers;
}

/** The other way round; control characters become spaces, and so no value is ever a line of its own at the reader. */
export function formatUriHeaders(headers: UriHeaders): string {
  return headers.map(([name, value]) => `${escape(name)}=${escape(value)}`).join('&');
}

/** All but `unreserved` (RFC 3261 §25.1). */
function escape(text: string): string {
  // Through UTF-8, because half a surrogate pair would throw.
  return encodeURIComponent(Buffer.from(text.replace(/[^\x20-\x7e\x80-\uffff]+/g, ' ')).toString());
}

function unescape(text: string): string | null {
  try {
    return decodeURIComponent(decodeWireText(text));
  } catch {
    // No escape, or no UTF-8 behind it.
    return null;
  }
}
