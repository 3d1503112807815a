/** Collects pressed keys until `#` or a gap of two seconds. */
import { after } from '../after';
import type { Clock } from '../../clock';

const GAP_MS = 2_000;
const MAX_DIGITS = 64;

export class DtmfCollector {
  readonly #clock: Clock;
  readonly #onCollected: (digits: readonly string[]) => void;
  #digits: string[] = [];
  #cancelGap: (() => void) | null = null;

  constructor(clock: Clock, onCollected: (digits: readonly string[]) => void) {
    this.#clock = clock;
    this.#onCollected = onCollected;
  }

  get collecting(): boolean {
    return this.#digits.length > 0;
  }

  push(digit: string): void {
    this.#digits.push(digit);
    this.#cancelGap?.();
    this.#cancelGap = null;
    if (digit === '#' || this.#digits.length >= MAX_DIGITS) this.#finish();
    else this.#cancelGap = after(this.#clock, GAP_MS, () => this.#finish());
  }

  /** What has been pressed since, of which nothing more is told. */
  take(): readonly string[] {
    const digits = this.#digits;
    this.dispose();
    return digits;
  }

  dispose(): void {
    this.#cancelGap?.();
    this.#cancelGap = null;
    this.#digits = [];
  }

  #finish(): void {
    this.#onCollected(this.take());
  }
}

/** What the responder and the transcript get. */
export function pressedText(digits: readonly string[]): string {
  return `[pressed ${digits.join(' ')}]`;
}
