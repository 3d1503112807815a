/**
 * How often calls come in on each trunk. Each takes a turn, and turns are evenly spaced; a call may be as far ahead of its
 * turn as all calls of one second are that come at once. (A token bucket has no rate for each of its keys.)
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
   * A call that comes in cannot be told to wait: false, and no turn is taken, when it is one too many in its second.
   * @param perSecond null: without a limit
   */
  arrives(trunkId: string, perSecond: number | null): boolean {
    if (perSecond === null) return true;
    const nowMs = this.#clock.now();
    const turnMs = Math.max(nowMs, this.#nextMs.get(trunkId) ?? nowMs);
    const burstMs = Math.max(0, SECOND_MS - SECOND_MS / perSecond) + ROUNDING_MS;
    if (turnMs - nowMs > burstMs) return false;
    this.#nextMs.set(trunkId, turnMs + SECOND_MS / perSecond);
    if (this.#nextMs.size > SWEEP_ABOVE) this.#sweep(nowMs);
    return true;
  }

  #sweep(nowMs: number): void {
    for (const [trunkId, nextMs] of this.#nextMs) if (nextMs <= nowMs) this.#nextMs.delete(trunkId);
  }
}
