import { createHmac, timingSafeEqual } from 'node:crypto';

import { fewRandomBytes } from '../../../ops/random-bytes';
import { digestResponse, parseAlgorithm, parseDigestHeader } from './digest';
import { GuessGuard } from './guess-guard';
import { NonceCountWindow } from './nonce-count';
import { quote } from '../message/parameters';
import { isServerOf, sameUri } from '../message/uri-equivalence';

import type { Clock } from '../../clock';
import type { SipRequest } from '../message/message';
import type { GuessReport } from './guess-log';
import type { DigestCredentials } from './identity';

/**
 * Stateless digest server. A nonce is the time, a salt, and an HMAC of both and the source address under a key that all
 * nodes derive from one secret, so the second INVITE may reach another node and nothing is kept before authentication.
 * The salt tells apart the calls of one source that are challenged in the same millisecond.
 */
interface DigestServerOptions {
  readonly realm: string;
  readonly nonceKey: Buffer;
  readonly clock: Clock;
  readonly credentials: (username: string) => DigestCredentials | undefined;
  /** Wrong credentials came, see `GuessLog`. */
  readonly onGuesses?: (report: GuessReport) => void;
  /** Credentials with a known user name were refused. */
  readonly onDenied?: (trunkId: string, source: string, why: 'wrong_password' | 'other_uri') => void;
}

type DigestVerdict =
  | { readonly kind: 'accepted'; readonly credentials: DigestCredentials }
  /** No usable credentials, or an expired or already used nonce: 401 with challenges. */
  | { readonly kind: 'challenge'; readonly stale: boolean }
  /** Unknown user and wrong password alike: 403. */
  | { readonly kind: 'denied' }
  /** Credentials that were made for another Request-URI: 400 (RFC 7616 §3.4.6). */
  | { readonly kind: 'other_uri' }
  /** After wrong ones, too early to be looked at: no answer, so that who guesses waits and who repeats is heard. */
  | { readonly kind: 'paused' };

/** How long a nonce may be used. */
const NONCE_LIFETIME_MS = 60_000;
/** Clocks of two nodes may differ by this much. */
const FUTURE_MS = 5_000;
const MAC_BYTES = 15;
const TIME_BYTES = 6;
const SALT_BYTES = 6;
const STAMP_BYTES = TIME_BYTES + SALT_BYTES;
/** libre before 3 gives up the call when any of several challenges has an algorithm that it does not know. */
const MD5_ONLY = /^baresip v[0-2]\./i;
const UNKNOWN_PASSWORD = 'no such user';

export class DigestServer {
  readonly #options: DigestServerOptions;
  readonly #seen: NonceCountWindow;
  readonly #guesses: GuessGuard;

  constructor(options: DigestServerOptions) {
    this.#options = options;
    this.#seen = new NonceCountWindow(options.clock, NONCE_LIFETIME_MS + FUTURE_MS);
    this.#guesses = new GuessGuard({ clock: options.clock, onGuesses: options.onGuesses ?? (() => {}) });
  }

  /**
   * WWW-Authenticate lines. RFC 8760 §2.3 wants the strongest first; we list MD5 first because clients that know only
   * MD5 read the first line alone (SIPp 3.6, older phones), while those that know SHA-256 look at all of them.
   */
  challenge(source: string, stale: boolean, userAgent = ''): string[] {
    const nonce = this.#nonce(this.#options.clock.epochMs(), source);
    const rest = `realm=${quote(this.#options.realm)}, nonce="${nonce}", qop="auth"${stale ? ', stale=true' : ''}`;
    const algorithms = MD5_ONLY.test(userAgent) ? ['MD5'] : ['MD5', 'SHA-256'];
    return algorithms.map((algorithm) => `WWW-Authenticate: Digest algorithm=${algorithm}, ${rest}`);
  }

