/**
 * The caller's side of the turn-taking: voice activity in, whole turns out. Recognition starts at a short pause, on the
 * chance that the turn has ended, so that it is done by the time the silence is long enough; speech that goes on
 * discards it.
 *
 *   idle ──speech_start──▶ speaking ──pause──▶ pausing ──silence long enough, text known──▶ idle (onTurn)
 *                            ▲──────speech──────┘
 */
import type { Clock } from '../../clock';
import { after } from '../after';
import { ProviderError } from '../provider-error';
import type { SpeechToText, SttResult } from '../speech-to-text';
import type { CallerAudio } from '../vad/speech-listener';
import type { VadEvent } from '../vad/voice-activity';
import { LONG_SILENCE_MS, silenceThatEndsTurn } from './end-of-turn';

/** From here on a pause may be the end. */
const SPECULATE_AFTER_MS = 300;
/** Longer speech is recognised in pieces, since the recogniser's cost grows faster than the speech. */
const PIECE_MS = 15_000;
/** No report for so long: the audio itself has stopped, which is silence too. */
const STALLED_AFTER_MS = 1_500;
/** A recogniser that takes longer is as good as broken: the agent asks again rather than keep silent. */
const RECOGNITION_DEADLINE_MS = 2_400;
/** Recognised from noise, more likely than said. */
const MIN_CONFIDENCE = 0.25;

export interface FinishedTurn {
  /** Empty when nothing was recognised. */
  readonly text: string;
  /** On the session's clock. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly speechMs: number;
  /** Recognition failed. */
  readonly failed: boolean;
}

interface CallerTurnDelegate {
  /** Speech was noticed. */
  onOnset(): void;
  /** It goes on; ms since its onset. */
  onSpeech(speechMs: number): void;
  /** It paused; ms of speech since its onset, and of silence since. */
  onPause(speechMs: number, silenceMs: number): void;
  onTurn(turn: FinishedTurn): void;
}

export interface CallerTurnOptions {
  readonly clock: Clock;
  readonly stt: SpeechToText | null;
  readonly keyterms: readonly string[];
  readonly delegate: CallerTurnDelegate;
  readonly onProblem: (error: unknown) => void;
}

type Recognition =
  | { readonly state: 'running'; readonly abort: AbortController }
  | { readonly state: 'done'; readonly result: SttResult }
  | { readonly state: 'failed' };

export type CallerTurnState = 'idle' | 'speaking' | 'pausing';

export class CallerTurn {
  readonly #options: CallerTurnOptions;
  #audio: CallerAudio | null = null;
  #closed = false;
  #state: CallerTurnState = 'idle';
  #startedAt = 0;
  #endedAt = 0;
  #speechMs = 0;
  #recognition: Recognition | null = null;
  /** Text of earlier pieces of a long turn. */
  #pieces: Promise<string>[] = [];
  #pieceStartMs = 0;
  #cancelStall: (() => void) | null = null;

  constructor(options: CallerTurnOptions) {
    this.#options = options;
  }

  get state(): CallerTurnState {
    return this.#state;
  }

  /** Since when they have been speaking, on the session's clock; null while they are not. */
  get speakingSince(): number | null {
    return this.#state === 'idle' ? null : this.#startedAt;
  }

  listen(audio: CallerAudio): void {
    this.#audio = audio;
  }

