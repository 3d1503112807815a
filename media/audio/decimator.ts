/** A stream, filtered, at a whole fraction of its rate: of the filter's output only what stays is computed. */
export class Decimator {
  readonly #kernel: Float64Array;
  readonly #factor: number;
  /** As many samples of what came before as the filter has taps, then the block. */
  readonly #input: Float64Array;
  #filled = 0;

  /** `mostSamples`: of one block. */
  constructor(kernel: Float64Array, factor: number, mostSamples: number) {
    this.#kernel = kernel;
    this.#factor = factor;
    this.#input = new Float64Array(kernel.length + mostSamples);
  }

  /**
   * The stream goes on with `pcm[from..to)`. Where it has the multiples `n * factor` of that range, `out[n]` becomes what the
   * filter makes of the samples before them: a frame comes out whole in however many parts it came.
   */
  push(pcm: Int16Array, from: number, to: number, out: Float32Array): void {
    const kernel = this.#kernel;
    const factor = this.#factor;
    const input = this.#input;
    const taps = kernel.length;
    input.copyWithin(0, this.#filled, this.#filled + taps);
    for (let i = from; i < to; i++) input[taps + i - from] = pcm[i]!;
    this.#filled = to - from;
    for (let n = Math.ceil(from / factor); n * factor < to; n++) {
      const start = n * factor - from;
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += kernel[k]! * input[start + k]!;
      out[n] = sum;
    }
  }

  /** As if silence had come before. */
  reset(): void {
    this.#input.fill(0);
  }
}
