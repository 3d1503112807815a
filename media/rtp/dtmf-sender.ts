/**
 * Keys that we press, as telephone-events (RFC 4733 §2.5): one packet per frame in place of audio, all of one key with
 * the timestamp of its beginning and a duration that grows; its end told three times.
 */
import { FRAME_MS } from '../audio/frame';

const EVENTS = '0123456789*#ABCD';
/** Half a second of nothing. */
const PAUSE = 'w';
const PAUSE_FRAMES = 500 / FRAME_MS;
/** Networks take 40 ms for a key, many phones want 70. */
const TONE_FRAMES = 5;
/** RFC 4733 §2.5.1.4: the last packet, and twice more for a network that loses some. */
const END_PACKETS = 3;
const GAP_FRAMES = 4;
/** dBm0 below zero: what phones send. */
const VOLUME = 10;
const END_BIT = 0x80;

export const TELEPHONE_EVENT_BYTES = 4;

/** Passed on from somebody who presses faster than we: what is beyond is dropped. */
const MAX_RELAYED = 32;

interface Batch {
  readonly keys: string;
  readonly onSent: ((sent: boolean) => void) | null;
}

export class DtmfSender {
  readonly #batches: Batch[] = [];
  #key = 0;
  /** Of this key, or of the pause. */
  #frames = 0;
  #startTimestamp = 0;

  /** Something is being pressed, or rests between two keys. */
  get busy(): boolean {
    return this.#batches.length > 0;
  }

  /** Timestamp of the packet that `frame` has written. */
  get timestamp(): number {
    return this.#startTimestamp;
  }

  /** `keys` of `0-9*#A-Dw`; `onSent` once: false when the session closed before. */
  press(keys: string, onSent: (sent: boolean) => void): void {
    if (keys === '') onSent(true);
    else this.#batches.push({ keys, onSent });
  }

  /** A key that another peer pressed. */
  relay(key: string): void {
    if (this.#batches.length < MAX_RELAYED) this.#batches.push({ keys: key, onSent: null });
  }

  /** Keys of another peer that wait are not pressed any more; one that is down goes up in its time. */
  dropRelayed(): void {
    const down = this.#frames > 0 ? this.#batches[0] : undefined;
    for (let i = this.#batches.length - 1; i >= 0; i--) {
      const batch = this.#batches[i] as Batch;
      if (batch.onSent === null && batch !== down) this.#batches.splice(i, 1);
    }
  }

  /**
   * One frame on, `ticks` of the event's clock: writes its payload at `offset` of `out`. `timestamp` is the stream's. `first`: the
   * key begins. `rest`: nothing is pressed in this frame.
   */
  frame(out: Uint8Array, offset: number, timestamp: number, ticks: number): 'first' | 'more' | 'rest' {
    const key = this.#batches[0]?.keys[this.#key];
    if (key === undefined || key === PAUSE) {
      if (++this.#frames >= PAUSE_FRAMES) this.#next();
      return 'rest';
    }
    if (this.#frames === 0) this.#startTimestamp = timestamp;
    const frame = this.#frames++;
    if (frame >= TONE_FRAMES + END_PACKETS) {
      if (frame === TONE_FRAMES + END_PACKETS + GAP_FRAMES - 1) this.#next();
      return 'rest';
    }
    const duration = Math.min(frame + 1, TONE_FRAMES) * ticks;
    out[offset] = EVENTS.indexOf(key);
    out[offset + 1] = (frame >= TONE_FRAMES ? END_BIT : 0) | VOLUME;
    out[offset + 2] = duration >> 8;
    out[offset + 3] = duration & 0xff;
    return frame === 0 ? 'first' : 'more';
  }

  /** Nothing is sent any more. */
  abandon(): void {
    for (const { onSent } of this.#batches.splice(0)) onSent?.(false);
  }

  #next(): void {
    this.#frames = 0;
    const batch = this.#batches[0];
    if (batch === undefined || ++this.#key < batch.keys.length) return;
    this.#key = 0;
    this.#batches.shift();
    batch.onSent?.(true);
  }
}
