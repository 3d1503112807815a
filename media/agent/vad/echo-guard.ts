/**
 * Tells the caller from the agent's own voice coming back: from the hybrid of a line, a loudspeaker, an echo extension.
 * What was sent is known, sample by sample. A window of the caller's audio that follows from it, at one delay and through
 * one short filter, is echo and opens nothing, however much it sounds like speech; what is left when the echo is taken
 * out is the caller.
 *
 * There are two estimates, as echo cancellers have a background and a foreground filter: a search over all delays, while
 * nothing explains what is heard; and the path that it found, which is kept for the rest of the call and learns as long
 * as it explains. It is found where voices have their power, and followed in a second band, where they hiss.
 *
 * A line that has behaved for half a second of the agent's voice, by one path or without any echo, is known. Until then
 * anything that resembles what was sent is its echo, and the caller is doubted for long; afterwards two voices that
 * resemble each other for a moment are two voices. So is what its path usually leaves of an echo: more than that, faint as
 * it is, dates the caller's beginning back; no more than that opens nothing, however much it is. A window in doubt may be
 * the beginning of speech, but does not open the gate.
 */
import { GRAPH_RATE_HZ } from '../../audio/frame';
import { DECIMATION, HISS_BAND, VOICE_BAND } from './band-filter';
import { EchoBand, isSamePath, meanSquare } from './echo-band';
import { EchoSearch } from './echo-search';

/** 500 ms of network and far end, and what jitter buffers add. */
const MAX_LAG = (0.64 * GRAPH_RATE_HZ) / DECIMATION;
/** Mean square of −58 dBov: quieter is noise, a faint echo, or nobody who wants to be understood. */
const FLOOR = (32768 * 10 ** (-58 / 20)) ** 2;
/**
 * Share that one delay explains, times the windows that say so. Of seeded voices 99 % of the echoes reach it at their
 * first or second window, while one voice resembles another for one window at most (0.77 × 1, 0.38 × 2, 0.26 × 3).
 */
const ECHO_EVIDENCE = 0.8;
/** An echo beneath the caller's voice explains less than this. */
const MIN_ECHO_SHARE = 0.45;
/** Windows, one after the other, in which the line did what was expected of it, before it is known. */
const KNOWN_WINDOWS = 16;
/** On a known line another path takes this much: by likeness, or by windows in a row that a candidate explains. */
const OTHER_PATH = { minShare: 0.6, evidence: 1.5, rehearsals: 3 } as const;
/** An onset is dated back over more windows than these (`SpeechGate`): that they were undecided costs no time. */
const UNDECIDED_WINDOWS = 4;
const UNDECIDED_WINDOWS_AT_FIRST = 7;
/** As many as count while the first words of the agent may still be on their way back. */
const UNDECIDED_WINDOWS_BEFORE = 4;
/** The caller, once noticed, is not doubted again for some windows that an echo explains. */
const MAX_UNEXPLAINED_WINDOWS = 12;
/** Windows that surely hold no speech are not worth the search. */
const NO_SPEECH_PROBABILITY = 0.1;
/** After so many of them something new begins. */
const PAUSE_WINDOWS = 8;
const UNDECIDED_PROBABILITY = 0.3;
/** A delay less likely than this is not worth a path of its own. */
const MIN_CANDIDATE_SHARE = 0.2;
/** Power is smoothed over about two windows: one that is hard to explain is no caller. A hiss is short, and stands out. */
const VOICE_SMOOTHING = 0.5;
const HISS_SMOOTHING = 1;
/** Hisses fainter than this, −63 dBov, say nothing. */
const HISS_FLOOR = 0.3 * FLOOR;
/** What codecs add to the hiss band, of the power of the whole: beneath a vowel there may be more of it than of hiss. */
const CODEC_NOISE = 5e-4;
/** What pre-emphasis takes from the power of a voice, and that the loudest window counts among its neighbours. */
const EMPHASIS_LOSS = 7;
/** The path in the hiss band has explained so many windows, more than not, before it is believed; then may fail in some. */
const PROOFS = 6;
const MAX_HISS_WINDOWS = 10;

