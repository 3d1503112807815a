/**
 * Concealment of missing samples at 8 kHz, after the idea of G.711 Appendix I: the last pitch period is repeated, fades
 * from the second 10 ms on and is silence after 60 ms; the first samples that arrive again are blended in. Feed every
 * played sample in order, through `good` when it was received and `conceal` when it was not.
 */
const HISTORY_SAMPLES = 400;
const PITCH_MIN_SAMPLES = 40;
const PITCH_MAX_SAMPLES = 120;
const MATCH_SAMPLES = 160;
const HOLD_SAMPLES = 80;
const SILENT_AFTER_SAMPLES = 480;
const BLEND_SAMPLES = 32;

export class LossConcealment {
  readonly #history = new Int16Array(HISTORY_SAMPLES);
  #period = 0;
  /** Concealed samples since the last received one. */
  #missing = 0;

  /** Takes `out[from..to)` as received; blends it with the concealment when it ends a gap. */
  good(out: Int16Array, from: number, to: number): void {
    if (this.#missing > 0) {
      const blend = Math.min(BLEND_SAMPLES, to - from);
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
    if (this.#missing === 0) this.#period = findPitchPeriod(this.#history);
    if (this.#missing >= SILENT_AFTER_SAMPLES) {
      out.fill(0, from, to);
      return;
    }
    for (let i = from; i < to; i++) out[i] = this.#synthesise(i - from);
    this.#missing += to - from;
    // History stays that of the received signal: periods are repeated from there. Once silent, it is forgotten.
    if (this.#missing >= SILENT_AFTER_SAMPLES) this.#history.fill(0);
  }

  /** Forgets the past: another source follows. */
  reset(): void {
    this.#history.fill(0);
    this.#missing = 0;
  }

  #synthesise(ahead: number): number {
    const index = this.#missing + ahead;
    if (index >= SILENT_AFTER_SAMPLES) return 0;
    const sample = this.#history[HISTORY_SAMPLES - this.#period + (index % this.#period)] as number;
    const gain = index < HOLD_SAMPLES ? 1 : (SILENT_AFTER_SAMPLES - index) / (SILENT_AFTER_SAMPLES - HOLD_SAMPLES);
    return Math.round(sample * gain);
  }

  #remember(pcm: Int16Array, from: number, to: number): void {
    const history = this.#history;
    const count = Math.min(to - from, HISTORY_SAMPLES);
    history.copyWithin(0, count);
    // A whole frame is copied as it is; of a part a view would be garbage.
    if (count === pcm.length) history.set(pcm, HISTORY_SAMPLES - count);
    else for (let i = 0; i < count; i++) history[HISTORY_SAMPLES - count + i] = pcm[to - count + i] as number;
  }
}

/** Lag of the best normalised cross-correlation between the last 20 ms and what came 5–15 ms before. */
function findPitchPeriod(history: Int16Array): number {
  const start = HISTORY_SAMPLES - MATCH_SAMPLES;
  let best = PITCH_MAX_SAMPLES;
  let bestScore = 0;
  for (let lag = PITCH_MIN_SAMPLES; lag <= PITCH_MAX_SAMPLES; lag++) {
    let product = 0;
    let energy = 1;
    for (let i = start; i < HISTORY_SAMPLES; i += 2) {
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
