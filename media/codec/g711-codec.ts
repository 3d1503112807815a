/** Either law of G.711: an octet, a sample and a tick of the clock are one, and each stands for itself. */
import { FRAME_MS } from '../audio/frame';
import type { Codec } from './codec';
import { decodeG711, encodeG711 } from './g711';
import type { G711Law } from './g711';
import { LossConcealment } from './loss-concealment';
import { RTP_FORMATS } from './rtp-format';

export class G711Codec implements Codec {
  readonly name: G711Law;
  readonly clockRateHz: number;
  readonly sampleRateHz: number;
  readonly frameTicks: number;
  readonly frameSamples: number;
  readonly frameBytes: number;
  /** With packet loss concealment (G.113 Appendix I). */
  readonly packetLossRobustness = 25.1;
  readonly #silence: Uint8Array;
  readonly #concealment: LossConcealment;

  constructor(law: G711Law) {
    this.name = law;
    this.clockRateHz = RTP_FORMATS[law].clockRateHz;
    this.sampleRateHz = this.clockRateHz;
    this.frameTicks = (this.clockRateHz * FRAME_MS) / 1000;
    this.frameSamples = this.frameTicks;
    this.frameBytes = this.frameTicks;
    this.#concealment = new LossConcealment(this.sampleRateHz);
    this.#silence = new Uint8Array(this.frameBytes);
    this.encode(new Int16Array(this.frameSamples), this.#silence, 0);
  }

  ticksOf(payloadBytes: number): number {
    return payloadBytes;
  }

  decode(payload: Uint8Array, from: number, ticks: number, out: Int16Array, at: number): void {
    decodeG711(this.name, payload, from, ticks, out, at);
    this.#concealment.good(out, at, at + ticks);
  }

  conceal(out: Int16Array, from: number, to: number): void {
    this.#concealment.conceal(out, from, to);
  }

  encode(pcm: Int16Array, out: Uint8Array, at: number): void {
    encodeG711(this.name, pcm, 0, this.frameSamples, out, at);
  }

  encodeSilence(out: Uint8Array, at: number): void {
    out.set(this.#silence, at);
  }

  reset(): void {
    this.#concealment.reset();
  }
}