export class EchoGuard {
  readonly #voice: EchoBand;
  readonly #hiss: EchoBand;
  readonly #windowLength: number;
  #end = 0;
  #search: EchoSearch | null = null;
  #unexplainedWindows = 0;
  /** Since something was sent that can be heard: echoes come from no earlier. */
  #audibleWindows = 0;
  /** Windows in which the line did what was expected of it, up to those that make it known. */
  #expectedWindows = 0;
  /** Those in a row that the candidate for a path has explained. */
  #rehearsals = 0;
  #pauseWindows = 0;
  /** Windows that the hiss band's path has explained lately, less those that it did not. */
  #hissProofs = 0;
  /** Those, one after the other, that it did not explain although it is believed. */
  #hissWindows = 0;

  constructor(windowSamples: number) {
    this.#windowLength = windowSamples / DECIMATION;
    const options = { windowLength: this.#windowLength, maxLag: MAX_LAG };
    this.#voice = new EchoBand(VOICE_BAND, { ...options, smoothing: VOICE_SMOOTHING });
    this.#hiss = new EchoBand(HISS_BAND, { ...options, smoothing: HISS_SMOOTHING });
  }

  /** A frame that left in step with the caller's. */
  sent(frame: Int16Array): void {
    if (this.#audibleWindows === 0 && meanSquare(frame) >= FLOOR) this.#audibleWindows = 1;
    this.#voice.sent(frame);
    this.#hiss.sent(frame);
  }

  /** Takes the caller's next window and the probability that it holds speech; gives that of the caller speaking. */
  judge(window: Int16Array, probability: number): number {
    const begin = this.#end;
    this.#end += this.#windowLength;
    const level = meanSquare(window);
    const audible = level >= FLOOR;
    if (begin - this.#voice.voiceEnd > MAX_LAG) {
      this.#beginAnew();
      this.#audibleWindows = 0;
      return audible ? probability : 0;
    }
    if (this.#audibleWindows > 0) this.#audibleWindows++;
    this.#voice.hear(window);
    this.#hiss.hear(window);
    const speech = audible && probability >= NO_SPEECH_PROBABILITY;
    this.#pauseWindows = speech ? 0 : this.#pauseWindows + 1;
    if (this.#pauseWindows >= PAUSE_WINDOWS) this.#beginAnew();
    if (!speech) {
      this.#voice.noteNoise(this.#voice.power);
      this.#hiss.noteNoise(this.#hiss.power);
      if (this.#voice.lag === null && this.#echoIsDue) this.#noteExpected();
    }
    if (!audible) return this.#unexplainedWindows === 0 ? 0 : this.#undoubted(probability);
    this.#voice.align(this.#end);
    const voiceExplained = this.#voice.explains();
    if (voiceExplained && this.#explainsHiss(level)) {
      this.#noteExpected();
      const unusual = speech && this.#lineIsKnown && this.#voice.leavesUnusuallyMuch;
      this.#voice.learn();
      this.#search?.reset();
      this.#voice.forget();
      if (unusual) return this.#beginning(probability);
      if (this.#unexplainedWindows === 0) return 0;
      // One that an echo explains, among some that none does, still belongs to the onset.
      const doubtful = this.#unexplainedWindows-- <= UNDECIDED_WINDOWS;
      return doubtful ? Math.min(probability, UNDECIDED_PROBABILITY) : probability;
    }
    if (!speech) return probability;
    // A hiss, the caller's or an echo that no path is known of yet.
    if (voiceExplained || (this.#voice.lag === null && this.#voice.isQuiet)) return this.#beginning(probability);
    if (this.#voice.overshoots) {
      // Less is heard than the path expects: no caller adds that. The echo has changed, or was not understood.
      this.#expectedWindows = 0;
      this.#voice.learn();
      return this.#unexplainedWindows === 0 ? 0 : this.#undoubted(probability);
    }
    if (this.#findsEcho()) {
      this.#unexplainedWindows = 0;
      return 0;
    }
    // More than an echo may leave, but no more than those of this line do.
    if (this.#lineIsKnown && this.#voice.lag !== null && !this.#voice.leavesUnusuallyMuch)
      return this.#beginning(probability);
    const most = this.#lineIsKnown || this.#echoIsDue ? MAX_UNEXPLAINED_WINDOWS : UNDECIDED_WINDOWS_BEFORE;
    this.#unexplainedWindows = Math.min(most, this.#unexplainedWindows + 1);
    return this.#undoubted(probability);
  }

  /** Whatever its delay, it can be heard by now. */
  get #echoIsDue(): boolean {
    return (this.#audibleWindows - 1) * this.#windowLength > MAX_LAG;
  }

  get #lineIsKnown(): boolean {
    return this.#expectedWindows === KNOWN_WINDOWS;
  }

  #noteExpected(): void {
    this.#expectedWindows = Math.min(KNOWN_WINDOWS, this.#expectedWindows + 1);
  }

  /** Too faint to be told from an echo alone: it dates the onset back, and takes the voice behind it to open. */
  #beginning(probability: number): number {
    const windows = Math.min(UNDECIDED_WINDOWS, this.#unexplainedWindows + 1);
    this.#unexplainedWindows = Math.max(this.#unexplainedWindows, windows);
    return this.#undoubted(probability);
  }

  #undoubted(probability: number): number {
    const callerSpeaks =
      this.#unexplainedWindows > (this.#lineIsKnown ? UNDECIDED_WINDOWS : UNDECIDED_WINDOWS_AT_FIRST);
    return callerSpeaks ? probability : Math.min(probability, UNDECIDED_PROBABILITY);
  }

  /**
   * A hiss of the caller's ("stop", "sorry") lies above the band of voices, where an echo explains what remains. Not all
   * of what an echo has up there follows from the hiss that was sent: the codecs at both ends add noise of their own.
   */
  #explainsHiss(level: number): boolean {
    const hiss = this.#hiss;
    hiss.align(this.#end);
    const gain = Math.max(hiss.gain, this.#voice.gain);
    const voiceSent = EMPHASIS_LOSS * this.#voice.powerSent(this.#voice.lag!);
    const explained = hiss.explains(Math.max(CODEC_NOISE * Math.max(level, gain * voiceSent), HISS_FLOOR));
    if (!explained && this.#hissProofs === PROOFS) {
      if (++this.#hissWindows > MAX_HISS_WINDOWS) this.#hissProofs = 0;
      return false;
    }
    this.#hissProofs = explained ? Math.min(PROOFS, this.#hissProofs + 1) : Math.max(0, this.#hissProofs - 1);
    this.#hissWindows = 0;
    hiss.learn();
    return true;
  }

  /** Among all delays. A path that is found is taken for the one that is, and learns from what led to it. */
  #findsEcho(): boolean {
    const search = (this.#search ??= new EchoSearch(MAX_LAG));
    search.add(this.#voice.heard, this.#voice.span, this.#voice.at);
    const { lag, share } = search.best();
    const known = this.#lineIsKnown;
    const rehearsed = share >= MIN_CANDIDATE_SHARE && this.#voice.rehearse(lag);
    this.#rehearsals = rehearsed ? this.#rehearsals + 1 : 0;
    const proven = this.#rehearsals >= (known ? OTHER_PATH.rehearsals : 1);
    const [minShare, evidence] = known ? [OTHER_PATH.minShare, OTHER_PATH.evidence] : [MIN_ECHO_SHARE, ECHO_EVIDENCE];
    if (!proven && (share < minShare || share * search.windows < evidence)) return false;
    if (this.#voice.lag !== null && isSamePath(this.#voice.lag, lag)) this.#voice.learn();
    else {
      this.#voice.follow(lag);
      this.#hiss.align(this.#end);
      this.#hiss.follow(lag);
      this.#hissProofs = 0;
      this.#expectedWindows = 0;
    }
    return true;
  }

  #beginAnew(): void {
    this.#unexplainedWindows = 0;
    if (this.#search && this.#search.windows > 0) this.#search.reset();
    this.#voice.forget();
  }
}
