/**
 * At which delay does what is heard resemble what was sent? Cross-correlation over all delays at once, each normalised
 * by the power of both sides, summed over the last windows with older ones fading: an echo stays at its delay, a likeness
 * of two voices does not.
 */

/** A window counts half after three. */
const FADING = 0.8;

export interface Likeness {
  readonly lag: number;
  /** Square of the normalised correlation: the share of what is heard that one tap at this delay accounts for. */
  readonly share: number;
}

export class EchoSearch {
  readonly #maxLag: number;
  readonly #correlation: Float64Array;
  readonly #sentPower: Float64Array;
  #heardPower = 0;
  #heardPowerSquares = 0;

  constructor(maxLag: number) {
    this.#maxLag = maxLag;
    this.#correlation = new Float64Array(maxLag + 1);
    this.#sentPower = new Float64Array(maxLag + 1);
  }

  /** Of how many windows the sum consists, as it were: one loud one among quiet ones counts for one. */
  get windows(): number {
    return this.#heardPowerSquares === 0 ? 0 : this.#heardPower ** 2 / this.#heardPowerSquares;
  }

  /** `sent[at + i]` left when `heard[i]` came; `sent` reaches back by `maxLag` samples from `at`. */
  add(heard: Float32Array, sent: Float32Array, at: number): void {
    const maxLag = this.#maxLag;
    const length = heard.length;
    let heardPower = 0;
    for (let i = 0; i < length; i++) heardPower += heard[i]! ** 2;
    this.#heardPower = FADING * this.#heardPower + heardPower;
    this.#heardPowerSquares = FADING ** 2 * this.#heardPowerSquares + heardPower ** 2;
    let sentPower = 0;
    for (let i = 0; i < length; i++) sentPower += sent[at + i]! ** 2;
    for (let lag = 0; lag <= maxLag; lag++) {
      const from = at - lag;
      let sum = 0;
      for (let i = 0; i < length; i++) sum += heard[i]! * sent[from + i]!;
      this.#correlation[lag] = FADING * this.#correlation[lag]! + sum;
      this.#sentPower[lag] = FADING * this.#sentPower[lag]! + Math.max(0, sentPower);
      if (lag < maxLag) sentPower += sent[from - 1]! ** 2 - sent[from + length - 1]! ** 2;
    }
  }

  best(): Likeness {
    let lag = 0;
    let best = 0;
    for (let i = 0; i <= this.#maxLag; i++) {
      const share = this.#correlation[i]! ** 2 / (this.#sentPower[i]! + 1);
      if (share <= best) continue;
      best = share;
      lag = i;
    }
    return { lag, share: best / (this.#heardPower + 1) };
  }

  reset(): void {
    this.#correlation.fill(0);
    this.#sentPower.fill(0);
    this.#heardPower = 0;
    this.#heardPowerSquares = 0;
  }
}
