/**
 * For how long whoever has answered hears nothing, before the agent's first sound: after the answer while they say nothing
 * themselves, and after what they say first, their greeting. The longer of the two is told, once.
 */
export class OpeningSilence {
  readonly #onKnown: (ms: number) => void;
  #answeredAt: number | null = null;
  /** Since when they have been silent. */
  #since: number | null = null;
  #longestMs = 0;
  #greeted = false;

  constructor(onKnown: (ms: number) => void) {
    this.#onKnown = onKnown;
  }

  answered(at: number): void {
    this.#answeredAt = at;
    this.#since = at;
  }

  /** The first time it is the greeting; what follows it is their waiting. */
  callerSpoke(startedAt: number, endedAt: number): void {
    if (this.#since === null || this.#greeted) return;
    this.#greeted = true;
    this.#longestMs = Math.max(0, startedAt - this.#since);
    this.#since = endedAt;
  }

  /**
   * The agent is heard, or never will be.
   * @param speakingSince of whoever is speaking over it; null: nobody
   */
  over(at: number, speakingSince: number | null): void {
    if (this.#answeredAt === null || this.#since === null) return;
    const waitedUntil = this.#greeted ? at : Math.min(at, speakingSince ?? at);
    const ms = Math.max(this.#longestMs, waitedUntil - this.#since);
    this.#since = null;
    this.#onKnown(Math.round(Math.max(0, ms)));
  }
}
