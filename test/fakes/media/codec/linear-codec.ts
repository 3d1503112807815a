/** Samples as they are, at any rate and beside any clock: stands for the codecs that are not written yet. */
import type { AudioCodec } from '../../../../contract/audio-codecs';
import { FRAME_MS } from '../../../../media/audio/frame';
import type { Codec } from '../../../../media/codec/codec';
import { LossConcealment } from '../../../../media/codec/loss-concealment';

export const LINEAR = 'L16' as AudioCodec;
export const LINEAR_PAYLOAD_TYPE = 96;

export interface LinearOptions {
  readonly sampleRateHz: number;
  readonly clockRateHz: number;
  /** Default 2; with one the lower half of each sample is lost. */
  readonly sampleBytes?: 1 | 2;
}

export class LinearCodec implements Codec {
  readonly name = LINEAR;
  readonly clockRateHz: number;
  readonly sampleRateHz: number;
  readonly frameTicks: number;
  readonly frameSamples: number;
  readonly frameBytes: number;
  readonly packetLossRobustness = 10;
  readonly #sampleBytes: 1 | 2;
  readonly #concealment: LossConcealment;

  constructor({ sampleRateHz, clockRateHz, sampleBytes = 2 }: LinearOptions) {
    this.clockRateHz = clockRateHz;
    this.sampleRateHz = sampleRateHz;
    this.frameTicks = (clockRateHz * FRAME_MS) / 1000;
    this.frameSamples = (sampleRateHz * FRAME_MS) / 1000;
    this.frameBytes = sampleBytes * this.frameSamples;
    this.#sampleBytes = sampleBytes;
    this.#concealment = new LossConcealment(sampleRateHz);
  }

  ticksOf(payloadBytes: number): number {
    return (payloadBytes * this.frameTicks) / this.frameBytes;
  }

  decode(payload: Uint8Array, from: number, ticks: number, out: Int16Array, at: number): void {
    const [first, to] = [this.#sampleAt(at), this.#sampleAt(at + ticks)];
    const source = this.#sampleAt(from);
    for (let i = first; i < to; i++) out[i] = this.#read(payload, source + i - first);
    this.#concealment.good(out, first, to);
  }

  conceal(out: Int16Array, from: number, to: number): void {
    this.#concealment.conceal(out, this.#sampleAt(from), this.#sampleAt(to));
  }

  encode(pcm: Int16Array, out: Uint8Array, at: number): void {
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i]!;
      out[at + i * this.#sampleBytes] = sample >> 8;
      if (this.#sampleBytes === 2) out[at + 2 * i + 1] = sample & 0xff;
    }
  }

  encodeSilence(out: Uint8Array, at: number): void {
    out.fill(0, at, at + this.frameBytes);
  }

  reset(): void {
    this.#concealment.reset();
  }

  #read(payload: Uint8Array, index: number): number {
    const high = payload[index * this.#sampleBytes]!;
    const sample = (high << 8) | (this.#sampleBytes === 2 ? payload[2 * index + 1]! : 0);
    return sample >= 0x8000 ? sample - 0x10000 : sample;
  }

  #sampleAt(tick: number): number {
    return Math.floor((tick * this.frameSamples) / this.frameTicks);
  }
}
