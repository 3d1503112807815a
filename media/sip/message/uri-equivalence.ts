import { parseUri } from './uri';

import type { SipUri } from './uri';

/** Parameters that must stand in both of two equal URIs, or in neither. */
const COUNTED_WHEN_ABSENT = ['user', 'ttl', 'method', 'maddr', 'transport'] as const;
const ESCAPE = /%([0-9a-f]{2})/gi;
const RESERVED = /[;/?:@&=+$,]/;

/**
 * Whether two URIs name the same resource (RFC 3261 §19.1.4). The user part counts by case; a port or transport that is
 * written is not the same as the default one that is not. Of what cannot be read as a URI only the same text is equal.
 */
export function sameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const a = parseUri(one);
  const b = parseUri(other);
  if (a === null || b === null || a.scheme !== b.scheme) return false;
  return (
    userOf(a) === userOf(b) &&
    unescaped(a.password) === unescaped(b.password) &&
    a.host === b.host &&
    a.port === b.port &&
    sameParameters(a.params, b.params) &&
    sameHeaders(a, b)
  );
}

/** Whether `one` has no user part and names the host and port of `other`: the server as a whole. */
export function isServerOf(one: string, other: string): boolean {
  const [a, b] = [parseUri(one), parseUri(other)];
  if (a === null || b === null) return false;
  return a.user === '' && a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}

/** To §19.1.4 a plus sign is not the same as its escape; to every phone +1 is the same number either way. */
function userOf({ user }: SipUri): string {
  return unescaped(user).replaceAll('%2B', '+');
}

/** A character outside the reserved set is the same as its escape. */
function unescaped<T extends string | null>(text: T): T | string {
  if (text === null || !text.includes('%')) return text;
  return text.replace(ESCAPE, (escape, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16));
    return RESERVED.test(character) ? escape.toUpperCase() : character;
  });
}

function sameParameters(a: ReadonlyMap<string, string | null>, b: ReadonlyMap<string, string | null>): boolean {
  if (COUNTED_WHEN_ABSENT.some((name) => a.has(name) !== b.has(name))) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    // What only one of them has says nothing.
    if (other !== undefined && folded(value) !== folded(other)) return false;
  }
  return true;
}

function folded(value: string | null): string | null {
  return unescaped(value)?.toLowerCase() ?? null;
}

/** Headers never default: all of them count, in any order. */
function sameHeaders(a: SipUri, b: SipUri): boolean {
  const [ofA, ofB] = [headersOf(a), headersOf(b)];
  return ofA.length === ofB.length && ofA.every((header, i) => header === ofB[i]);
}

function headersOf({ headers }: SipUri): string[] {
  if (headers === null || headers === '') return [];
  const pairs = headers.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 0) return unescaped(pair).toLowerCase();
    return `${unescaped(pair.slice(0, equals)).toLowerCase()}=${unescaped(pair.slice(equals + 1))}`;
  });
  return pairs.sort();
}
