/** Nobody speaks: asks twice whether the caller is still there, then gives up. */
import { after } from '../after';
import type { Clock } from '../../clock';

const QUESTIONS = 2;

export interface SilenceDelegate {
  /** `asked`: 0 the first time. */
  onAsk(asked: number): void;
  onGiveUp(): void;
}

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #delegate: SilenceDelegate;
  #asked = 0;
  #held = false;
  /** Armed, or to be armed when the hold is over. */
  #wanted = false;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, timeoutMs: number, delegate: SilenceDelegate) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#delegate = delegate;
  }

  /** Nobody speaks from now on. */
  arm(): void {
    this.rest();
    this.#wanted = true;
    if (this.#held) return;
    this.#cancel = after(this.#clock, this.#timeoutMs, () => {
      this.#cancel = null;
      this.#wanted = false;
      if (this.#asked < QUESTIONS) this.#delegate.onAsk(this.#asked++);
      else this.#delegate.onGiveUp();
    });
  }

  /** Somebody speaks, or is about to. */
  rest(): void {
    this.#wanted = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** On hold silence does not count; afterwards it is counted anew. */
  hold(held: boolean): void {
    const wanted = this.#wanted;
    this.#held = held;
    this.rest();
    if (wanted) this.arm();
  }

  /** The caller is there. */
  reset(): void {
    this.#asked = 0;
  }
}
