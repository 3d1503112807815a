import type { Clock, TimerHandle } from '../clock';

const ROUND_MS = 1_000;

/** Tells when the time of things is over, up to a second late, with one timer for all of them. */
export class Expiry<T> {
  readonly #clock: Clock;
  readonly #onExpired: (value: T) => void;
  /** By the round in which their time is over. */
  readonly #rounds = new Map<number, T[]>();
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, onExpired: (value: T) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  add(value: T, lastsMs: number): void {
    const round = Math.ceil((this.#clock.now() + lastsMs) / ROUND_MS);
    const values = this.#rounds.get(round);
    if (values === undefined) this.#rounds.set(round, [value]);
    else values.push(value);
    this.#arm();
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rounds.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#rounds.size === 0) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sweep();
      this.#arm();
    }, ROUND_MS);
  }

  #sweep(): void {
    const present = this.#clock.now() / ROUND_MS;
    for (const [round, values] of this.#rounds) {
      if (round > present) continue;
      this.#rounds.delete(round);
      for (const value of values) this.#onExpired(value);
    }
  }
}
