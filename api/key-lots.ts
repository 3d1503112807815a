import type { AdmittedApiKey } from '../store/repositories/api-key-repository';
import { rateOf, shareUs } from './middleware/rate-limit';

/** A key of a smaller rate pays for each request by itself: its count is exact at every instant, over all processes. */
const BUSY_PER_MINUTE = 6_000;
/** What was paid for is used within this, and so long at most a revoked key still works: less than the second promised. */
const LOT_MS = 250;
/** Below so many in that time each request is paid for by itself, and looks the key up: a change of it shows at once. */
const BUSY_REQUESTS = 25;
/** Of what a key has left it pays for so much in advance at most: unused, it is lost to the other processes. */
const LARGEST_PART = 16;
const MAX_KEYS = 10_000;

/** Looks the key up and counts so many requests at once; null when it is of no use (any more). */
type Admit = (key: string, perMinute: number, streaming: boolean, requests: number) => Promise<AdmittedApiKey | null>;

interface Lot {
  /** As the store answered when it was taken; null before the first. */
  admitted: AdmittedApiKey | null;
  takenMs: number;
  left: number;
  /** The whole of what the key had left, when it was last asked for. */
  remaining: number;
  /** Requests in this quarter of a second and in the one before. */
  asked: number;
  askedBefore: number;
  quarterMs: number;
  /** The store is being asked for a lot. */
  filling: Promise<AdmittedApiKey | null> | null;
}

/**
 * The store's count of requests, asked once for as many as a busy key has sent in the last quarter of a second. Never more
 * requests pass than the store has counted.
 */
export class KeyLots {
  readonly #admit: Admit;
  readonly #nowMs: () => number;
  readonly #lots = new Map<string, Lot>();

  constructor(admit: Admit, nowMs: () => number) {
    this.#admit = admit;
    this.#nowMs = nowMs;
  }

  /**
   * @param name Of the key in memory
   * @throws as the store does
   */
  async take(key: string, name: string, perMinute: number, streaming: boolean): Promise<AdmittedApiKey | null> {
    if (perMinute < BUSY_PER_MINUTE) return this.#admit(key, perMinute, streaming, 1);
    const lot = this.#lotOf(`${streaming ? 's' : ''} ${name}`);
    this.#countIn(lot);
    // Who waits for a lot hears what became of it: a store that does not answer keeps nobody waiting twice.
    if (!this.#usable(lot) && lot.filling !== null && (await lot.filling) === null) return null;
    if (this.#usable(lot)) return this.#useOne(lot as Lot & { admitted: AdmittedApiKey }, perMinute);
    const ask = async (requests: number): Promise<AdmittedApiKey | null> => {
      const admitted = await this.#admit(key, perMinute, streaming, requests);
      if (admitted !== null) lot.remaining = rateOf(perMinute, admitted).remaining;
      return admitted;
    };
    const requests = this.#size(lot);
    return requests === 1 || lot.filling !== null ? ask(1) : this.#fill(lot, perMinute, requests, ask);
  }

  /** What is left of the lot does not count as used yet. */
  #useOne(lot: Lot & { admitted: AdmittedApiKey }, perMinute: number): AdmittedApiKey {
    lot.left--;
    const { admitted, left, takenMs } = lot;
    const freeUs = left * shareUs(perMinute) + (this.#nowMs() - takenMs) * 1000;
    return { ...admitted, fullInUs: Math.max(0, admitted.fullInUs - freeUs) };
  }

  #countIn(lot: Lot): void {
    const sinceMs = this.#nowMs() - lot.quarterMs;
    if (sinceMs >= LOT_MS) {
      lot.askedBefore = sinceMs < 2 * LOT_MS ? lot.asked : 0;
      lot.asked = 0;
      lot.quarterMs = this.#nowMs();
    }
    lot.asked++;
  }

  #usable({ admitted, left, takenMs }: Lot): boolean {
    if (admitted === null || left < 1 || this.#nowMs() - takenMs >= LOT_MS) return false;
    return admitted.expiresAt === null || admitted.expiresAt.getTime() > Date.now();
  }

  async #fill(
    lot: Lot,
    perMinute: number,
    requests: number,
    ask: (requests: number) => Promise<AdmittedApiKey | null>,
  ): Promise<AdmittedApiKey | null> {
    Object.assign(lot, { left: 0, takenMs: this.#nowMs() });
    lot.filling = ask(requests);
    let admitted: AdmittedApiKey | null;
    try {
      admitted = await lot.filling;
    } finally {
      lot.filling = null;
    }
    if (admitted === null) return null;
    // So many it has not: one it may have.
    if (!admitted.allowed) return ask(1);
    return this.#useOne(Object.assign(lot, { admitted, left: requests }), perMinute);
  }

  /** As many as were asked for in as long a time, while there is plenty. */
  #size({ remaining, asked, askedBefore }: Lot): number {
    const expected = Math.max(asked, askedBefore);
    if (expected < BUSY_REQUESTS) return 1;
    return Math.max(1, Math.floor(Math.min(expected, remaining / LARGEST_PART)));
  }

  #lotOf(name: string): Lot {
    const known = this.#lots.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#lots.keys();
    if (this.#lots.size >= MAX_KEYS && oldest !== undefined) this.#lots.delete(oldest);
    const lot: Lot = {
      admitted: null,
      takenMs: 0,
      left: 0,
      remaining: 0,
      asked: 0,
      askedBefore: 0,
      quarterMs: this.#nowMs(),
      filling: null,
    };
    this.#lots.set(name, lot);
    return lot;
  }
}
