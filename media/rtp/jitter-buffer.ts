/**
 * Packets of one stream in the order of their timestamps, and the position up to which they were played. The position
 * advances with our clock, one frame per tick, whether packets come or not; so its distance to arriving packets is the
 * delay, which `excessMs` compares with what the stream needs. The reader corrects it with `skip` and `stretch`.
 *
 * A stream of which nothing is known yet and whose first packet comes just before a frame is played with that frame, not
 * for the most part with the one after: it begins below its target. The reader makes up for that once it is not heard, or
 * the stream has run dry.
 *
 * Ordering by timestamp (unwrapped) makes lost, reordered and duplicate packets, silence suppression and any packet
 * duration one case. A jump of the time line, or packets that keep coming late, anchor the position anew.
 */
import { unwrapTimestamp } from './sequence-number';

import type { DelayEstimator } from './delay-estimator';

const MAX_PACKETS = 64;
const MAX_PAYLOAD_BYTES = 1600;
/** Further from the position than this is another time line. */
const JUMP_MS = 2000;
const LATE_IN_A_ROW = 5;
const IDLE_FRAMES = 10;

export type InsertOutcome = 'queued' | 'duplicate' | 'late' | 'overflow';

export interface QueuedPacket {
  /** Unwrapped. */
  timestamp: number;
  durationTicks: number;
  payloadType: number;
  payload: Uint8Array;
  payloadBytes: number;
}

export interface JitterBufferOptions {
  readonly clockRateHz: number;
  readonly frameTicks: number;
  readonly estimator: DelayEstimator;
}

export class JitterBuffer {
  readonly #ticksPerMs: number;
  readonly #frameTicks: number;
  readonly #estimator: DelayEstimator;
  readonly #queue: QueuedPacket[] = [];
  readonly #free: QueuedPacket[] = [];
  #started = false;
  /** Timestamp of the next sample to play. */
  #position = 0;
  #frameAtMs: number | null = null;
  #delayTicks = 0;
  #idleFrames = 0;
  #lateInARow = 0;

  constructor(options: JitterBufferOptions) {
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#frameTicks = options.frameTicks;
    this.#estimator = options.estimator;
  }

  get position(): number {
    return this.#position;
  }

  get started(): boolean {
    return this.#started;
  }

  /** Present delay of the fastest packets between arrival and being played. */
  get delayMs(): number {
    return this.#delayTicks / this.#ticksPerMs;
  }

