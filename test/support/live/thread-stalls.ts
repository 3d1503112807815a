/** When the test's own thread stood still: what came meanwhile, it has read late. */
import type { Gap } from './audio-gaps';

const TICK_MS = 20;
const NOTED_FROM_MS = 100;

export class ThreadStalls {
  /** Epoch ms. */
  readonly noted: Gap[] = [];
  readonly #timer: NodeJS.Timeout;
  #lastMs = Date.now();

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = Date.now();
    if (nowMs - this.#lastMs >= NOTED_FROM_MS) this.noted.push({ startMs: this.#lastMs, endMs: nowMs });
    this.#lastMs = nowMs;
  }
}
