import type { InboundAttempt } from '../../contract/trunk-check';
import { keepNewest } from '../../ops/keep-newest';
import type { Clock } from '../clock';

const PER_TRUNK = 5;
const MAX_TRUNKS = 1_000;

/** How the latest INVITEs of each inbound trunk fared here: for those who ask why nothing arrives. Memory alone, and bounded. */
export class RecentAttempts {
  readonly #clock: Clock;
  readonly #byTrunk = new Map<string, InboundAttempt[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(trunkId: string, attempt: Omit<InboundAttempt, 'atMs'>): void {
    const attempts = this.#byTrunk.get(trunkId) ?? [];
    this.#byTrunk.delete(trunkId);
    attempts.unshift({ ...attempt, atMs: this.#clock.epochMs() });
    attempts.length = Math.min(attempts.length, PER_TRUNK);
    this.#byTrunk.set(trunkId, attempts);
    keepNewest(this.#byTrunk, MAX_TRUNKS);
  }

  /** The latest first. */
  of(trunkId: string): readonly InboundAttempt[] {
    return this.#byTrunk.get(trunkId) ?? [];
  }
}
