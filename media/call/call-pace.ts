/**
 * How often calls begin on each trunk. Turns are given in order and are evenly spaced: two of a trunk of one call a second
 * lie a second apart, as carriers count them. (A token bucket has neither turns nor a rate for each of its keys.)
 */
import type { Clock } from '../clock';

const SWEEP_ABOVE = 1000;
/** A second of a trunk, in which its calls may come all at once. */
const SECOND_MS = 1000;
/** Of sums of fractions. */
const ROUNDING_MS = 1;

export class CallPace {
  readonly #clock: Pick<Clock, 'now'>;
  /** When the next turn of a trunk is, monotonic ms; what is past is a trunk at rest. */
  readonly #nextMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /**
   * Takes the next turn. Gives the milliseconds until then, or null, and takes none, when they are more than `aheadMs`.
   * @param perSecond null: without a limit
   */
  turn(trunkId: string, perSecond: number | null, aheadMs: number): number | null {
    if (perSecond === null) return 0;
    const nowMs = this.#clock.now();
    const turnMs = Math.max(nowMs, this.#nextMs.get(trunkId) ?? nowMs);
    if (turnMs - nowMs > aheadMs) return null;
    this.#nextMs.set(trunkId, turnMs + 1000 / perSecond);
    if (this.#nextMs.size > SWEEP_ABOVE) this.#sweep(nowMs);
    return turnMs - nowMs;
  }

  /** For a call that comes in, which cannot be told to wait: false when it is one too many in its second. */
  arrives(trunkId: string, perSecond: number | null): boolean {
    const burstMs = perSecond === null ? 0 : Math.max(0, SECOND_MS - SECOND_MS / perSecond) + ROUNDING_MS;
    return this.turn(trunkId, perSecond, burstMs) !== null;
  }

  #sweep(nowMs: number): void {
    for (const [trunkId, nextMs] of this.#nextMs) if (nextMs <= nowMs) this.#nextMs.delete(trunkId);
  }
}
