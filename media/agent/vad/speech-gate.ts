/**
 * Turns the speech probabilities of one call into events. Two windows that together are sure enough open it, 64 to
 * 96 ms after the onset; hysteresis keeps weak syllables inside; speech that goes on within 300 ms belongs to the same
 * onset.
 *
 *   silence ──2 windows, sum ≥ 1──▶ speech ──window < 0.35──▶ pause ──300 ms──▶ silence
 *                                     ▲────── window ≥ 0.5 ─────┘
 */
import { GRAPH_RATE_HZ } from '../../audio/frame';
import type { VadEvent } from './voice-activity';

const OPEN_SUM = 1;
const RESUME_PROBABILITY = 0.5;
const CLOSE_PROBABILITY = 0.35;
/** Each of the two; a single loud one is a click. */
const MIN_OPEN_PROBABILITY = 0.15;
/**
 * The detector is late: the first window of speech, a hiss ("stop") or a soft beginning ("wait") gets little more than this,
 * and lines with noise alone get less in 999 windows of 1,000. What precedes sure speech belongs to it.
 */
const FAINT_PROBABILITY = 0.04;
const MAX_FAINT_WINDOWS = 8;
/** A pause inside a phrase; longer ones make the next word a new onset. */
const SAME_ONSET_PAUSE_MS = 300;
/** Barge-in is decided in the first windows; later only the length matters. */
const FINE_UNTIL_MS = 400;
const COARSE_STEP_MS = 100;
/** The longest wait for the end of a turn is shorter. */
const PAUSE_REPORTED_MS = 2_000;

export type GateState = 'silence' | 'speech' | 'pause';

export class SpeechGate {
  readonly #mediaId: number;
  readonly #windowSamples: number;
  #state: GateState = 'silence';
  #samples = 0;
  #previous = 0;
  /** Windows up to now that may be the beginning of speech. */
  #faintWindows = 0;
  /** First sample of the speech going on or last heard. */
  #onset = 0;
  /** End of the last window with speech; null before the first. */
  #speechEnd: number | null = null;
  #reportedMs = 0;

  constructor(mediaId: number, windowSamples: number) {
    this.#mediaId = mediaId;
    this.#windowSamples = windowSamples;
  }

  get state(): GateState {
    return this.#state;
  }

  /** Sample after the last speech, null before any. */
  get speechEnd(): number | null {
    return this.#speechEnd;
  }

  /** Takes the next window's probability; at most one event comes of it. */
  push(probability: number): VadEvent | null {
    const previous = this.#previous;
    this.#previous = probability;
    this.#samples += this.#windowSamples;
    this.#faintWindows = probability < FAINT_PROBABILITY ? 0 : Math.min(MAX_FAINT_WINDOWS, this.#faintWindows + 1);
    switch (this.#state) {
      case 'speech':
        return probability >= CLOSE_PROBABILITY ? this.#onSpeech() : this.#onQuiet();
      case 'pause':
        return probability >= RESUME_PROBABILITY ? this.#onSpeech() : this.#onQuiet();
      case 'silence':
        return Math.min(previous, probability) >= MIN_OPEN_PROBABILITY && previous + probability >= OPEN_SUM
          ? this.#onOnset()
          : this.#onQuiet();
    }
  }

  #onOnset(): VadEvent {
    this.#state = 'speech';
    this.#onset = this.#samples - this.#faintWindows * this.#windowSamples;
    this.#speechEnd = this.#samples;
    this.#reportedMs = this.#speechMs;
    return { type: 'speech_start', mediaId: this.#mediaId, atSample: this.#onset, speechMs: this.#speechMs };
  }

  #onSpeech(): VadEvent | null {
    this.#state = 'speech';
    this.#speechEnd = this.#samples;
    const step = this.#speechMs <= FINE_UNTIL_MS ? 0 : COARSE_STEP_MS;
    if (this.#speechMs - this.#reportedMs < step) return null;
    this.#reportedMs = this.#speechMs;
    return { type: 'speech_continues', mediaId: this.#mediaId, speechMs: this.#speechMs };
  }

  #onQuiet(): VadEvent | null {
    if (this.#speechEnd === null) return null;
    if (this.#state === 'speech') this.#state = 'pause';
    const silenceMs = toMs(this.#samples - this.#speechEnd);
    if (silenceMs >= SAME_ONSET_PAUSE_MS) this.#state = 'silence';
    if (silenceMs > PAUSE_REPORTED_MS) return null;
    return { type: 'pause', mediaId: this.#mediaId, silenceMs, speechMs: this.#speechMs };
  }

  get #speechMs(): number {
    return toMs((this.#speechEnd ?? this.#onset) - this.#onset);
  }
}

function toMs(samples: number): number {
  return Math.round((samples * 1000) / GRAPH_RATE_HZ);
}
