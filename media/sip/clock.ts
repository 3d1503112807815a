/** Time as the SIP layer sees it, injected so that tests advance it by hand. */
export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Unix time in milliseconds, for nonces. */
  wallClockMs(): number;
  schedule(delayMs: number, callback: () => void): TimerHandle;
}

class SystemTimer implements TimerHandle {
  readonly #timer: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#timer = setTimeout(callback, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallClockMs: () => Date.now(),
  schedule: (delayMs, callback) => new SystemTimer(delayMs, callback),
};
