import { parseParameters, unquote } from './parameters';

/** A name-addr or addr-spec header value (RFC 3261 §20.10). */
export interface SipAddress {
  readonly displayName: string | null;
  readonly uri: string;
  readonly params: ReadonlyMap<string, string | null>;
}

const NO_PARAMS: ReadonlyMap<string, string | null> = new Map();
/** Up to the character that tells the form of a value. A comment in a display name may hold any of them. */
const BEFORE_FORM = /^(?:\([^()<>"]*\)|[^<;,"])*/;
const NOT_IN_URI = /[\s<>"]/;

/**
 * A display name is quoted or holds no separator (RFC 3261 §25.1): whatever comes first, quote, bracket or semicolon,
 * tells the form, and all that follows belongs to what it began. Null when quotes or brackets do not close or there is
 * no URI.
 */
export function parseAddress(value: string): SipAddress | null {
  const text = value.trim();
  const at = BEFORE_FORM.exec(text)?.[0].length ?? 0;
  if (text[at] === '<') return nameAddr(at === 0 ? null : text.slice(0, at).trim(), text, at);
  if (text[at] !== '"') return addrSpec(text);
  const end = at === 0 ? closingQuote(text) : -1;
  if (end < 0) return null;
  const open = text.indexOf('<', end);
  if (open < 0 || text.slice(end + 1, open).trim() !== '') return null;
  return nameAddr(unquote(text.slice(0, end + 1)), text, open);
}

function nameAddr(displayName: string | null, text: string, open: number): SipAddress | null {
  const close = text.indexOf('>', open);
  if (close < 0) return null;
  const uri = text.slice(open + 1, close).trim();
  const after = text.slice(close + 1).trim();
  if (uri === '' || (after !== '' && !after.startsWith(';'))) return null;
  return { displayName, uri, params: after === '' ? NO_PARAMS : parseParameters(after.slice(1)) };
}

/** Without brackets every parameter belongs to the header, not to the URI (RFC 3261 §20.10). */
function addrSpec(text: string): SipAddress | null {
  const semicolon = text.indexOf(';');
  const uri = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  if (uri === '' || NOT_IN_URI.test(uri)) return null;
  return { displayName: null, uri, params: semicolon < 0 ? NO_PARAMS : parseParameters(text.slice(semicolon + 1)) };
}

function closingQuote(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}
