import { T1_MS, T2_MS } from './timers';

import type { Clock, TimerHandle } from '../clock';

/**
 * - `double`: T1, 2·T1, 4·T1 … (timer A)
 * - `backoff`: the same, but never longer than T2 (timers E and G)
 * - `slow`: T2 (timer E after a provisional)
 * - `stop`: nothing more is sent
 */
export type Pace = 'double' | 'backoff' | 'slow' | 'stop';

interface RetransmissionOptions {
  readonly clock: Clock;
  /** Asked before each repetition and at each change of the transaction's state. */
  readonly pace: () => Pace;
  readonly send: () => void;
  readonly onStop: () => void;
}

/** Repeats one message over an unreliable transport as RFC 3261 §17 paces it. */
export class Retransmission {
  readonly #options: RetransmissionOptions;
  #intervalMs = T1_MS;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(options: RetransmissionOptions) {
    this.#options = options;
    this.#arm();
  }

  /** The transaction changed its state. */
  check(): void {
    if (this.#options.pace() === 'stop') this.stop();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#options.onStop();
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => this.#fire(), this.#intervalMs);
  }

  #fire(): void {
    const pace = this.#options.pace();
    if (pace === 'stop') {
      this.stop();
      return;
    }
    this.#options.send();
    if (this.#stopped) return;
    if (pace === 'slow') this.#intervalMs = T2_MS;
    else this.#intervalMs = pace === 'double' ? this.#intervalMs * 2 : Math.min(this.#intervalMs * 2, T2_MS);
    this.#arm();
  }
}
