/**
 * Jitter buffer → decoder → loss concealment: one 20 ms frame of PCM per call of `frame`. Keeps the delay near its
 * target by leaving frames out or filling them in, in quiet moments when it can wait for one.
 */
import { FRAME_SAMPLES } from '../audio/audio-batch';
import { decodeG711 } from '../codec/g711';
import { LossConcealment } from '../codec/loss-concealment';

import type { G711Law } from '../codec/g711';
import type { JitterBuffer } from './jitter-buffer';

/** Mean magnitude below which a frame left out or in is not heard (about −42 dBov). */
const QUIET_MEAN = 250;
const SHRINK_QUIET_TICKS = 200;
const SHRINK_ALWAYS_TICKS = 480;
const STRETCH_QUIET_TICKS = -80;
const STRETCH_ALWAYS_TICKS = -160;

export class Playout {
  readonly #buffer: JitterBuffer;
  readonly #concealment = new LossConcealment();
  readonly #second = new Int16Array(FRAME_SAMPLES);
  #quiet = true;
  #framesHeard = 0;

  constructor(buffer: JitterBuffer) {
    this.#buffer = buffer;
  }

  /** Frames that were received and more than silence. */
  get framesHeard(): number {
    return this.#framesHeard;
  }

  /** Fills `out` with the next 20 ms; true when at least half of it was received. `lawOf` names a payload type's law. */
  frame(out: Int16Array, lawOf: (payloadType: number) => G711Law, nowMs: number): boolean {
    const buffer = this.#buffer;
    if (!buffer.started) {
      buffer.wait(nowMs);
      out.fill(0);
      return false;
    }
    const excess = buffer.excessTicks;
    if (excess <= STRETCH_ALWAYS_TICKS || (this.#quiet && excess <= STRETCH_QUIET_TICKS)) {
      this.#concealment.conceal(out, 0, FRAME_SAMPLES);
      buffer.stretch(nowMs);
      return false;
    }
    if (this.#quiet && excess >= SHRINK_QUIET_TICKS) buffer.skip();
    const received = this.#read(out, lawOf);
    if (!this.#quiet && excess >= SHRINK_ALWAYS_TICKS) {
      buffer.skip();
      this.#read(this.#second, lawOf);
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        const weight = i / FRAME_SAMPLES;
        out[i] = Math.round((out[i] as number) * (1 - weight) + (this.#second[i] as number) * weight);
      }
    }
    buffer.advance(nowMs);
    this.#quiet = !received || meanMagnitude(out) < QUIET_MEAN;
    if (!this.#quiet) this.#framesHeard++;
    return received;
  }

  reset(): void {
    this.#buffer.reset();
    this.#concealment.reset();
  }

  #read(out: Int16Array, lawOf: (payloadType: number) => G711Law): boolean {
    const start = this.#buffer.position;
    let at = 0;
    let receivedSamples = 0;
    while (at < FRAME_SAMPLES) {
      const packet = this.#buffer.head(start + at);
      const gapEnd = packet === null ? FRAME_SAMPLES : Math.min(FRAME_SAMPLES, packet.timestamp - start);
      if (gapEnd > at) {
        this.#concealment.conceal(out, at, gapEnd);
        at = gapEnd;
        continue;
      }
      if (packet === null) break;
      const from = start + at - packet.timestamp;
      const count = Math.min(FRAME_SAMPLES - at, packet.durationTicks - from);
      decodeG711(lawOf(packet.payloadType), packet.payload, from, count, out, at);
      this.#concealment.good(out, at, at + count);
      at += count;
      receivedSamples += count;
    }
    return receivedSamples * 2 >= FRAME_SAMPLES;
  }
}

function meanMagnitude(pcm: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) sum += Math.abs(pcm[i] as number);
  return sum / pcm.length;
}
