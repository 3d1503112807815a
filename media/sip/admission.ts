/**
 * Which INVITEs an overloaded node refuses, before anything of them is kept (503, RFC 3261 §21.5.4): those that have waited for
 * too long, and of the others the share that is too much. What is refused stays refused when it is repeated.
 */
import type { Overload, OverloadReason } from '../../contract/directory';

/** Transactions that are remembered, of 2^16 the latest of each slot: half a megabyte, whatever comes. */
const SLOTS = 1 << 16;
/** Longer than a client repeats its INVITE: Timer B is 32 s (RFC 3261 §17.1.1.2). */
const REMEMBERED_MS = 40_000;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** `wait`: it came when there was more to do than could be done. `repeat`: it was refused before. */
export type Refused = OverloadReason | 'wait' | 'repeat';

export interface AdmissionOptions {
  readonly now: () => number;
  /** So that nodes that are asked one after the other do not refuse the same calls. Default random. */
  readonly salt?: number;
}

export class InviteAdmission {
  readonly #options: AdmissionOptions;
  readonly #salt: number;
  readonly #fingerprints = new Uint32Array(SLOTS);
  /** Until when, in ms of the clock. */
  readonly #untilMs = new Float64Array(SLOTS);

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#salt = options.salt ?? Math.floor(Math.random() * 2 ** 32);
  }

  /**
   * Why an INVITE is refused; null: it is not. Of one Call-ID all have the same fate while the share does not grow, so
   * that one with credentials is not refused after it was challenged.
   * @param key of its transaction
   * @param late it has waited for too long
   */
  refusal(invite: { key: string; callId: string; late: boolean }, overload: Overload | null): Refused | null {
    const { key, callId, late } = invite;
    const hash = fnv1a(key, this.#salt);
    const fingerprint = fnv1a(key, ~this.#salt) || 1;
    const slot = hash % SLOTS;
    const now = this.#options.now();
    // A client that had our 503 has ended this transaction: a call that began with a repeat would be heard by nobody.
    if (this.#fingerprints[slot] === fingerprint && now < this.#untilMs[slot]!) return 'repeat';
    const why = late ? 'wait' : overload !== null && this.#draw(callId) < overload.share ? overload.reason : null;
    if (why !== null) {
      this.#fingerprints[slot] = fingerprint;
      this.#untilMs[slot] = now + REMEMBERED_MS;
    }
    return why;
  }

  /** In [0, 1), and the same for a Call-ID whenever it is asked for. */
  #draw(callId: string): number {
    return fnv1a(callId, this.#salt) / 2 ** 32;
  }
}

/** FNV-1a, and a last mixing: the last characters of a text, which often count, move all bits. */
function fnv1a(text: string, salt: number): number {
  let hash = FNV_OFFSET ^ salt;
  for (let n = 0; n < text.length; n++) hash = Math.imul(hash ^ text.charCodeAt(n), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
