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
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, timeoutMs: number, delegate: SilenceDelegate) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#delegate = delegate;
  }

  /** Nobody speaks from now on. */
  arm(): void {
    this.rest();
    this.#cancel = after(this.#clock, this.#timeoutMs, () => {
      this.#cancel = null;
      if (this.#asked < QUESTIONS) this.#delegate.onAsk(this.#asked++);
      else this.#delegate.onGiveUp();
    });
  }

  /** Somebody speaks, or is about to. */
  rest(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** The caller is there. */
  reset(): void {
    this.#asked = 0;
  }
}
