/**
 * Tells the caller from the agent's own voice coming back: from the hybrid of a line, a loudspeaker, an echo extension.
 * What was sent is known, sample by sample. A window of the caller's audio that follows from it, at one delay and through
 * one short filter, is echo and opens nothing, however much it sounds like speech; what is left when the echo is taken
 * out is the caller.
 *
 * There are two estimates, as echo cancellers have a background and a foreground filter: a search over all delays, while
 * nothing explains what is heard; and the path that it found, which is kept for the rest of the call and learns as long
 * as it explains. Until the search has heard enough a window is undecided: it may be the beginning of speech, but does
 * not open the gate.
 */
import { SAMPLE_RATE_HZ } from '../../audio/audio-batch';
import { DECIMATION, Decimator } from '../../audio/decimator';
import { ECHO_PATH_REACH, EchoPath } from './echo-path';
import { EchoSearch } from './echo-search';
import { SentHistory } from './sent-history';

/** 500 ms of network and far end, and what jitter buffers add. */
const MAX_LAG = (0.64 * SAMPLE_RATE_HZ) / DECIMATION;
/** Mean square of −58 dBov: quieter is noise, a faint echo, or nobody who wants to be understood. */
const FLOOR = (32768 * 10 ** (-58 / 20)) ** 2;
/** Share of its power that may stay unexplained in an echo: codecs, loudspeakers, what lies outside of the filter. */
const ECHO_UNEXPLAINED = 0.3;
/** Nor is what stays within 6 dB of the line's noise the caller. */
const ABOVE_NOISE = 4;
const NOISE_RISE = 10 ** (0.15 / 10);
/**
 * Share that one delay explains, times the windows that say so. Of seeded voices 99 % of the echoes reach it at their
 * first or second window, while one voice resembles another for one window at most (0.77 × 1, 0.38 × 2, 0.26 × 3).
 */
const ECHO_EVIDENCE = 0.8;
/** An echo beneath the caller's voice explains less than this. */
const MIN_ECHO_SHARE = 0.45;
/** Below nothing is an echo; above, without the evidence, a window stays undecided a little longer. */
const SUSPICIOUS_SHARE = 0.3;
const SUSPICIOUS_WINDOWS = 8;
/** An onset is dated back over so many windows (`SpeechGate`): that they were undecided costs no time. */
const UNDECIDED_WINDOWS = 3;
/** The caller, once noticed, is not doubted again for some windows that an echo explains. */
const MAX_UNEXPLAINED_WINDOWS = 8;
/** Delays this near, in samples, are one path. */
const SAME_PATH_LAGS = 4;
/** Windows that surely hold no speech are not worth the search. */
const NO_SPEECH_PROBABILITY = 0.1;
/** After so many of them something new begins. */
const PAUSE_WINDOWS = 8;
const UNDECIDED_PROBABILITY = 0.3;
/** Power of a window over what the path's gain lets expect, in the whole band. */
const TOO_LOUD = 4;
/** Only of windows most of whose power lies outside of the path's band. */
const OUTSIDE_BAND = 4;
/** The gain follows, to what four of five windows stay below: the path may favour what lies above its band. */
const GAIN_RISE = 1.2;
const GAIN_FALL = 0.95;
const GAIN_WINDOWS = 8;
const ABOVE_FLOOR = 4;
/** Power is smoothed over about two windows: one that is hard to explain is no caller. */
const SMOOTHING = 0.5;
const REMEMBERED_WINDOWS = 4;

export class EchoGuard {
  readonly #history = new SentHistory();
  readonly #filter = new Decimator();
  readonly #windowLength: number;
  /** What was heard in the last windows, decimated. */
  readonly #heard: Float32Array;
  /** What was sent until and including them, as far back as an echo may come from. */
  readonly #sent: Float32Array;
  #end = 0;
  #search: EchoSearch | null = null;
  #path: EchoPath | null = null;
  #unexplainedWindows = 0;
  #suspiciousWindows = 0;
  #pauseWindows = 0;
  #power = 0;
  #unexplained = 0;
  /** Of the line, where nobody speaks and in what an echo leaves; 0 until it was heard. */
  #noise = 0;
  /** Of the path, in the whole band. */
  #gain = 0;
  #gainWindows = 0;

  constructor(windowSamples: number) {
    this.#windowLength = windowSamples / DECIMATION;
    this.#heard = new Float32Array(REMEMBERED_WINDOWS * this.#windowLength);
    this.#sent = new Float32Array(this.#heard.length + MAX_LAG + 2 * ECHO_PATH_REACH);
  }

  /** A frame that left in step with the caller's. */
  sent(frame: Int16Array): void {
    this.#history.push(frame);
  }

