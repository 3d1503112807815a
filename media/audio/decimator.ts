/**
 * One band of a stream, at a quarter of its rate. A windowed sinc (Hamming) of 48 taps, moved to the band's middle: as
 * each band lies between two multiples of 1 kHz, half the lower rate, nothing of it folds onto itself.
 */
import { GRAPH_RATE_HZ } from './frame';

export const DECIMATION = 4;
const TAPS = 48;

export interface Band {
  readonly kernel: Float32Array;
  /** Of the sample before, taken from each (first-order pre-emphasis). */
  readonly emphasis: number;
}

/** Below 850 Hz: most of a voice's power, with its slope taken out, so that no harmonic outweighs the rest. */
export const VOICE_BAND: Band = { kernel: kernel(0, 850), emphasis: 0.9 };
/** About 2.1 to 2.9 kHz: hisses, of which the other has nothing, as far as every line carries them. */
export const HISS_BAND: Band = { kernel: kernel(2500, 425), emphasis: 0 };

export class Decimator {
  readonly #band: Band;
  /** The last taps of what came before, then the block. */
  #input = new Float32Array(TAPS);
  #output = new Float32Array(0);
  #filled = 0;
  #previous = 0;

  constructor(band: Band) {
    this.#band = band;
  }

  /** Blocks of one stream, of a multiple of `DECIMATION` samples. What it returns is overwritten by the next. */
  push(pcm: Int16Array): Float32Array {
    const count = pcm.length / DECIMATION;
    if (this.#output.length !== count) this.#resize(pcm.length);
    const { kernel, emphasis } = this.#band;
    const input = this.#input;
    input.copyWithin(0, this.#filled, this.#filled + TAPS);
    input.set(pcm, TAPS);
    this.#filled = pcm.length;
    for (let i = 0; i < count; i++) {
      const from = i * DECIMATION;
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += kernel[k]! * input[from + k]!;
      this.#output[i] = sum - emphasis * this.#previous;
      this.#previous = sum;
    }
    return this.#output;
  }

  /** As if silence had come before. */
  reset(): void {
    this.#input.fill(0);
    this.#previous = 0;
  }

  #resize(samples: number): void {
    const input = new Float32Array(TAPS + samples);
    input.set(this.#input.subarray(this.#filled, this.#filled + TAPS));
    this.#input = input;
    this.#filled = 0;
    this.#output = new Float32Array(samples / DECIMATION);
  }
}

function kernel(middleHz: number, halfWidthHz: number): Float32Array {
  const cutOff = halfWidthHz / GRAPH_RATE_HZ;
  const taps = Float32Array.from({ length: TAPS }, (_, i) => {
    const t = i - (TAPS - 1) / 2;
    const sinc = Math.sin(2 * Math.PI * cutOff * t) / (Math.PI * t);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 1)));
  });
  const gain = taps.reduce((total, tap) => total + tap, 0) / (middleHz === 0 ? 1 : 2);
  const phase = (2 * Math.PI * middleHz) / GRAPH_RATE_HZ;
  return taps.map((tap, i) => (tap * Math.cos(phase * (i - (TAPS - 1) / 2))) / gain);
}
