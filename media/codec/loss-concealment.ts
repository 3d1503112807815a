/**
 * Concealment of missing samples, after the idea of G.711 Appendix I: the last pitch period is repeated, fades from the
 * second 10 ms on and is silence after 60 ms; the first samples that arrive again are blended in. Feed every played sample
 * in order, through `good` when it was received and `conceal` when it was not.
 */
const PITCH_MIN_MS = 5;
const PITCH_MAX_MS = 15;
const MATCH_MS = 20;
/** As far back as the longest period before what is matched reaches, with room to spare. */
const HISTORY_MS = 50;
const HOLD_MS = 10;
const SILENT_AFTER_MS = 60;
const BLEND_MS = 4;
/** The pitch is looked for in every so many samples a second. */
const MATCHED_RATE_HZ = 4000;

export class LossConcealment {
  readonly #samplesPerMs: number;
  readonly #history: Int16Array;
  readonly #holdSamples: number;
  readonly #silentAfterSamples: number;
  readonly #blendSamples: number;
  #period = 0;
  /** Concealed samples since the last received one. */
  #missing = 0;

  constructor(sampleRateHz: number) {
    this.#samplesPerMs = sampleRateHz / 1000;
    this.#history = new Int16Array(HISTORY_MS * this.#samplesPerMs);
    this.#holdSamples = HOLD_MS * this.#samplesPerMs;
    this.#silentAfterSamples = SILENT_AFTER_MS * this.#samplesPerMs;
    this.#blendSamples = BLEND_MS * this.#samplesPerMs;
  }

  /** Takes `out[from..to)` as received; blends it with the concealment when it ends a gap. */
  good(out: Int16Array, from: number, to: number): void {
    if (this.#missing > 0) {
      const blend = Math.min(this.#blendSamples, to - from);
      for (let i = 0; i < blend; i++) {
        const weight = (i + 1) / (blend + 1);
        out[from + i] = Math.round((out[from + i] as number) * weight + this.#synthesise(i) * (1 - weight));
      }
      this.#missing = 0;
    }
    this.#remember(out, from, to);
  }

  /** Fills `out[from..to)` with what the listener expects to hear. */
  conceal(out: Int16Array, from: number, to: number): void {
    const silentAfter = this.#silentAfterSamples;
    if (this.#missing === 0) this.#period = findPitchPeriod(this.#history, this.#samplesPerMs);
    if (this.#missing >= silentAfter) {
      out.fill(0, from, to);
      return;
    }
    for (let i = from; i < to; i++) out[i] = this.#synthesise(i - from);
    this.#missing += to - from;
    // History stays that of the received signal: periods are repeated from there. Once silent, it is forgotten.
    if (this.#missing >= silentAfter) this.#history.fill(0);
  }

  /** Forgets the past: another source follows. */
  reset(): void {
    this.#history.fill(0);
    this.#missing = 0;
  }

  #synthesise(ahead: number): number {
    const history = this.#history;
    const hold = this.#holdSamples;
    const silentAfter = this.#silentAfterSamples;
    const index = this.#missing + ahead;
    if (index >= silentAfter) return 0;
    const sample = history[history.length - this.#period + (index % this.#period)] as number;
    const gain = index < hold ? 1 : (silentAfter - index) / (silentAfter - hold);
    return Math.round(sample * gain);
  }

  #remember(pcm: Int16Array, from: number, to: number): void {
    const history = this.#history;
    const size = history.length;
    const count = Math.min(to - from, size);
    history.copyWithin(0, count);
    // A whole frame is copied as it is; of a part a view would be garbage.
    if (count === pcm.length) history.set(pcm, size - count);
    else for (let i = 0; i < count; i++) history[size - count + i] = pcm[to - count + i] as number;
  }
}

/** Lag of the best normalised cross-correlation between the last 20 ms and what came 5–15 ms before. */
function findPitchPeriod(history: Int16Array, samplesPerMs: number): number {
  const start = history.length - MATCH_MS * samplesPerMs;
  const longest = PITCH_MAX_MS * samplesPerMs;
  const step = Math.max(1, Math.floor((samplesPerMs * 1000) / MATCHED_RATE_HZ));
  let best = longest;
  let bestScore = 0;
  for (let lag = PITCH_MIN_MS * samplesPerMs; lag <= longest; lag++) {
    let product = 0;
    let energy = 1;
    for (let i = start; i < history.length; i += step) {
      const before = history[i - lag] as number;
      product += before * (history[i] as number);
      energy += before * before;
    }
    const score = product <= 0 ? 0 : product / Math.sqrt(energy);
    if (score > bestScore) {
      bestScore = score;
      best = lag;
    }
  }
  return best;
}