  /** Takes the caller's next window and the probability that it holds speech; gives that of the caller speaking. */
  judge(window: Int16Array, probability: number): number {
    const begin = this.#end;
    this.#end += this.#windowLength;
    const level = meanSquare(window);
    const audible = level >= FLOOR;
    if (begin - this.#history.voiceEnd > MAX_LAG) {
      this.#beginAnew();
      return audible ? probability : 0;
    }
    this.#heard.copyWithin(0, this.#windowLength);
    const heard = this.#heard.subarray(-this.#windowLength);
    heard.set(this.#filter.push(window));
    const power = meanSquare(heard);
    const speech = audible && probability >= NO_SPEECH_PROBABILITY;
    this.#pauseWindows = speech ? 0 : this.#pauseWindows + 1;
    if (this.#pauseWindows >= PAUSE_WINDOWS) this.#beginAnew();
    if (!speech) this.#noteNoise(power);
    if (!audible) return this.#unexplainedWindows === 0 ? 0 : this.#undoubted(probability);
    this.#history.copy(this.#end - this.#sent.length + ECHO_PATH_REACH, this.#sent);
    const at = this.#sent.length - ECHO_PATH_REACH - this.#windowLength;
    const explained = this.#explains(heard, at, power);
    const tooLoud = explained && this.#isTooLoud(level, begin) && level > OUTSIDE_BAND * power;
    if (explained && !tooLoud) {
      this.#search?.reset();
      if (this.#unexplainedWindows === 0) return 0;
      // One that an echo explains, among some that none does, still belongs to the onset.
      this.#unexplainedWindows--;
      return Math.min(probability, UNDECIDED_PROBABILITY);
    }
    if (!speech) return probability;
    const found = tooLoud ? 'nothing' : this.#searchFor(heard, at);
    if (found === 'echo') {
      this.#unexplainedWindows = 0;
      return 0;
    }
    const waits = found === 'suspicious' && this.#unexplainedWindows === UNDECIDED_WINDOWS;
    if (!waits || this.#suspiciousWindows++ >= SUSPICIOUS_WINDOWS)
      this.#unexplainedWindows = Math.min(MAX_UNEXPLAINED_WINDOWS, this.#unexplainedWindows + 1);
    return this.#undoubted(probability);
  }

  #undoubted(probability: number): number {
    const callerSpeaks = this.#unexplainedWindows > UNDECIDED_WINDOWS;
    return callerSpeaks ? probability : Math.min(probability, UNDECIDED_PROBABILITY);
  }

  /** By the path that is known, which learns from what it explains. */
  #explains(heard: Float32Array, at: number, power: number): boolean {
    const left = this.#path ? this.#path.unexplained(heard, this.#sent, at) : power;
    this.#power += SMOOTHING * (power - this.#power);
    this.#unexplained += SMOOTHING * (left - this.#unexplained);
    if (!this.#path || !this.#isEcho(this.#unexplained, this.#power)) return false;
    this.#noteNoise(left);
    this.#path.learn(heard, this.#sent, at);
    return true;
  }

  /**
   * The path knows nothing of what lies above its band: a hiss of the caller's ("stop", "sorry") over the echo is told by
   * its level alone, against the loudest that was sent at that delay and what came back of it so far.
   */
  #isTooLoud(level: number, begin: number): boolean {
    const from = begin - this.#path!.lag - ECHO_PATH_REACH;
    const gain = level / (this.#history.loudest(from, from + this.#windowLength + 2 * ECHO_PATH_REACH) + FLOOR);
    const learning = this.#gainWindows < GAIN_WINDOWS;
    const tooLoud = !learning && gain > TOO_LOUD * this.#gain && level > ABOVE_FLOOR * FLOOR;
    if (learning) this.#gainWindows++;
    if (learning) this.#gain = Math.max(gain, this.#gain);
    else this.#gain *= gain > this.#gain ? GAIN_RISE : GAIN_FALL;
    return tooLoud;
  }

  /** Among all delays. A path that is found is taken for the one that is, and learns from what led to it. */
  #searchFor(heard: Float32Array, at: number): 'echo' | 'suspicious' | 'nothing' {
    const search = (this.#search ??= new EchoSearch(MAX_LAG));
    search.add(heard, this.#sent, at);
    const { lag, share } = search.best();
    if (share < SUSPICIOUS_SHARE) return 'nothing';
    if (share < MIN_ECHO_SHARE || share * search.windows < ECHO_EVIDENCE) return 'suspicious';
    if (this.#path && Math.abs(this.#path.lag - lag) <= SAME_PATH_LAGS) this.#path.learn(heard, this.#sent, at);
    else {
      this.#path = new EchoPath(lag);
      this.#gain = 0;
      this.#gainWindows = 0;
      for (let back = REMEMBERED_WINDOWS - 1; back >= 0; back--)
        this.#path.learn(this.#past(back), this.#sent, at - back * this.#windowLength);
    }
    return 'echo';
  }

  #isEcho(left: number, power: number): boolean {
    return left <= ECHO_UNEXPLAINED * power || left <= ABOVE_NOISE * this.#noise;
  }

  #noteNoise(power: number): void {
    this.#noise = this.#noise === 0 ? power : Math.min(power, this.#noise * NOISE_RISE);
  }

  /** The last window but `back`. */
  #past(back: number): Float32Array {
    const end = this.#heard.length - back * this.#windowLength;
    return this.#heard.subarray(end - this.#windowLength, end);
  }

  #beginAnew(): void {
    this.#unexplainedWindows = 0;
    this.#suspiciousWindows = 0;
    if (this.#search && this.#search.windows > 0) this.#search.reset();
  }
}

function meanSquare(window: Int16Array | Float32Array): number {
  let sum = 0;
  for (let i = 0; i < window.length; i++) sum += window[i]! ** 2;
  return sum / window.length;
}
