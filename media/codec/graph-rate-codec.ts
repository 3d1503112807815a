/**
 * Where a session joins the graph: a codec of another rate, as one that has the graph's. Nothing else in the way of a frame
 * changes a rate. What it adds is the reach of its low-pass, 3 ms each way.
 */
import { Decimator } from '../audio/decimator';
import { GRAPH_FRAME_SAMPLES, GRAPH_RATE_HZ } from '../audio/frame';
import { Interpolator } from '../audio/interpolator';
import { lowPass } from '../audio/low-pass';
import { toSamples } from '../audio/samples';
import type { Codec } from './codec';

/** More than the filters remember. */
const SILENCE = new Int16Array(GRAPH_FRAME_SAMPLES);

/**
 * The codec itself where it has the rate of the graph.
 *
 * @throws RangeError for a rate that is no multiple of the graph's
 */
export function atGraphRate(codec: Codec): Codec {
  return codec.sampleRateHz === GRAPH_RATE_HZ ? codec : new GraphRateCodec(codec);
}

class GraphRateCodec implements Codec {
  readonly name: Codec['name'];
  readonly clockRateHz: number;
  readonly sampleRateHz = GRAPH_RATE_HZ;
  readonly frameTicks: number;
  readonly frameSamples = GRAPH_FRAME_SAMPLES;
  readonly frameBytes: number;
  readonly packetLossRobustness: number;
  readonly #codec: Codec;
  readonly #factor: number;
  readonly #decimator: Decimator;
  readonly #interpolator: Interpolator;
  /** A frame of the codec's, and both rates before they are rounded. */
  readonly #wide: Int16Array;
  readonly #wideValues: Float32Array;
  readonly #values = new Float32Array(GRAPH_FRAME_SAMPLES);
  /** What was encoded last is not silence, as far as the filter remembers. */
  #rings = false;

  constructor(codec: Codec) {
    const { frameSamples, sampleRateHz } = codec;
    const factor = sampleRateHz / GRAPH_RATE_HZ;
    if (!Number.isInteger(factor)) throw new RangeError(`${sampleRateHz} Hz is no multiple of the graph's rate`);
    this.name = codec.name;
    this.clockRateHz = codec.clockRateHz;
    this.frameTicks = codec.frameTicks;
    this.frameBytes = codec.frameBytes;
    this.packetLossRobustness = codec.packetLossRobustness;
    this.#codec = codec;
    this.#factor = factor;
    const kernel = lowPass(factor);
    this.#decimator = new Decimator(kernel, factor, frameSamples);
    this.#interpolator = new Interpolator(kernel, factor, GRAPH_FRAME_SAMPLES);
    this.#wide = new Int16Array(frameSamples);
    this.#wideValues = new Float32Array(frameSamples);
  }

  ticksOf(payloadBytes: number): number {
    return this.#codec.ticksOf(payloadBytes);
  }

  decode(payload: Uint8Array, from: number, ticks: number, out: Int16Array, at: number): void {
    this.#codec.decode(payload, from, ticks, this.#wide, at);
    this.#narrow(at, at + ticks, out);
  }

  conceal(out: Int16Array, from: number, to: number): void {
    this.#codec.conceal(this.#wide, from, to);
    this.#narrow(from, to, out);
  }

  encode(pcm: Int16Array, out: Uint8Array, at: number): void {
    this.#interpolator.push(pcm, this.#wideValues);
    toSamples(this.#wideValues, this.#wide, 0, this.#wide.length);
    this.#codec.encode(this.#wide, out, at);
    this.#rings = pcm !== SILENCE;
  }

  /** The end of what was said is still in the filter. */
  encodeSilence(out: Uint8Array, at: number): void {
    if (this.#rings) this.encode(SILENCE, out, at);
    else this.#codec.encodeSilence(out, at);
  }

  reset(): void {
    this.#codec.reset();
    this.#decimator.reset();
  }

  /** Ticks of the frame that has been decoded, into the same place of `out`. */
  #narrow(fromTick: number, toTick: number, out: Int16Array): void {
    const factor = this.#factor;
    const from = this.#sampleAt(fromTick);
    const to = this.#sampleAt(toTick);
    this.#decimator.push(this.#wide, from, to, this.#values);
    toSamples(this.#values, out, Math.ceil(from / factor), Math.ceil(to / factor));
  }

  #sampleAt(tick: number): number {
    return Math.floor((tick * this.#wide.length) / this.frameTicks);
  }
}
