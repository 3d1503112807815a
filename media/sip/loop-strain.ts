/**
 * Whether a thread has more to do than it comes to. An event loop that waits for events has served all that came; one that has
 * not waited for a while is behind. A stall, of the machine or of a garbage collection, is no strain however long it is: it
 * counts as one turn, and a thread with time to spare soon waits again.
 */

/** Of the time between two turns, what counts. Under strain a turn takes 2 to 20 ms. */
const LONGEST_TURN_MS = 25;

export class LoopStrain {
  #restedMs = 0;
  #turnMs: number | null = null;
  /** Without a rest, in turns. */
  #strainMs = 0;

  /**
   * A turn of the event loop in which something arrived.
   * @param restedMs how long the loop has waited for events in all
   */
  turn(nowMs: number, restedMs: number): void {
    if (this.#turnMs === null || restedMs > this.#restedMs) this.#strainMs = 0;
    else this.#strainMs += Math.min(nowMs - this.#turnMs, LONGEST_TURN_MS);
    this.#restedMs = restedMs;
    this.#turnMs = nowMs;
  }

  /** As of the last turn: there was a rest before it. */
  get rested(): boolean {
    return this.#strainMs === 0;
  }

  /** As of the last turn: for how long there was no rest, in turns, ms. */
  get strainMs(): number {
    return this.#strainMs;
  }

  /** Since when what is read now may have waited: since the last turn, if there was no rest after it. */
  unreadSinceMs(nowMs: number, restedMs: number): number {
    return this.#turnMs === null || restedMs > this.#restedMs ? nowMs : this.#turnMs;
  }
}
