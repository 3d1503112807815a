import { randomBytes } from 'node:crypto';

import { digestResponse } from './digest';
import { challengerOf, challengesOf } from './digest-challenge';
import { encodeWireText } from '../message/message';
import { quote } from '../message/parameters';
import { oneLine } from '../message/serialiser';

import type { DigestChallenge } from './digest-challenge';
import type { SipResponse } from '../message/message';

interface ClientCredentials {
  readonly username: string;
  readonly password: string;
}

/** What of a request goes into a digest, one character per byte. */
export interface DigestRequest {
  readonly method: string;
  readonly requestUri: string;
  readonly body: string;
}

/** A nonce in use: `nc` tells its requests apart. */
interface Session {
  readonly challenge: DigestChallenge;
  readonly cnonce: string;
  count: number;
}

/** Whoever goes on after so many wants no credentials of ours. */
const MAX_CHALLENGES_PER_REQUEST = 5;
/** A peer with a new realm for each request cannot make them longer and longer. */
const MAX_CHALLENGERS = 8;

/**
 * The credentials of one trunk within one dialog. Whoever has challenged a request of it is answered in all that follow
 * (RFC 3261 §22.3), each by the last nonce it gave.
 */
export class DigestClient {
  readonly #username: string;
  readonly #password: string;
  readonly #makeCnonce: () => string;
  readonly #sessions = new Map<string, readonly Session[]>();

  constructor(credentials: ClientCredentials, makeCnonce = (): string => randomBytes(12).toString('hex')) {
    this.#username = encodeWireText(credentials.username);
    this.#password = encodeWireText(credentials.password);
    this.#makeCnonce = makeCnonce;
  }

  /** How many have challenged us so far. */
  get challengers(): number {
    return this.#sessions.size;
  }

  /** Header lines for a request that is about to be written; each call counts as a use of the nonces. */
  authorize(request: DigestRequest): string[] {
    const sessions = [...this.#sessions.values()].flat();
    return sessions.map((session) => {
      session.count += 1;
      const name = session.challenge.proxy ? 'Proxy-Authorization' : 'Authorization';
      return `${name}: ${this.#authorization(session, request)}`;
    });
  }

  /**
   * Judges the challenges of one request, over all its repetitions: true when it goes out once more, with what
   * `authorize` gives from now on. Each challenger is answered once, and once more when it calls the nonce stale; a
   * fresh nonce alone means that the password is wrong (RFC 7616 §3.5).
   */
  newRequest(): (response: SipResponse) => boolean {
    const answered = new Map<string, 'once' | 'stale'>();
    let total = 0;
    return (response) => {
      let learned = false;
      for (const challenges of challengesOf(response)) {
        const challenger = challengerOf(challenges[0]!);
        const before = answered.get(challenger);
        const stale = challenges.some((challenge) => challenge.stale);
        if (before === 'stale' || (before === 'once' && !stale)) continue;
        if ((total += challenges.length) > MAX_CHALLENGES_PER_REQUEST) return false;
        answered.set(challenger, before === undefined ? 'once' : 'stale');
        this.#learn(challenger, challenges);
        learned = true;
      }
      return learned;
    };
  }

  #learn(challenger: string, challenges: readonly DigestChallenge[]): void {
    const known = this.#sessions.get(challenger) ?? [];
    this.#sessions.delete(challenger);
    this.#sessions.set(
      challenger,
      challenges.map((challenge) => {
        // The same nonce again goes on with its count: a replayed one would be refused (RFC 7616 §3.4).
        const session = known.find(({ challenge: { nonce } }) => nonce === challenge.nonce);
        return { challenge, cnonce: session?.cnonce ?? this.#makeCnonce(), count: session?.count ?? 0 };
      }),
    );
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_CHALLENGERS && oldest !== undefined) this.#sessions.delete(oldest);
  }

  #authorization({ challenge, cnonce, count }: Session, { method, requestUri, body }: DigestRequest): string {
    const { algorithm, session, realm, nonce, opaque, qop } = challenge;
    const nc = count.toString(16).padStart(8, '0');
    const response = digestResponse({
      algorithm,
      username: this.#username,
      realm,
      password: this.#password,
      method,
      uri: requestUri,
      nonce,
      ...(session ? { sessionCnonce: cnonce } : {}),
      ...(qop === null ? {} : { qop: { nc, cnonce, ...(qop === 'auth-int' ? { body } : {}) } }),
    });
    const parts = [
      `username=${quote(this.#username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `uri=${quote(requestUri)}`,
      `response="${response}"`,
      `algorithm=${algorithm}${session ? '-sess' : ''}`,
    ];
    if (qop !== null) parts.push(`qop=${qop}`, `nc=${nc}`);
    if (qop !== null || session) parts.push(`cnonce="${cnonce}"`);
    if (opaque !== null) parts.push(`opaque=${quote(opaque)}`);
    return oneLine(`Digest ${parts.join(', ')}`);
  }
}
