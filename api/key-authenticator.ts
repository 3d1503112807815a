import type { Logger } from '../ops/logger';
import type { Authenticator } from './middleware/auth';
import type { Principal } from './route';
import type { ApiStore } from './store';

/** `last_used_at` is for people: once a minute and key is enough. */
const TOUCH_INTERVAL_MS = 60_000;

/** Keys from the store. Each request asks it, so a revoked key stops working at once. */
export class KeyAuthenticator implements Authenticator {
  readonly #store: Pick<ApiStore, 'apiKeys'>;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #touchedMs = new Map<string, number>();

  constructor(store: Pick<ApiStore, 'apiKeys'>, logger: Logger, nowMs: () => number = () => performance.now()) {
    this.#store = store;
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  async authenticate(key: string): Promise<Principal | undefined> {
    const found = await this.#store.apiKeys.findByKey(key);
    if (found === null) return undefined;
    this.#touch(found.id);
    return { keyId: found.id, orgId: found.orgId, scopes: found.scopes, operator: found.operator };
  }

  /** Beside the request: nobody waits for it, and its failure concerns nobody. */
  #touch(keyId: string): void {
    const nowMs = this.#nowMs();
    if (nowMs - (this.#touchedMs.get(keyId) ?? -Infinity) < TOUCH_INTERVAL_MS) return;
    this.#touchedMs.set(keyId, nowMs);
    this.#store.apiKeys.touch(keyId).catch((error: unknown) => {
      this.#touchedMs.delete(keyId);
      this.#logger.debug({ err: error }, 'last use of a key not written');
    });
  }
}
