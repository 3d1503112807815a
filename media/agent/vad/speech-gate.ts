/**
 * Turns the speech probabilities of one call into events. Two loud windows in a row open it; hysteresis keeps weak
 * syllables inside; speech that goes on within 300 ms belongs to the same onset.
 *
 *   silence ──2 windows ≥ 0.5──▶ speech ──window < 0.35──▶ pause ──300 ms──▶ silence
 *                                  ▲────── window ≥ 0.5 ─────┘
 */
import { SAMPLE_RATE_HZ } from '../../audio/audio-batch';
import type { VadEvent } from '../types';

const OPEN_PROBABILITY = 0.5;
const CLOSE_PROBABILITY = 0.35;
const OPEN_WINDOWS = 2;
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
  #loudWindows = 0;
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

  /** First sample of the speech going on or last heard. */
  get onset(): number {
    return this.#onset;
  }

  /** Sample after the last speech, null before any. */
  get speechEnd(): number | null {
    return this.#speechEnd;
  }

  /** Takes the next window's probability; at most one event comes of it. */
  push(probability: number): VadEvent | null {
    const windowStart = this.#samples;
    this.#samples += this.#windowSamples;
    const loud = probability >= (this.#state === 'speech' ? CLOSE_PROBABILITY : OPEN_PROBABILITY);
    if (!loud) return this.#onQuiet();
    this.#loudWindows++;
    if (this.#state === 'speech') return this.#onSpeech();
    if (this.#state === 'pause') {
      this.#state = 'speech';
      return this.#onSpeech();
    }
    if (this.#loudWindows < OPEN_WINDOWS) return null;
    this.#state = 'speech';
    this.#onset = windowStart - (OPEN_WINDOWS - 1) * this.#windowSamples;
    this.#speechEnd = this.#samples;
    this.#reportedMs = this.#speechMs;
    return { type: 'speech_start', mediaId: this.#mediaId, atSample: this.#onset, speechMs: this.#speechMs };
  }

  #onSpeech(): VadEvent | null {
    this.#speechEnd = this.#samples;
    const step = this.#speechMs <= FINE_UNTIL_MS ? 0 : COARSE_STEP_MS;
    if (this.#speechMs - this.#reportedMs < step) return null;
    this.#reportedMs = this.#speechMs;
    return { type: 'speech_continues', mediaId: this.#mediaId, speechMs: this.#speechMs };
  }

  #onQuiet(): VadEvent | null {
    this.#loudWindows = 0;
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
  return Math.round((samples * 1000) / SAMPLE_RATE_HZ);
}
