import { parseAlgorithm, parseDigestHeader } from './digest';
import { splitOutsideQuotes } from '../message/parameters';

import type { DigestAlgorithm } from './digest';
import type { SipResponse } from '../message/message';

/** One challenge of a 401 or 407 that we can compute an answer to. */
export interface DigestChallenge {
  /** By a proxy on the way: it gets its answer in a header of its own. */
  readonly proxy: boolean;
  readonly algorithm: DigestAlgorithm;
  /** `-sess` variant of the algorithm. */
  readonly session: boolean;
  /** As on the wire, unquoted: one character per byte. */
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly qop: 'auth' | 'auth-int' | null;
  readonly stale: boolean;
}

const SESSION_VARIANT = /-sess$/i;
/** A new challenge begins with its scheme; `name = value` is a parameter of the one before (RFC 7235 §4.1). */
const SCHEME = /^[\w!#$%&'*+.^`|~-]+\s+(?!=)/;

/**
 * The challenges of a response by who has made them: one 401 or 407 may carry those of several proxies and of the
 * server, of one realm or of many (RFC 3261 §16.7 step 7, §22.3). Several algorithms of one challenger are offers to
 * choose from: the best is taken.
 */
export function challengesOf(response: SipResponse): DigestChallenge[][] {
  const byChallenger = new Map<string, DigestChallenge[]>();
  for (const [header, proxy] of [
    ['www-authenticate', false],
    ['proxy-authenticate', true],
  ] as const) {
    for (const value of response.lines(header).flatMap(splitChallenges)) {
      const challenge = parseChallenge(value, proxy);
      if (challenge === null) continue;
      const key = challengerOf(challenge);
      byChallenger.set(key, [...(byChallenger.get(key) ?? []), challenge]);
    }
  }
  return [...byChallenger.values()].map(best);
}

/** Who challenges: realm and role. */
export function challengerOf({ proxy, realm }: DigestChallenge): string {
  return `${proxy ? 'proxy' : 'server'} ${realm}`;
}

/**
 * SHA-256 before MD5 (RFC 8760 §2.4), and before either the plain variant: not every proxy leaves the body as it is, and
 * few servers keep a session key. Proxies of one realm, reached by a fork, each have their own nonce.
 */
function best(challenges: readonly DigestChallenge[]): DigestChallenge[] {
  const rank = ({ qop, session, algorithm }: DigestChallenge): number =>
    (qop === 'auth-int' ? 4 : 0) + (session ? 2 : 0) + (algorithm === 'SHA-256' ? 0 : 1);
  const lowest = Math.min(...challenges.map(rank));
  const byNonce = new Map<string, DigestChallenge>();
  for (const challenge of challenges) {
    if (rank(challenge) === lowest && !byNonce.has(challenge.nonce)) byNonce.set(challenge.nonce, challenge);
  }
  return [...byNonce.values()];
}

function splitChallenges(line: string): string[] {
  const challenges: string[] = [];
  for (const part of splitOutsideQuotes(line, ',')) {
    if (challenges.length === 0 || SCHEME.test(part)) challenges.push(part);
    else challenges.push(`${challenges.pop()}, ${part}`);
  }
  return challenges;
}

function parseChallenge(value: string, proxy: boolean): DigestChallenge | null {
  const params = parseDigestHeader(value);
  const name = params?.get('algorithm');
  const algorithm = parseAlgorithm(name?.replace(SESSION_VARIANT, ''));
  const nonce = params?.get('nonce') ?? '';
  if (params === null || algorithm === null || nonce === '') return null;
  const offered = (params.get('qop') ?? '').toLowerCase().split(',');
  const qops = offered.map((qop) => qop.trim()).filter((qop) => qop !== '');
  const qop = (['auth', 'auth-int'] as const).find((known) => qops.includes(known)) ?? null;
  if (qop === null && qops.length > 0) return null;
  return {
    proxy,
    algorithm,
    session: name !== undefined && SESSION_VARIANT.test(name),
    realm: params.get('realm') ?? '',
    nonce,
    opaque: params.get('opaque') ?? null,
    qop,
    stale: params.get('stale')?.toLowerCase() === 'true',
  };
}
