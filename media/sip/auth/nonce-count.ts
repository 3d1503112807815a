import type { Clock } from '../../clock';

const WINDOW = 32;
const MAX_NONCES = 50_000;

interface Entry {
  highest: number;
  /** Bit n set: `highest - n` was used. */
  used: number;
  readonly since: number;
}

/**
 * Which nonce counts were used, so that a recorded request cannot be played again (RFC 7616 §3.4). Only requests with
 * the right password get this far. Counts may arrive out of order within a window of 32.
 */
export class NonceCountWindow {
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, keepMs: number) {
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** Notes a use; false when this count of this nonce was used before or is too old to tell. */
  use(nonce: string, count: number): boolean {
    const now = this.#clock.now();
    this.#forget(now);
    const entry = this.#entries.get(nonce);
    if (entry === undefined) {
      this.#entries.set(nonce, { highest: count, used: 1, since: now });
      return true;
    }
    const ahead = count - entry.highest;
    if (ahead > 0) {
      entry.used = ahead >= WINDOW ? 1 : ((entry.used << ahead) | 1) >>> 0;
      entry.highest = count;
      return true;
    }
    if (-ahead >= WINDOW) return false;
    const bit = (1 << -ahead) >>> 0;
    if ((entry.used & bit) !== 0) return false;
    entry.used = (entry.used | bit) >>> 0;
    return true;
  }

  /** Entries are in order of their age, so only the front has to be looked at. */
  #forget(now: number): void {
    for (const [nonce, entry] of this.#entries) {
      if (now - entry.since <= this.#keepMs && this.#entries.size < MAX_NONCES) return;
      this.#entries.delete(nonce);
    }
  }
}
