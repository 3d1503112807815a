/** Time as all of media/ sees it: injected, so that tests run a minute in a millisecond. */
export interface TimerHandle {
  readonly id: number;
}

export interface Clock {
  /** Monotonic milliseconds (the scale of `performance.now()`). */
  now(): number;
  /** Wall clock, epoch milliseconds: for what is stored. */
  epochMs(): number;
  /** What turns `now()` into the epoch scale that the RTP thread reports in. */
  readonly timeOriginMs: number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

class SystemClock implements Clock {
  readonly timeOriginMs = performance.timeOrigin;
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #nextId = 1;

  now(): number {
    return performance.now();
  }

  epochMs(): number {
    return Date.now();
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        callback();
      }, delayMs),
    );
    return { id };
  }

  clearTimeout(handle: TimerHandle): void {
    clearTimeout(this.#timers.get(handle.id));
    this.#timers.delete(handle.id);
  }
}

export const systemClock: Clock = new SystemClock();

/** The named timers of one owner; `clearAll` ends them together. */
export class TimerSet<Name extends string> {
  readonly #clock: Clock;
  readonly #armed = new Map<Name, TimerHandle>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Arms `name`, replacing an armed one of the same name. */
  arm(name: Name, delayMs: number, callback: () => void): void {
    this.clear(name);
    const handle = this.#clock.setTimeout(() => {
      this.#armed.delete(name);
      callback();
    }, delayMs);
    this.#armed.set(name, handle);
  }

  clear(name: Name): void {
    const handle = this.#armed.get(name);
    if (!handle) return;
    this.#armed.delete(name);
    this.#clock.clearTimeout(handle);
  }

  clearAll(): void {
    for (const handle of this.#armed.values()) this.#clock.clearTimeout(handle);
    this.#armed.clear();
  }
}