  onVad(event: VadEvent): void {
    if (!this.#audio) return;
    const now = this.#options.clock.now();
    this.#watchForStall();
    switch (event.type) {
      case 'speech_start':
        return this.#onSpeech(now, event.speechMs, true);
      case 'speech_continues':
        return this.#onSpeech(now, event.speechMs, false);
      case 'pause':
        return this.#onPause(now, event.speechMs, event.silenceMs);
    }
  }

  /** What was heard was noise, or not meant for the agent: forget it. */
  discard(): void {
    this.#reset();
    this.#audio?.commit();
  }

  /** Ends the turn now, whatever the silence; resolves null when there was none or it was not understood. */
  async conclude(): Promise<FinishedTurn | null> {
    if (this.#state === 'idle' || !this.#audio || !this.#options.stt) return null;
    const { startedAt, speechMs } = { startedAt: this.#startedAt, speechMs: this.#speechMs };
    const endedAt = this.#state === 'speaking' ? this.#options.clock.now() : this.#endedAt;
    const pieces = this.#pieces;
    const known = this.#recognition?.state === 'done' ? this.#recognition.result : null;
    const pcm = known ? null : this.#audio.utterance();
    this.#reset();
    try {
      const last = known ?? (await this.#options.stt.transcribe(await pcm!, { keyterms: this.#options.keyterms }));
      const text = [...(await Promise.all(pieces)), credible(last)].filter(Boolean).join(' ');
      return { text, startedAt, endedAt, speechMs, failed: false };
    } catch {
      // The call is over; a last turn that cannot be recognised is missing from the transcript.
      return null;
    }
  }

  /** What was under way is given up; `listen` begins anew. */
  stopListening(): void {
    this.#reset();
    this.#audio?.close();
    this.#audio = null;
  }

  close(): void {
    this.#closed = true;
    this.stopListening();
  }

  #onSpeech(now: number, speechMs: number, newOnset: boolean): void {
    const wasIdle = this.#state === 'idle';
    const noticed = newOnset || this.#state !== 'speaking';
    this.#state = 'speaking';
    this.#abandonRecognition();
    if (wasIdle) {
      this.#startedAt = now - speechMs;
      this.#pieceStartMs = this.#startedAt;
    }
    this.#speechMs = Math.max(this.#speechMs, speechMs);
    this.#endedAt = now;
    if (now - this.#pieceStartMs >= PIECE_MS) this.#cutPiece(now);
    if (noticed) this.#options.delegate.onOnset();
    if (this.#state === 'speaking') this.#options.delegate.onSpeech(speechMs);
  }

  #onPause(now: number, speechMs: number, silenceMs: number): void {
    if (this.#state === 'idle') return;
    if (this.#state === 'speaking') this.#endedAt = now - silenceMs;
    this.#state = 'pausing';
    this.#speechMs = Math.max(this.#speechMs, speechMs);
    this.#options.delegate.onPause(speechMs, silenceMs);
    this.#considerEnd();
  }

  #considerEnd(): void {
    if (this.#state !== 'pausing') return;
    const silenceMs = this.#options.clock.now() - this.#endedAt;
    if (silenceMs >= SPECULATE_AFTER_MS && !this.#recognition) this.#recognise();
    const recognition = this.#recognition;
    if (recognition?.state === 'done' && silenceMs >= silenceThatEndsTurn(recognition.result.text)) {
      void this.#finish(credible(recognition.result), false);
    } else if (recognition?.state === 'failed' && silenceMs >= LONG_SILENCE_MS) void this.#finish('', true);
  }

  #recognise(): void {
    const { stt, keyterms } = this.#options;
    if (!stt || !this.#audio) {
      this.#recognition = { state: 'failed' };
      return;
    }
    const abort = new AbortController();
    const running: Recognition = { state: 'running', abort };
    this.#recognition = running;
    const cancelDeadline = after(this.#options.clock, RECOGNITION_DEADLINE_MS, () => {
      this.#options.onProblem(new ProviderError(stt.name, 'timeout', 'recognition took too long'));
      settle({ state: 'failed' });
      abort.abort();
    });
    abort.signal.addEventListener('abort', cancelDeadline);
    const settle = (settled: Recognition): void => {
      cancelDeadline();
      if (this.#recognition !== running) return;
      this.#recognition = settled;
      this.#considerEnd();
    };
    this.#audio
      .utterance()
      .then((pcm) => stt.transcribe(pcm, { keyterms, signal: abort.signal }))
      .then(
        (result) => settle({ state: 'done', result }),
        (error: unknown) => {
          if (!abort.signal.aborted) this.#options.onProblem(error);
          settle({ state: 'failed' });
        },
      );
  }

  /** The text of pieces may still be under way; the turn ends at once, its report waits for them. */
  async #finish(lastText: string, failed: boolean): Promise<void> {
    const pieces = this.#pieces;
    const turn = { startedAt: this.#startedAt, endedAt: this.#endedAt, speechMs: this.#speechMs };
    this.#reset();
    this.#audio?.commit();
    const texts = pieces.length > 0 ? await Promise.all(pieces) : [];
    if (this.#closed) return;
    const text = [...texts, lastText].filter(Boolean).join(' ');
    this.#options.delegate.onTurn({ ...turn, text, failed: failed && text === '' });
  }

  #cutPiece(now: number): void {
    const { stt, keyterms } = this.#options;
    if (!stt || !this.#audio) return;
    const pcm = this.#audio.utterance();
    this.#audio.commit();
    this.#pieceStartMs = now;
    this.#pieces.push(
      pcm
        .then((samples) => stt.transcribe(samples, { keyterms }))
        .then(
          (result) => credible(result),
          (error: unknown) => {
            this.#options.onProblem(error);
            return '';
          },
        ),
    );
  }

  #abandonRecognition(): void {
    if (this.#recognition?.state === 'running') this.#recognition.abort.abort();
    this.#recognition = null;
  }

  #watchForStall(): void {
    this.#cancelStall?.();
    this.#cancelStall = after(this.#options.clock, STALLED_AFTER_MS, () => {
      this.#cancelStall = null;
      if (this.#state === 'speaking') this.#state = 'pausing';
      this.#considerEnd();
      if (this.#state === 'pausing') this.#watchForStall();
    });
  }

  #reset(): void {
    this.#abandonRecognition();
    this.#cancelStall?.();
    this.#cancelStall = null;
    this.#state = 'idle';
    this.#speechMs = 0;
    this.#pieces = [];
  }
}

function credible(result: SttResult): string {
  return result.confidence !== null && result.confidence < MIN_CONFIDENCE ? '' : result.text;
}
