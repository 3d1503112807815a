/**
 * One band of a stream, at a quarter of its rate. A windowed sinc (Hamming) of 48 taps, moved to the band's middle: as
 * each band lies between two multiples of 1 kHz, half the lower rate, nothing of it folds onto itself.
 */
import { Decimator } from '../../audio/decimator';
import { GRAPH_RATE_HZ } from '../../audio/frame';

export const DECIMATION = 4;
const TAPS = 48;

export interface Band {
  readonly kernel: Float64Array;
  /** Of the sample before, taken from each (first-order pre-emphasis). */
  readonly emphasis: number;
}

/** Below 850 Hz: most of a voice's power, with its slope taken out, so that no harmonic outweighs the rest. */
export const VOICE_BAND: Band = { kernel: kernel(0, 850), emphasis: 0.9 };
/** About 2.1 to 2.9 kHz: hisses, of which the other has nothing, as far as every line carries them. */
export const HISS_BAND: Band = { kernel: kernel(2500, 425), emphasis: 0 };

export class BandFilter {
  readonly #decimator: Decimator;
  readonly #emphasis: number;
  readonly #output: Float32Array;
  #previous = 0;

  /** `blockSamples`: of each block, a multiple of `DECIMATION`. */
  constructor({ kernel: taps, emphasis }: Band, blockSamples: number) {
    this.#decimator = new Decimator(taps, DECIMATION, blockSamples);
    this.#emphasis = emphasis;
    this.#output = new Float32Array(blockSamples / DECIMATION);
  }

  /** The next block of the stream. What it returns is overwritten by the one after. */
  push(pcm: Int16Array): Float32Array {
    const output = this.#output;
    this.#decimator.push(pcm, 0, pcm.length, output);
    for (let i = 0; i < output.length; i++) {
      const sample = output[i]!;
      output[i] = sample - this.#emphasis * this.#previous;
      this.#previous = sample;
    }
    return output;
  }

  /** As if silence had come before. */
  reset(): void {
    this.#decimator.reset();
    this.#previous = 0;
  }
}

function kernel(middleHz: number, halfWidthHz: number): Float64Array {
  const cutOff = halfWidthHz / GRAPH_RATE_HZ;
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const t = i - (TAPS - 1) / 2;
    const sinc = Math.sin(2 * Math.PI * cutOff * t) / (Math.PI * t);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 1)));
  });
  const gain = taps.reduce((total, tap) => total + tap, 0) / (middleHz === 0 ? 1 : 2);
  const phase = (2 * Math.PI * middleHz) / GRAPH_RATE_HZ;
  return taps.map((tap, i) => (tap * Math.cos(phase * (i - (TAPS - 1) / 2))) / gain);
}
