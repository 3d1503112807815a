import { parseParameters, unquote } from './parameters';

/** A name-addr or addr-spec header value (RFC 3261 §20.10). */
export interface SipAddress {
  readonly displayName: string | null;
  readonly uri: string;
  readonly params: ReadonlyMap<string, string | null>;
}

const NO_PARAMS: ReadonlyMap<string, string | null> = new Map();

/** Null when quotes or brackets do not close or there is no URI. */
export function parseAddress(value: string): SipAddress | null {
  let rest = value.trim();
  let displayName: string | null = null;
  if (rest.startsWith('"')) {
    const end = closingQuote(rest);
    if (end < 0) return null;
    displayName = unquote(rest.slice(0, end + 1));
    rest = rest.slice(end + 1).trimStart();
    if (!rest.startsWith('<')) return null;
  }
  const open = rest.indexOf('<');
  if (open >= 0) {
    const close = rest.indexOf('>', open);
    if (close < 0) return null;
    if (displayName === null && open > 0) displayName = rest.slice(0, open).trim();
    if (displayName !== null && displayName.includes('"') && !value.trimStart().startsWith('"')) return null;
    const uri = rest.slice(open + 1, close).trim();
    const after = rest.slice(close + 1).trim();
    if (uri === '' || (after !== '' && !after.startsWith(';'))) return null;
    return { displayName, uri, params: after === '' ? NO_PARAMS : parseParameters(after.slice(1)) };
  }
  // Without brackets every parameter belongs to the header, not to the URI (RFC 3261 §20.10).
  const semicolon = rest.indexOf(';');
  const uri = (semicolon < 0 ? rest : rest.slice(0, semicolon)).trim();
  if (uri === '' || /[\s"]/.test(uri)) return null;
  return { displayName: null, uri, params: semicolon < 0 ? NO_PARAMS : parseParameters(rest.slice(semicolon + 1)) };
}

function closingQuote(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}
