import { randomBytes } from 'node:crypto';

import { digestResponse, parseAlgorithm, parseDigestHeader } from './digest';
import { quote } from '../message/parameters';
import { oneLine } from '../message/serialiser';

import type { DigestAlgorithm } from './digest';
import type { SipResponse } from '../message/message';

/** Answers the challenges of one trunk with its credentials, once per nonce. */
interface ClientCredentials {
  readonly username: string;
  readonly password: string;
}

interface Challenge {
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | null;
  readonly qop: boolean;
}

export class DigestClient {
  readonly #credentials: ClientCredentials;
  readonly #makeCnonce: () => string;
  readonly #answered = new Set<string>();

  constructor(credentials: ClientCredentials, makeCnonce = (): string => randomBytes(12).toString('hex')) {
    this.#credentials = credentials;
    this.#makeCnonce = makeCnonce;
  }

  /**
   * Header line for the retry, or null when no challenge can be answered or all were already. A fresh nonce marked
   * stale is answered again; a fresh one that is not means that the password is wrong (RFC 7616 §3.5).
   */
  answer(response: SipResponse, method: string, uri: string): string | null {
    const proxy = response.status === 407;
    const challenges = parseChallenges(response.lines(proxy ? 'proxy-authenticate' : 'www-authenticate'));
    const challenge = best(challenges.filter(({ nonce }) => !this.#answered.has(nonce)));
    if (challenge === undefined) return null;
    const stale = challenges.some(({ nonce, stale: marked }) => nonce === challenge.nonce && marked);
    if (this.#answered.has(this.#tried(proxy, challenge.realm)) && !stale) return null;
    this.#answered.add(challenge.nonce);
    this.#answered.add(this.#tried(proxy, challenge.realm));
    return `${proxy ? 'Proxy-Authorization' : 'Authorization'}: ${this.#authorization(challenge, method, uri)}`;
  }

  /** Realm and role already answered; a nonce can hold no space, so the two kinds of key do not meet. */
  #tried(proxy: boolean, realm: string): string {
    return `${proxy ? 'proxy' : 'server'} ${realm}`;
  }

  #authorization(challenge: Challenge, method: string, uri: string): string {
    const { username, password } = this.#credentials;
    const { algorithm, realm, nonce, opaque } = challenge;
    const qop = challenge.qop ? { nc: '00000001', cnonce: this.#makeCnonce() } : undefined;
    const response = digestResponse({
      algorithm,
      username,
      realm,
      password,
      method,
      uri,
      nonce,
      ...(qop === undefined ? {} : { qop }),
    });
    const parts = [
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(uri)}`,
      `response="${response}"`,
      `algorithm=${algorithm}`,
    ];
    if (qop !== undefined) parts.push('qop=auth', `nc=${qop.nc}`, `cnonce="${qop.cnonce}"`);
    if (opaque !== null) parts.push(`opaque=${quote(opaque)}`);
    return oneLine(`Digest ${parts.join(', ')}`);
  }
}

function parseChallenges(lines: readonly string[]): (Challenge & { readonly stale: boolean })[] {
  const found: (Challenge & { readonly stale: boolean })[] = [];
  // One line may hold several challenges, each beginning with its scheme (RFC 7235 §4.1).
  for (const value of lines.flatMap((line) => line.split(/,\s*(?=Digest\s)/i))) {
    const params = parseDigestHeader(value);
    const algorithm = params === null ? null : parseAlgorithm(params.get('algorithm'));
    const nonce = params?.get('nonce');
    if (params === null || algorithm === null || nonce === undefined || nonce === '') continue;
    const qops = params.get('qop');
    const offersAuth = qops?.split(',').some((qop) => qop.trim().toLowerCase() === 'auth') ?? false;
    if (qops !== undefined && !offersAuth) continue;
    found.push({
      algorithm,
      realm: params.get('realm') ?? '',
      nonce,
      opaque: params.get('opaque') ?? null,
      qop: offersAuth,
      stale: params.get('stale')?.toLowerCase() === 'true',
    });
  }
  return found;
}

/** The strongest that we can compute; among equals the first, as the server prefers (RFC 8760 §2.4). */
function best<T extends Challenge>(challenges: readonly T[]): T | undefined {
  return challenges.find(({ algorithm }) => algorithm === 'SHA-256') ?? challenges[0];
}