  /** Nothing is there to be played, now or later. */
  get dry(): boolean {
    return this.head(this.#position) === null;
  }

  /** What is next comes a frame after the position, or later. */
  get beyondFrame(): boolean {
    const next = this.head(this.#position);
    return next !== null && next.timestamp >= this.#position + this.#frameTicks;
  }

  /** Delay beyond (negative: below) the target. */
  get excessMs(): number {
    return this.#started ? this.delayMs - this.#estimator.targetMs : 0;
  }

  /** Copies the payload. Positional arguments: an object per packet would be garbage per packet. */
  insert(
    wireTimestamp: number,
    durationTicks: number,
    payloadType: number,
    bytes: Uint8Array,
    offset: number,
    payloadBytes: number,
    nowMs: number,
  ): InsertOutcome {
    if (payloadBytes > MAX_PAYLOAD_BYTES) return 'overflow';
    const timestamp = this.#started ? unwrapTimestamp(this.#position, wireTimestamp) : wireTimestamp;
    const jumped = Math.abs(timestamp - this.#position) > JUMP_MS * this.#ticksPerMs;
    if (!this.#started || jumped) {
      this.#anchor(timestamp, durationTicks, nowMs);
    } else if (timestamp + durationTicks <= this.#position) {
      // A packet that comes after its time is lost to us, unless there is nothing better or its successors are like it.
      this.#lateInARow++;
      if (this.#idleFrames < IDLE_FRAMES && this.#lateInARow < LATE_IN_A_ROW) {
        this.#measure(timestamp, nowMs);
        return 'late';
      }
      this.#anchor(timestamp, durationTicks, nowMs);
    } else {
      this.#lateInARow = 0;
      this.#measure(timestamp, nowMs);
    }
    return this.#enqueue(timestamp, durationTicks, payloadType, bytes, offset, payloadBytes);
  }

  /** First packet that reaches beyond `timestamp`; those played are released. */
  head(timestamp: number): QueuedPacket | null {
    for (;;) {
      const packet = this.#queue[0];
      if (packet === undefined) return null;
      if (packet.timestamp + packet.durationTicks > timestamp) return packet;
      this.#queue.shift();
      this.#free.push(packet);
    }
  }

  /** A frame passed before the first packet. */
  wait(nowMs: number): void {
    this.#frameAtMs = nowMs;
  }

  /** A frame was played from the position on. */
  advance(nowMs: number): void {
    this.#position += this.#frameTicks;
    this.#frameAtMs = nowMs;
    this.#idleFrames = this.#queue.length === 0 ? this.#idleFrames + 1 : 0;
  }

  /** Leaves out one frame: the delay shrinks. */
  skip(): void {
    this.#position += this.#frameTicks;
    this.#delayTicks -= this.#frameTicks;
  }

  /** A frame was filled in and the position stays: the delay grows. */
  stretch(nowMs: number): void {
    this.#frameAtMs = nowMs;
    this.#delayTicks += this.#frameTicks;
  }

  /** Another stream follows. */
  reset(): void {
    this.#clear();
    this.#started = false;
  }

  #anchor(timestamp: number, durationTicks: number, nowMs: number): void {
    this.#clear();
    const untilFrame = this.#ticksToNextFrame(nowMs);
    const shallow = !this.#estimator.known && durationTicks >= this.#frameTicks && untilFrame * 2 < this.#frameTicks;
    this.#estimator.rebase();
    this.#estimator.update(nowMs - timestamp / this.#ticksPerMs, nowMs);
    this.#started = true;
    this.#delayTicks = shallow ? untilFrame : this.#estimator.targetMs * this.#ticksPerMs;
    this.#position = Math.round(timestamp + untilFrame - this.#delayTicks);
  }

  #measure(timestamp: number, nowMs: number): void {
    const aboveMs = this.#estimator.update(nowMs - timestamp / this.#ticksPerMs, nowMs);
    const slackTicks = timestamp - this.#position + this.#ticksToNextFrame(nowMs);
    this.#delayTicks = slackTicks + aboveMs * this.#ticksPerMs;
  }

  /** Between now and the reading of the frame that starts at the position. */
  #ticksToNextFrame(nowMs: number): number {
    const sinceMs = this.#frameAtMs === null ? 0 : nowMs - this.#frameAtMs;
    return this.#frameTicks - sinceMs * this.#ticksPerMs;
  }

  #enqueue(
    timestamp: number,
    durationTicks: number,
    payloadType: number,
    bytes: Uint8Array,
    offset: number,
    payloadBytes: number,
  ): InsertOutcome {
    const queue = this.#queue;
    if (queue.length >= MAX_PACKETS) return 'overflow';
    let at = queue.length;
    while (at > 0 && (queue[at - 1] as QueuedPacket).timestamp > timestamp) at--;
    if (at > 0 && (queue[at - 1] as QueuedPacket).timestamp === timestamp) return 'duplicate';
    const packet = this.#free.pop() ?? emptyPacket();
    packet.timestamp = timestamp;
    packet.durationTicks = durationTicks;
    packet.payloadType = payloadType;
    packet.payloadBytes = payloadBytes;
    if (packet.payload.length < payloadBytes) packet.payload = new Uint8Array(payloadBytes);
    for (let i = 0; i < payloadBytes; i++) packet.payload[i] = bytes[offset + i] as number;
    if (at === queue.length) queue.push(packet);
    else queue.splice(at, 0, packet);
    return 'queued';
  }

  #clear(): void {
    this.#free.push(...this.#queue.splice(0));
    this.#idleFrames = 0;
    this.#lateInARow = 0;
  }
}

function emptyPacket(): QueuedPacket {
  return { timestamp: 0, durationTicks: 0, payloadType: 0, payload: new Uint8Array(0), payloadBytes: 0 };
}
