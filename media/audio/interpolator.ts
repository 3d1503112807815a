/**
 * A stream at a whole multiple of its rate: between its samples stand zeros, which a low-pass fills in. Only the taps that
 * meet a sample are computed, for each place between two samples others (a polyphase filter).
 */
export class Interpolator {
  /** The last one first, as they meet samples in order. */
  readonly #phases: readonly Float64Array[];
  /** As many samples of what came before as a phase has taps but one, then the block. */
  readonly #input: Float64Array;
  readonly #taps: number;
  #filled = 0;

  /** `mostSamples`: of one block. */
  constructor(kernel: Float64Array, factor: number, mostSamples: number) {
    const taps = Math.ceil(kernel.length / factor);
    this.#taps = taps;
    this.#phases = Array.from({ length: factor }, (_, phase) =>
      Float64Array.from({ length: taps }, (_tap, i) => factor * (kernel[phase + factor * (taps - 1 - i)] ?? 0)),
    );
    this.#input = new Float64Array(taps - 1 + mostSamples);
  }

  /** The stream goes on with `pcm`; fills `out`, which is `factor` times as long. */
  push(pcm: Int16Array, out: Float32Array): void {
    const phases = this.#phases;
    const input = this.#input;
    const taps = this.#taps;
    input.copyWithin(0, this.#filled, this.#filled + taps - 1);
    input.set(pcm, taps - 1);
    this.#filled = pcm.length;
    let at = 0;
    for (let n = 0; n < pcm.length; n++) {
      for (let phase = 0; phase < phases.length; phase++) {
        const kernel = phases[phase]!;
        let sum = 0;
        for (let k = 0; k < taps; k++) sum += kernel[k]! * input[n + k]!;
        out[at++] = sum;
      }
    }
  }
}
