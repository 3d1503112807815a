/**
 * How what was sent comes back: a filter of a few taps around one delay, the least-squares fit of what was heard with
 * older windows fading. It is judged by windows that it has not seen yet.
 */

/** At 2 kHz: 12 ms, the spread of a hybrid and of what lies around it (ITU-T G.168, annex D). */
const TAPS = 24;
/** Before the delay at which the likeness is greatest: of voices, that lies some ms to either side of the strongest tap. */
const TAPS_BEFORE = 12;
export const ECHO_PATH_REACH = TAPS;
/** Per window of 32 ms: about a second. */
const FADING = 0.97;
/** Keeps a filter small where what was sent says nothing of it. */
const REGULARISATION = 1e-3;

export class EchoPath {
  readonly lag: number;
  readonly #matrix = new Float64Array(TAPS * TAPS);
  readonly #vector = new Float64Array(TAPS);
  readonly #taps = new Float64Array(TAPS);
  readonly #factor = new Float64Array(TAPS * TAPS);
  readonly #scratch = new Float64Array(TAPS);

  constructor(lag: number) {
    this.lag = lag;
  }

  /**
   * Mean square of what the filter does not account for in `heard`. `sent[at + i]` left when `heard[i]` came; `sent` reaches
   * `ECHO_PATH_REACH` samples beyond the delay, on both sides.
   */
  unexplained(heard: Float32Array, sent: Float32Array, at: number): number {
    const first = at - this.lag + TAPS_BEFORE;
    const taps = this.#taps;
    let power = 0;
    for (let i = 0; i < heard.length; i++) {
      let sum = heard[i]!;
      for (let k = 0; k < TAPS; k++) sum -= taps[k]! * sent[first + i - k]!;
      power += sum * sum;
    }
    return power / heard.length;
  }

  /** Power of an echo over that of what was sent, both as white as the band. */
  get gain(): number {
    let sum = 0;
    for (const tap of this.#taps) sum += tap * tap;
    return sum;
  }

  /** Takes a window into account. */
  learn(heard: Float32Array, sent: Float32Array, at: number): void {
    const length = heard.length;
    const first = at - this.lag + TAPS_BEFORE;
    const matrix = this.#matrix;
    // The first row by products; each further element is its upper left neighbour, one sample earlier.
    const row = this.#scratch;
    for (let k = 0; k < TAPS; k++) {
      let sum = 0;
      let cross = 0;
      for (let i = 0; i < length; i++) {
        const delayed = sent[first + i - k]!;
        sum += sent[first + i]! * delayed;
        cross += heard[i]! * delayed;
      }
      row[k] = sum;
      this.#vector[k] = FADING * this.#vector[k]! + cross;
    }
    for (let offset = 0; offset < TAPS; offset++) {
      let value = row[offset]!;
      for (let j = 0; j + offset < TAPS; j++) {
        const k = j + offset;
        if (j > 0) {
          const earlier = sent[first - j]! * sent[first - k]!;
          value += earlier - sent[first + length - j]! * sent[first + length - k]!;
        }
        matrix[k * TAPS + j] = FADING * matrix[k * TAPS + j]! + value;
      }
    }
    this.#solve();
  }

  /** Cholesky. */
  #solve(): void {
    const { factor, ridge } = { factor: this.#factor, ridge: REGULARISATION * this.#meanPower() + 1 };
    for (let i = 0; i < TAPS; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = this.#matrix[i * TAPS + j]! + (i === j ? ridge : 0);
        for (let k = 0; k < j; k++) sum -= factor[i * TAPS + k]! * factor[j * TAPS + k]!;
        factor[i * TAPS + j] = i === j ? Math.sqrt(Math.max(sum, ridge)) : sum / factor[j * TAPS + j]!;
      }
    }
    const taps = this.#taps;
    for (let i = 0; i < TAPS; i++) {
      let sum = this.#vector[i]!;
      for (let k = 0; k < i; k++) sum -= factor[i * TAPS + k]! * taps[k]!;
      taps[i] = sum / factor[i * TAPS + i]!;
    }
    for (let i = TAPS - 1; i >= 0; i--) {
      let sum = taps[i]!;
      for (let k = i + 1; k < TAPS; k++) sum -= factor[k * TAPS + i]! * taps[k]!;
      taps[i] = sum / factor[i * TAPS + i]!;
    }
  }

  #meanPower(): number {
    let sum = 0;
    for (let i = 0; i < TAPS; i++) sum += this.#matrix[i * TAPS + i]!;
    return sum / TAPS;
  }
}
