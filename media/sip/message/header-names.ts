/** Compact forms of RFC 3261 §7.3.3 and of its extensions, to full lower-case names. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

/** Spellings met on nearly every message, so that the parser does not lower-case them again each time. */
const COMMON: ReadonlyMap<string, string> = new Map(
  [
    'Via',
    'From',
    'To',
    'Call-ID',
    'CSeq',
    'Contact',
    'Max-Forwards',
    'Content-Type',
    'Content-Length',
    'Allow',
    'Supported',
    'User-Agent',
    'Server',
    'Authorization',
    'Proxy-Authorization',
    'WWW-Authenticate',
    'Record-Route',
    'Route',
    'Session-Expires',
    'Min-SE',
    'Accept',
    'Require',
  ].map((name) => [name, name.toLowerCase()]),
);

/** Full lower-case name of a header as written on the wire. */
export function canonicalHeaderName(raw: string): string {
  const common = COMMON.get(raw);
  if (common !== undefined) return common;
  const lower = raw.toLowerCase();
  return lower.length === 1 ? (COMPACT.get(lower) ?? lower) : lower;
}

/** Headers of which a message has at most one (RFC 3261 §20 and table 2). */
export const SINGLE_HEADERS = [
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
  'content-type',
  'session-expires',
] as const;
