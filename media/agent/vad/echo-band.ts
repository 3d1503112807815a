/**
 * One band of a call, both ways: what was heard lately, what was sent until then, and the path that leads from one to
 * the other, once its delay is known.
 */
import { BandFilter, DECIMATION } from './band-filter';
import type { Band } from './band-filter';
import { ECHO_PATH_REACH, EchoPath } from './echo-path';
import { SentHistory } from './sent-history';

/** Share of its power that may stay unexplained in an echo: codecs, loudspeakers, what lies outside of the filter. */
const ECHO_UNEXPLAINED = 0.3;
/** Codecs alone leave that much. */
const ECHO_LEAST_UNEXPLAINED = 1e-3;
/** Echoes leave up to 10 dB more than they do on an average of the line, and never half of their power. */
const UNUSUAL = 10;
const MOST_UNEXPLAINED = 0.5;
/** The average of so many windows. */
const USUAL_WINDOWS = 16;
/** As many as a path is learnt from before it is judged count as having left all that may be. */
const PRIOR_WINDOWS = 2;
/** Nor is what stays within 6 dB of the line's noise the caller. */
const ABOVE_NOISE = 4;
const NOISE_RISE = 10 ** (0.15 / 10);
const REMEMBERED_WINDOWS = 4;
/** Delays this near, in samples, are one path. */
const SAME_PATH_LAGS = 4;
/** A path that expects more than is heard leaves more than there was. */
const OVERSHOOT = 1.25;
/** Share of a window that a path which has not seen it leaves of an echo, when it is still new. */
const CANDIDATE_UNEXPLAINED = 0.5;

export interface EchoBandOptions {
  /** Decimated. */
  readonly windowLength: number;
  /** Samples an echo may be late. */
  readonly maxLag: number;
  /** Share of the newest window in powers, which are smoothed. */
  readonly smoothing: number;
}

export class EchoBand {
  /** What was sent until and including what was heard, as far back as an echo may come from. */
  readonly span: Float32Array;
  /** Where in it the sample stands that left when the last window began. */
  readonly at: number;
  readonly #history: SentHistory;
  readonly #filter: BandFilter;
  readonly #windowLength: number;
  readonly #smoothing: number;
  /** What was heard in the last windows. */
  readonly #heard: Float32Array;
  #path: EchoPath | null = null;
  /** The path that may be. */
  #candidate: EchoPath | null = null;
  #windowPower = 0;
  #windowUnexplained = 0;
  #power = 0;
  #unexplained = 0;
  /** Share of its power that an echo leaves on this line: the average in dB, and of how many windows that is. */
  #usual = ECHO_UNEXPLAINED;
  #usualWindows = PRIOR_WINDOWS;
  /** Of the line, where nobody speaks and in what an echo leaves; 0 until it was heard. */
  #noise = 0;

