/** How long something has been away, by its own last sign of life. */
export class OutageClock {
  readonly #nowMs: () => number;
  #okAtMs: number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#okAtMs = nowMs();
  }

  answered(): void {
    this.#okAtMs = this.#nowMs();
  }

  get silentMs(): number {
    return this.#nowMs() - this.#okAtMs;
  }
}
