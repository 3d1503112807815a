/**
 * DTMF digits out of telephone-event packets (RFC 4733 §2.3):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     event     |E|R| volume    |          duration             |
 *
 * All packets of one key press carry its start as timestamp: one digit per timestamp, reported at its first end packet,
 * or, when all three of them are lost, when the next event starts or nothing came for 200 ms.
 */
import { timestampDistance } from './sequence-number';

const DIGITS = '0123456789*#ABCD';
const LOST_END_MS = 200;
/** A press beyond the 16-bit duration goes on as a new segment that starts where the last one ended (§2.5.1.3). */
const SEGMENT_TICKS = 0xffff;

export class DtmfReceiver {
  readonly #ticksPerMs: number;
  readonly #onDigit: (digit: string, durationMs: number) => void;
  #event = -1;
  #timestamp = 0;
  #durationTicks = 0;
  #earlierTicks = 0;
  #ended = true;
  #lastMs = 0;

  constructor(clockRateHz: number, onDigit: (digit: string, durationMs: number) => void) {
    this.#ticksPerMs = clockRateHz / 1000;
    this.#onDigit = onDigit;
  }

  receive(timestamp: number, bytes: Uint8Array, offset: number, payloadBytes: number, nowMs: number): void {
    if (payloadBytes < 4) return;
    const event = bytes[offset] as number;
    if (event >= DIGITS.length) return;
    const end = ((bytes[offset + 1] as number) & 0x80) !== 0;
    const durationTicks = ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number);
    if (this.#event < 0 || timestamp !== this.#timestamp) {
      if (this.#event >= 0 && timestampDistance(this.#timestamp, timestamp) <= 0) return;
      if (this.#isNextSegment(event, timestamp)) {
        this.#earlierTicks += SEGMENT_TICKS;
      } else {
        this.#finish();
        this.#earlierTicks = 0;
      }
      this.#event = event;
      this.#timestamp = timestamp;
      this.#durationTicks = 0;
      this.#ended = false;
    }
    if (this.#ended) return;
    this.#lastMs = nowMs;
    this.#durationTicks = Math.max(this.#durationTicks, durationTicks);
    if (end) this.#finish();
  }

  /** To be called now and then (every frame): ends an event whose end packets were lost. */
  poll(nowMs: number): void {
    if (!this.#ended && nowMs - this.#lastMs >= LOST_END_MS) this.#finish();
  }

  /** Another SSRC follows: its timestamps have nothing to do with those before. */
  reset(): void {
    this.#finish();
    this.#event = -1;
  }

  #isNextSegment(event: number, timestamp: number): boolean {
    return (
      !this.#ended &&
      event === this.#event &&
      this.#durationTicks === SEGMENT_TICKS &&
      timestampDistance(this.#timestamp, timestamp) === SEGMENT_TICKS
    );
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    const ticks = this.#earlierTicks + this.#durationTicks;
    this.#onDigit(DIGITS[this.#event] as string, Math.round(ticks / this.#ticksPerMs));
  }
}
