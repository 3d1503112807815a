import { hash } from 'node:crypto';

import { userNetwork } from '../ops/address-scope';
import type { Logger } from '../ops/logger';
import type { Admission, Authenticator } from './middleware/auth';
import { KeyLots } from './key-lots';
import { RateLimiter, rateLimited, rateOf } from './middleware/rate-limit';
import type { ApiStore } from './store';

/** `last_used_at` is for people: once a minute and key is enough. */
const TOUCH_INTERVAL_MS = 60_000;
/** Unknown keys from one network, each of which costs a look-up: guesses leave the database to others. */
const UNKNOWN_PER_MINUTE = 3_000;
/** A key that was valid within this is never kept waiting for the guesses of its neighbours behind one proxy. */
const FAMILIAR_MS = 10 * 60_000;
const MAX_FAMILIAR = 10_000;

/** By the process's own clock. */
interface Familiar {
  validMs: number;
  touchedMs: number;
}

export interface KeyAuthenticatorOptions {
  /** Requests of each key. */
  readonly perMinute: number;
  /** Those of routes whose answers stay open, which are not among the others. */
  readonly streamingPerMinute: number;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/** Keys from the store, which is asked by each request, so that a rate is that of all processes; for busy keys `KeyLots`. */
export class KeyAuthenticator implements Authenticator {
  readonly #store: Pick<ApiStore, 'apiKeys' | 'forOrg'>;
  readonly #lots: KeyLots;
  readonly #logger: Logger;
  readonly #perMinute: number;
  readonly #streamingPerMinute: number;
  readonly #nowMs: () => number;
  /** By digest, keys that were valid when they were last used; the one not used for longest first. */
  readonly #familiar = new Map<string, Familiar>();
  readonly #unknown: RateLimiter;

  constructor(
    store: Pick<ApiStore, 'apiKeys' | 'forOrg'>,
    logger: Logger,
    { perMinute, streamingPerMinute, nowMs = () => performance.now() }: KeyAuthenticatorOptions,
  ) {
    this.#store = store;
    this.#lots = new KeyLots((...request) => store.apiKeys.admit(...request), nowMs);
    this.#logger = logger;
    this.#perMinute = perMinute;
    this.#streamingPerMinute = streamingPerMinute;
    this.#nowMs = nowMs;
    this.#unknown = new RateLimiter({ perMinute: UNKNOWN_PER_MINUTE, nowMs });
  }

  /** @throws ApiError 429 when too many unknown keys come from one network */
  async authenticate(key: string, address: string, streaming = false): Promise<Admission | undefined> {
    const perMinute = streaming ? this.#streamingPerMinute : this.#perMinute;
    const digest = hash('sha256', key, 'base64');
    const network = userNetwork(address);
    const familiar = this.#nowMs() - (this.#familiar.get(digest)?.validMs ?? -Infinity) < FAMILIAR_MS;
    // Taken before the look-up and given back after it: many at once are counted too.
    if (!familiar) this.#takeUnknown(network);
    let found: Awaited<ReturnType<ApiStore['apiKeys']['admit']>>;
    try {
      found = await this.#lots.take(key, digest, perMinute, streaming);
    } catch (error) {
      if (!familiar) this.#unknown.giveBack(network);
      throw error;
    }
    if (found === null) {
      this.#familiar.delete(digest);
      return undefined;
    }
    if (!familiar) this.#unknown.giveBack(network);
    const { id: keyId, orgId, scopes, operator, suspended, expiresAt: keyExpiresAt } = found;
    this.#touch(orgId, keyId, this.#remember(digest));
    const principal = { keyId, orgId, scopes, operator, suspended, keyExpiresAt };
    return { principal, rate: rateOf(perMinute, found) };
  }

  #takeUnknown(network: string): void {
    const decision = this.#unknown.take(network);
    if (!decision.allowed) throw rateLimited('Too many requests with unknown keys', decision);
  }

  #remember(digest: string): Familiar {
    const familiar = this.#familiar.get(digest) ?? { validMs: 0, touchedMs: -Infinity };
    familiar.validMs = this.#nowMs();
    this.#familiar.delete(digest);
    this.#familiar.set(digest, familiar);
    const [oldest] = this.#familiar.keys();
    if (this.#familiar.size > MAX_FAMILIAR && oldest !== undefined) this.#familiar.delete(oldest);
    return familiar;
  }

  /** Beside the request: nobody waits for it, and its failure concerns nobody. */
  #touch(orgId: string, keyId: string, familiar: Familiar): void {
    if (familiar.validMs - familiar.touchedMs < TOUCH_INTERVAL_MS) return;
    familiar.touchedMs = familiar.validMs;
    const written = this.#store.forOrg(orgId).write((org) => org.apiKeys.touch(keyId));
    written.catch((error: unknown) => {
      familiar.touchedMs = -Infinity;
      this.#logger.debug({ err: error }, 'last use of a key not written');
    });
  }
}
