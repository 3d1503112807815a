/**
 * Jitter buffer → decoder → loss concealment: one 20 ms frame of PCM per call of `frame`, at the graph's rate. Keeps the
 * delay near its target by leaving frames out or filling them in, in quiet moments when it can wait for one.
 */
import { GRAPH_FRAME_SAMPLES } from '../audio/frame';

import type { Codec } from '../codec/codec';
import type { JitterBuffer } from './jitter-buffer';

/** Mean magnitude below which a frame left out or in is not heard (about −42 dBov). */
const QUIET_MEAN = 250;
const SHRINK_QUIET_MS = 25;
const SHRINK_ALWAYS_MS = 60;
const STRETCH_QUIET_MS = -10;
const STRETCH_ALWAYS_MS = -20;

export class Playout {
  readonly #buffer: JitterBuffer;
  /** What the packet before was decoded by: it knows what was to follow. */
  #codec: Codec;
  readonly #second = new Int16Array(GRAPH_FRAME_SAMPLES);
  /** The last frame can be left out, or followed by one that is filled in, without being heard. */
  #quiet = false;
  #heard = false;
  #framesHeard = 0;
  /** The last frame was filled in because nothing was there. */
  #ranDry = false;

  /** `codec`: until a packet of another is read. */
  constructor(buffer: JitterBuffer, codec: Codec) {
    this.#buffer = buffer;
    this.#codec = codec;
  }

  /** Frames that were received and more than silence. */
  get framesHeard(): number {
    return this.#framesHeard;
  }

  /** Whether the last frame was one of them. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Fills `out` with the next 20 ms; true when at least half of it was received. `codecOf` a payload type. */
  frame(out: Int16Array, codecOf: (payloadType: number) => Codec, nowMs: number): boolean {
    const buffer = this.#buffer;
    if (!buffer.started) {
      buffer.wait(nowMs);
      this.#quiet = this.#heard = false;
      out.fill(0);
      return false;
    }
    const excessMs = buffer.excessMs;
    const ranDry = excessMs <= STRETCH_QUIET_MS && buffer.dry;
    if (ranDry || excessMs <= STRETCH_ALWAYS_MS || (this.#quiet && excessMs <= STRETCH_QUIET_MS)) {
      this.#codec.conceal(out, 0, this.#codec.frameTicks);
      buffer.stretch(nowMs);
      this.#ranDry = ranDry;
      return false;
    }
    // What was waited for is lost: its time has been filled in already.
    if (this.#ranDry && buffer.beyondFrame) buffer.skip();
    this.#ranDry = false;
    if (this.#quiet && excessMs >= SHRINK_QUIET_MS) buffer.skip();
    const received = this.#read(out, codecOf);
    if (!this.#quiet && excessMs >= SHRINK_ALWAYS_MS) this.#overlap(out, codecOf);
    buffer.advance(nowMs);
    this.#heard = received && meanMagnitude(out) >= QUIET_MEAN;
    this.#quiet = !this.#heard;
    if (this.#heard) this.#framesHeard++;
    return received;
  }

  reset(): void {
    this.#buffer.reset();
    this.#codec.reset();
  }

  /** Two frames in the time of one: from this one over to the next. */
  #overlap(out: Int16Array, codecOf: (payloadType: number) => Codec): void {
    this.#buffer.skip();
    this.#read(this.#second, codecOf);
    for (let i = 0; i < out.length; i++) {
      const weight = i / out.length;
      out[i] = Math.round((out[i] as number) * (1 - weight) + (this.#second[i] as number) * weight);
    }
  }

  /** Counts in ticks of the RTP clock. */
  #read(out: Int16Array, codecOf: (payloadType: number) => Codec): boolean {
    const start = this.#buffer.position;
    const { frameTicks } = this.#codec;
    let at = 0;
    let receivedTicks = 0;
    while (at < frameTicks) {
      const packet = this.#buffer.head(start + at);
      const gapEnd = packet === null ? frameTicks : Math.min(frameTicks, packet.timestamp - start);
      if (gapEnd > at) {
        this.#codec.conceal(out, at, gapEnd);
        at = gapEnd;
        continue;
      }
      if (packet === null) break;
      const from = start + at - packet.timestamp;
      const ticks = Math.min(frameTicks - at, packet.durationTicks - from);
      this.#codec = codecOf(packet.payloadType);
      this.#codec.decode(packet.payload, from, ticks, out, at);
      at += ticks;
      receivedTicks += ticks;
    }
    return receivedTicks * 2 >= frameTicks;
  }
}

function meanMagnitude(pcm: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) sum += Math.abs(pcm[i] as number);
  return sum / pcm.length;
}