  /** @param flow address and port of the source as one name */
  verify(request: SipRequest, source: string, flow = source): DigestVerdict {
    const params = this.#ownCredentials(request);
    if (params === null) return { kind: 'challenge', stale: false };
    const algorithm = parseAlgorithm(params.get('algorithm'));
    const nonce = params.get('nonce') ?? '';
    const response = params.get('response') ?? '';
    const uri = params.get('uri');
    const username = params.get('username');
    if (algorithm === null || uri === undefined || username === undefined) return { kind: 'challenge', stale: false };
    const age = this.#nonceAge(nonce, source);
    if (age === null) return { kind: 'challenge', stale: false };
    const qop = params.get('qop')?.toLowerCase();
    const nc = params.get('nc') ?? '';
    const cnonce = params.get('cnonce') ?? '';
    if (qop !== undefined && (qop !== 'auth' || !/^[0-9a-f]{8}$/i.test(nc) || cnonce === '')) {
      return { kind: 'challenge', stale: false };
    }
    const origin = { address: source, flow };
    if (!this.#guesses.mayTry(origin, username)) return { kind: 'paused' };
    // An unknown user takes the same path and the same time as a wrong password.
    const known = this.#options.credentials(username);
    const isMadeWith = (password: string): boolean => {
      const { realm } = this.#options;
      const { method } = request;
      const counted = qop === undefined ? {} : { qop: { nc, cnonce } };
      return equalHex(
        digestResponse({ algorithm, username, realm, password, method, uri, nonce, ...counted }),
        response,
      );
    };
    const { password = UNKNOWN_PASSWORD, previousPassword } = known ?? {};
    const right = isMadeWith(password) || (previousPassword !== undefined && isMadeWith(previousPassword));
    if (!right || known === undefined) {
      this.#guesses.failed(origin, username, known?.trunkId);
      if (known !== undefined) this.#options.onDenied?.(known.trunkId, source, 'wrong_password');
      return { kind: 'denied' };
    }
    // SIPp and older phones name the server alone, whomever they call.
    const { requestUri } = request;
    if (!sameUri(uri, requestUri) && !isServerOf(uri, requestUri)) {
      this.#options.onDenied?.(known.trunkId, source, 'other_uri');
      return { kind: 'other_uri' };
    }
    if (age > NONCE_LIFETIME_MS || age < -FUTURE_MS) return { kind: 'challenge', stale: true };
    // Without qop there is no count: such a nonce serves once.
    if (!this.#seen.use(nonce, qop === undefined ? 0 : parseInt(nc, 16))) return { kind: 'challenge', stale: true };
    this.#guesses.succeeded(origin, username);
    return { kind: 'accepted', credentials: known };
  }

  /** Whether the request has credentials for us, of whatever worth. */
  isAnswered(request: SipRequest): boolean {
    return this.#ownCredentials(request) !== null;
  }

  close(): void {
    this.#guesses.close();
  }

  #ownCredentials(request: SipRequest): Map<string, string> | null {
    for (const line of request.lines('authorization')) {
      const params = parseDigestHeader(line);
      if (params?.get('realm') === this.#options.realm) return params;
    }
    return null;
  }

  #nonce(timeMs: number, source: string): string {
    const stamp = Buffer.alloc(STAMP_BYTES);
    stamp.writeUIntBE(timeMs, 0, TIME_BYTES);
    fewRandomBytes(SALT_BYTES).copy(stamp, TIME_BYTES);
    return Buffer.concat([stamp, this.#mac(stamp, source)]).toString('base64url');
  }

  #mac(stamp: Buffer, source: string): Buffer {
    return createHmac('sha256', this.#options.nonceKey).update(stamp).update(source).digest().subarray(0, MAC_BYTES);
  }

  /** Milliseconds since we made the nonce for this source, null when we did not. */
  #nonceAge(nonce: string, source: string): number | null {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== STAMP_BYTES + MAC_BYTES) return null;
    const stamp = bytes.subarray(0, STAMP_BYTES);
    if (!timingSafeEqual(this.#mac(stamp, source), bytes.subarray(STAMP_BYTES))) return null;
    return this.#options.clock.epochMs() - stamp.readUIntBE(0, TIME_BYTES);
  }
}

function equalHex(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'latin1');
  const b = Buffer.from(given.toLowerCase(), 'latin1');
  return a.length === b.length && timingSafeEqual(a, b);
}
