import { isIPv6 } from 'node:net';

import { parseParameters } from './parameters';

/** A sip, sips or tel URI taken apart (RFC 3261 §19.1, RFC 3966). */
export interface SipUri {
  readonly scheme: string;
  /** As written, still escaped; empty without a user part. */
  readonly user: string;
  /** What follows the colon in the user part, null without. */
  readonly password: string | null;
  /** Lower case, IPv6 in brackets; empty for tel. */
  readonly host: string;
  readonly port: number | null;
  readonly params: ReadonlyMap<string, string | null>;
  /** What follows `?`, null without. */
  readonly headers: string | null;
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const HOST_PORT = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const NOT_IN_URI = /[\s<>"]/;

/** Null when the text is no URI of a scheme that can reach us; `uriScheme` tells whether only the scheme is foreign. */
export function parseUri(text: string): SipUri | null {
  const scheme = uriScheme(text);
  if (scheme === null || NOT_IN_URI.test(text)) return null;
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'tel') {
    const semicolon = rest.indexOf(';');
    const user = semicolon < 0 ? rest : rest.slice(0, semicolon);
    if (user === '') return null;
    const params = parseParameters(semicolon < 0 ? '' : rest.slice(semicolon + 1));
    return { scheme, user, password: null, host: '', port: null, params, headers: null };
  }
  if (scheme !== 'sip' && scheme !== 'sips') return null;
  // The user part may hold ';' and '?', so the '@' is looked for first (RFC 3261 §19.1.1, §25.1 user-unreserved).
  const at = rest.indexOf('@');
  let user = at < 0 ? '' : rest.slice(0, at);
  const colon = user.indexOf(':');
  const password = colon < 0 ? null : user.slice(colon + 1);
  if (colon >= 0) user = user.slice(0, colon);
  if (at === 0) return null;
  let tail = at < 0 ? rest : rest.slice(at + 1);
  let headers: string | null = null;
  const question = tail.indexOf('?');
  if (question >= 0) {
    headers = tail.slice(question + 1);
    tail = tail.slice(0, question);
  }
  const semicolon = tail.indexOf(';');
  const hostPort = HOST_PORT.exec(semicolon < 0 ? tail : tail.slice(0, semicolon));
  const host = hostPort === null ? null : hostOf(hostPort[1]!);
  if (hostPort === null || host === null) return null;
  const port = hostPort[2] === undefined ? null : Number(hostPort[2]);
  // Nobody can be reached at port 0.
  if (port !== null && (port === 0 || port > 65_535)) return null;
  const params = parseParameters(semicolon < 0 ? '' : tail.slice(semicolon + 1));
  return { scheme, user, password, host, port, params, headers };
}

function hostOf(text: string): string | null {
  if (!text.startsWith('[')) return text.toLowerCase();
  // The grammar of RFC 3261 wants one colon too many before an IPv4 tail; both must be taken (RFC 5118 §4.10).
  const reference = text.toLowerCase().replace(/:::(?=\d+\.)/, '::');
  return isIPv6(reference.slice(1, -1)) ? reference : null;
}

/** Lower-case scheme, null when the text does not begin with one. */
export function uriScheme(text: string): string | null {
  return SCHEME.exec(text)?.[1]?.toLowerCase() ?? null;
}

/** An address as it stands in a URI or a Via. */
export function uriHost(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

/** Percent-decoded; a wrong escape leaves the text as it is. */
export function decodeUserPart(user: string): string {
  if (!user.includes('%')) return user;
  try {
    return decodeURIComponent(user);
  } catch {
    // Not UTF-8 or not an escape at all: the raw text is the best that can be shown.
    return user;
  }
}

/** Escapes what may not stand in a user part (RFC 3261 §25.1). */
export function encodeUserPart(user: string): string {
  // Through UTF-8, because half a surrogate pair would throw.
  return encodeURIComponent(Buffer.from(user).toString()).replace(/%(2B|3B|3F|2F|24|26|3D|2C)/g, (escape) =>
    decodeURIComponent(escape),
  );
}
