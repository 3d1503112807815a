/**
 * A stream at a quarter of its rate: of 8 kHz what lies below 850 Hz, where voices have most of their power, with the
 * slope of speech taken out, so that no harmonic outweighs the rest. A windowed sinc (Hamming) of 48 taps.
 */
export const DECIMATION = 4;
const TAPS = 48;
/** As a fraction of the input rate. */
const CUT_OFF = 850 / 8000;
/** Of the sample before, taken from each (first-order pre-emphasis). */
const EMPHASIS = 0.9;

const KERNEL = kernel();

export class Decimator {
  /** The last taps of what came before, then the block. */
  #input = new Float32Array(TAPS);
  #output = new Float32Array(0);
  #filled = 0;
  #previous = 0;

  /** Blocks of one stream, of a multiple of `DECIMATION` samples. What it returns is overwritten by the next. */
  push(pcm: Int16Array): Float32Array {
    const count = pcm.length / DECIMATION;
    if (this.#output.length !== count) this.#resize(pcm.length);
    const input = this.#input;
    input.copyWithin(0, this.#filled, this.#filled + TAPS);
    input.set(pcm, TAPS);
    this.#filled = pcm.length;
    for (let i = 0; i < count; i++) {
      const from = i * DECIMATION;
      let sum = 0;
      for (let k = 0; k < TAPS; k++) sum += KERNEL[k]! * input[from + k]!;
      this.#output[i] = sum - EMPHASIS * this.#previous;
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

function kernel(): Float32Array {
  const taps = Float32Array.from({ length: TAPS }, (_, i) => {
    const t = i - (TAPS - 1) / 2;
    const sinc = Math.sin(2 * Math.PI * CUT_OFF * t) / (Math.PI * t);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