  constructor(band: Band, { windowLength, maxLag, smoothing }: EchoBandOptions) {
    this.#history = new SentHistory(band);
    this.#filter = new BandFilter(band, windowLength * DECIMATION);
    this.#windowLength = windowLength;
    this.#smoothing = smoothing;
    this.#heard = new Float32Array(REMEMBERED_WINDOWS * windowLength);
    this.span = new Float32Array(this.#heard.length + maxLag + 2 * ECHO_PATH_REACH);
    this.at = this.span.length - ECHO_PATH_REACH - windowLength;
  }

  /** Where something that can be heard was sent last; −Infinity when nothing was. */
  get voiceEnd(): number {
    return this.#history.voiceEnd;
  }

  get lag(): number | null {
    return this.#path?.lag ?? null;
  }

  /** Of the path; 0 while there is none. */
  get gain(): number {
    return this.#path?.gain ?? 0;
  }

  /** Mean square of what was sent about so long before the last window. */
  powerSent(lag: number): number {
    const from = this.at - lag - ECHO_PATH_REACH;
    return meanSquare(this.span.subarray(from, from + this.#windowLength + 2 * ECHO_PATH_REACH));
  }

  /** Mean square of the last window. */
  get power(): number {
    return this.#windowPower;
  }

  /** The last window. */
  get heard(): Float32Array {
    return this.#past(0);
  }

  /** Nothing but the line's noise was heard in the last window. */
  get isQuiet(): boolean {
    return this.#windowPower <= ABOVE_NOISE * this.#noise;
  }

  /** The path that is known leaves more of the last window than it does of echoes. */
  get leavesUnusuallyMuch(): boolean {
    const share = Math.min(MOST_UNEXPLAINED, UNUSUAL * this.#usual);
    return this.#unexplained > Math.max(share * this.#power, ABOVE_NOISE * this.#noise);
  }

  sent(frame: Int16Array): void {
    this.#history.push(frame);
  }

  /** The caller's next window. */
  hear(window: Int16Array): void {
    this.#heard.copyWithin(0, this.#windowLength);
    const heard = this.#past(0);
    heard.set(this.#filter.push(window));
    this.#windowPower = meanSquare(heard);
  }

  /** Looks up what was sent until sample number `end`, that of the last window's end. */
  align(end: number): void {
    this.#history.copy(end - this.span.length + ECHO_PATH_REACH, this.span);
  }

  /** By the path that is known, within `tolerance` of anything else that may be there. */
  explains(tolerance = 0): boolean {
    const power = this.#windowPower;
    const left = this.#path ? this.#path.unexplained(this.heard, this.span, this.at) : power;
    this.#windowUnexplained = left;
    this.#power += this.#smoothing * (power - this.#power);
    this.#unexplained += this.#smoothing * (left - this.#unexplained);
    if (!this.#path) return false;
    const allowed = Math.max(ECHO_UNEXPLAINED * this.#power, ABOVE_NOISE * this.#noise, tolerance);
    return this.#unexplained <= allowed;
  }

  /** By the path that is known, there should be more than there is. */
  get overshoots(): boolean {
    return this.#path !== null && this.#unexplained > OVERSHOOT * this.#power;
  }

  /** Takes the last window for an echo. */
  learn(): void {
    this.noteNoise(this.#windowUnexplained);
    this.#noteUsual();
    this.#path?.learn(this.heard, this.span, this.at);
  }

  /** Whether a path at about this delay, learnt from the windows before, explains the last one, better than the known. */
  rehearse(lag: number): boolean {
    const candidate = this.#candidate;
    const left = candidate?.unexplained(this.heard, this.span, this.at) ?? Infinity;
    if (candidate && isSamePath(candidate.lag, lag)) candidate.learn(this.heard, this.span, this.at);
    else this.#candidate = this.#learnt(lag);
    return left <= Math.min(CANDIDATE_UNEXPLAINED * this.#windowPower, this.#windowUnexplained);
  }

  /** Another delay; what led to it is its first lesson. */
  follow(lag: number): void {
    this.#path = this.#learnt(lag);
    this.#usual = ECHO_UNEXPLAINED;
    this.#usualWindows = PRIOR_WINDOWS;
  }

  /** No delay is looked for any more. */
  forget(): void {
    this.#candidate = null;
  }

  /** From all windows that are remembered. */
  #learnt(lag: number): EchoPath {
    const path = new EchoPath(lag);
    for (let back = REMEMBERED_WINDOWS - 1; back >= 0; back--)
      path.learn(this.#past(back), this.span, this.at - back * this.#windowLength);
    return path;
  }

  /** What was heard where nobody speaks. */
  noteNoise(power: number): void {
    this.#noise = this.#noise === 0 ? power : Math.min(power, this.#noise * NOISE_RISE);
  }

  #noteUsual(): void {
    if (!this.#path || this.#power <= ABOVE_NOISE * this.#noise) return;
    this.#usualWindows = Math.min(USUAL_WINDOWS, this.#usualWindows + 1);
    const share = Math.min(ECHO_UNEXPLAINED, Math.max(ECHO_LEAST_UNEXPLAINED, this.#unexplained / this.#power));
    this.#usual *= (share / this.#usual) ** (1 / this.#usualWindows);
  }

  /** The last window but `back`. */
  #past(back: number): Float32Array {
    const end = this.#heard.length - back * this.#windowLength;
    return this.#heard.subarray(end - this.#windowLength, end);
  }
}

export function isSamePath(lag: number, other: number): boolean {
  return Math.abs(lag - other) <= SAME_PATH_LAGS;
}

export function meanSquare(window: Int16Array | Float32Array): number {
  let sum = 0;
  for (let i = 0; i < window.length; i++) sum += window[i]! ** 2;
  return sum / window.length;
}
