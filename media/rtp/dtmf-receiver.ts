/**
 * DTMF digits out of telephone-event packets (RFC 4733 §2.3):
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     event     |E|R| volume    |          duration             |
 *
 * One digit per key press, reported at its first end packet, or, when all of them are lost or none is sent, when another
 * press starts or nothing came for 200 ms. The packets of a press should carry its start as timestamp; of senders that
 * move it, or freeze it, `#isSamePress` tells by sequence numbers and durations what belongs together.
 */
import { sequenceDistance, timestampDistance } from './sequence-number';

import type { RtpPacketView } from './packet';

const DIGITS = '0123456789*#ABCD';
const LOST_END_MS = 200;
/** Farther back than packets overtake each other: the sender has restarted its numbers. */
const MAX_MISORDER_PACKETS = 100;
/** A press beyond the 16-bit duration goes on as a new segment that starts where the last one ended (§2.5.1.3). */
const SEGMENT_TICKS = 0xffff;
/** Seen this long without an end, it goes on: in a next segment, or in a counter that wrapped. */
const LONG_PRESS_TICKS = 0xc000;
/** Nobody lets go of a key for less before pressing it again. */
const SHORTEST_PAUSE_MS = 30;
/** Fewer than lie between the last packet of a press and the next one's end. */
const FEW_PACKETS = 6;
const REPEATED_END_MS = 1000;
const UPDATE_MS = 20;

export class DtmfReceiver {
  /** Of the durations. */
  readonly clockRateHz: number;
  readonly #ticksPerMs: number;
  readonly #onDigit: (digit: string, durationMs: number) => void;
  /** Of the press last heard of, reported or not. */
  #event = -1;
  #ssrc = 0;
  #sequenceNumber = 0;
  /** The earliest that the press can have begun. */
  #startTimestamp = 0;
  #timestamp = 0;
  #durationTicks = 0;
  #earlierTicks = 0;
  #endSeen = false;
  #reported = true;
  #lastMs = 0;

  constructor(clockRateHz: number, onDigit: (digit: string, durationMs: number) => void) {
    this.clockRateHz = clockRateHz;
    this.#ticksPerMs = clockRateHz / 1000;
    this.#onDigit = onDigit;
  }

  receive(view: RtpPacketView, bytes: Uint8Array, nowMs: number): void {
    if (view.payloadBytes < 4) return;
    const offset = view.payloadOffset;
    const event = bytes[offset] as number;
    if (event >= DIGITS.length || this.#isLate(view)) return;
    const end = ((bytes[offset + 1] as number) & 0x80) !== 0;
    const durationTicks = ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number);
    if (event === this.#event && this.#isSamePress(view, end, durationTicks, nowMs)) {
      this.#follow(view.timestamp, durationTicks);
    } else {
      this.#finish();
      this.#event = event;
      this.#startTimestamp = (view.timestamp - durationTicks) >>> 0;
      this.#durationTicks = durationTicks;
      this.#earlierTicks = 0;
      this.#reported = false;
    }
    this.#ssrc = view.ssrc;
    this.#sequenceNumber = view.sequenceNumber;
    this.#timestamp = view.timestamp;
    this.#lastMs = nowMs;
    this.#endSeen = end;
    if (end) this.#finish();
  }

  /** To be called now and then (every frame): ends an event whose end packets were lost. */
  poll(nowMs: number): void {
    if (!this.#reported && nowMs - this.#lastMs >= LOST_END_MS) this.#finish();
  }

  /** A duplicate, or overtaken by a later packet: that one has told more. */
  #isLate({ ssrc, sequenceNumber }: RtpPacketView): boolean {
    if (this.#event < 0 || ssrc !== this.#ssrc) return false;
    const ahead = sequenceDistance(this.#sequenceNumber, sequenceNumber);
    return ahead <= 0 && ahead > -MAX_MISORDER_PACKETS;
  }

  /** A later packet of the same digit: does it go on with the press, or is the key pressed again? */
  #isSamePress(view: RtpPacketView, end: boolean, durationTicks: number, nowMs: number): boolean {
    const ticks = timestampDistance(this.#timestamp, view.timestamp);
    if (view.ssrc !== this.#ssrc) return ticks === 0;
    const packets = sequenceDistance(this.#sequenceNumber, view.sequenceNumber);
    const goesOn = ticks >= this.#durationTicks && ticks - this.#durationTicks < this.#inTicks(SHORTEST_PAUSE_MS);
    const sinceMs = nowMs - this.#lastMs;
    const noTime = sinceMs < durationTicks / this.#ticksPerMs + SHORTEST_PAUSE_MS;
    if (this.#endSeen) {
      // Some end each segment of a long press; else only the end is repeated, as it was.
      if (goesOn && this.#durationTicks >= LONG_PRESS_TICKS) return true;
      if (!end || durationTicks < this.#durationTicks) return false;
      if (ticks === 0) return sinceMs < REPEATED_END_MS;
      if (!noTime) return false;
    } else {
      if (ticks > 0 && ticks % SEGMENT_TICKS === 0) return true;
      if (this.#mayHaveWrapped(ticks, durationTicks)) return true;
      // Within a press the duration grows; the last packet may state the one that was meant.
      const grows = end || durationTicks >= this.#durationTicks;
      if (!grows) return goesOn;
      if (ticks <= 0 && timestampDistance(this.#startTimestamp, view.timestamp) >= 0) return true;
      // Timestamps that move along with the duration, of which many packets may be lost.
      const moved = ticks === durationTicks - this.#durationTicks && ticks >= packets * this.#inTicks(UPDATE_MS);
      if (moved) return true;
    }
    // It would have begun before the last one ended.
    if (ticks > 0 && ticks < this.#durationTicks + this.#inTicks(SHORTEST_PAUSE_MS)) return true;
    // Any timestamp: there were neither the packets nor the time for a press of that duration.
    return noTime && packets > 0 && packets <= FEW_PACKETS;
  }

  #mayHaveWrapped(ticks: number, durationTicks: number): boolean {
    if (durationTicks >= this.#durationTicks || this.#durationTicks < LONG_PRESS_TICKS) return false;
    return ticks === 0 || (ticks >= this.#durationTicks && ticks <= SEGMENT_TICKS + this.#inTicks(SHORTEST_PAUSE_MS));
  }

  #follow(timestamp: number, durationTicks: number): void {
    const ticks = timestampDistance(this.#timestamp, timestamp);
    const wrapped = this.#mayHaveWrapped(ticks, durationTicks);
    if (wrapped || (durationTicks < this.#durationTicks && ticks >= this.#durationTicks)) {
      this.#earlierTicks += ticks > 0 ? ticks : SEGMENT_TICKS + 1;
      this.#durationTicks = durationTicks;
    } else {
      this.#durationTicks = Math.max(this.#durationTicks, durationTicks);
    }
  }

  #inTicks(ms: number): number {
    return ms * this.#ticksPerMs;
  }

  #finish(): void {
    if (this.#reported) return;
    this.#reported = true;
    const ticks = this.#earlierTicks + this.#durationTicks;
    this.#onDigit(DIGITS[this.#event] as string, Math.round(ticks / this.#ticksPerMs));
  }
}
