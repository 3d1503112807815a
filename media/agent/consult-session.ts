/**
 * Tells somebody who was called who is there, and asks whether they take the caller; says nothing of it to anybody else, and
 * leaves no transcript.
 *
 *   new ──start()──► speaking ──heard to its end──► waiting ──key, word──► decided
 *                     ▲   └──────key──────────────────│──────────────────────↗
 *                     └──silence, once; said neither──┘ silence again
 *
 * A word counts when it was said after the question, a key at any time: whoever answers a phone with "Yes?" has accepted
 * nothing, nor has a loudspeaker from which our own "yes" comes back.
 */
import type { ConsultAnswer } from '../../contract/events';
import type { Clock } from '../clock';
import { after } from './after';
import type { AgentDelegate, AgentPersona, AgentSession, CallAudio } from './agent-session';
import type { SpeechToText } from './speech-to-text';
import type { TextToSpeech } from './text-to-speech';
import { AgentSpeech } from './turns/agent-speech';
import { CallerTurn } from './turns/caller-turn';
import type { FinishedTurn } from './turns/caller-turn';
import { consentIn } from './turns/consent';
import { CONSULT_QUESTION, CONSULT_QUESTION_BY_KEY } from './turns/phrases';
import { splitSentences } from './turns/sentences';
import { SynthesisedSentence } from './turns/synthesised-sentence';
import type { CallerAudioSource } from './vad/speech-listener';

/** From the end of the question to the next, and to the end. */
const SILENCE_MS = 20_000;
const TIMES_ASKED = 2;
/** Before the end of the question an answer may begin; its last words are neither yes nor no. */
const EARLY_MS = 700;
const ACCEPT_KEY = '1';
const DECLINE_KEY = '2';

export interface ConsultDependencies {
  readonly clock: Clock;
  readonly ears: CallerAudioSource;
  readonly tts: TextToSpeech;
  /** Null: only keys are taken. */
  readonly stt: SpeechToText | null;
  readonly onProblem: (error: unknown) => void;
}

export type ConsultingPersona = AgentPersona & Required<Pick<AgentPersona, 'consult'>>;

export class ConsultSession implements AgentSession {
  readonly mayBeTold = false;
  readonly #deps: ConsultDependencies;
  readonly #persona: ConsultingPersona;
  readonly #audio: CallAudio;
  readonly #delegate: AgentDelegate;
  readonly #caller: CallerTurn;
  #speech: AgentSpeech | null = null;
  #nextPlaybackId = 1;
  #asked = 0;
  /** Since then what is said is an answer; not yet while something is said to them. */
  #listeningFrom = Infinity;
  #cancelSilence: (() => void) | null = null;
  #state: 'new' | 'asking' | 'over' = 'new';

  constructor(deps: ConsultDependencies, persona: ConsultingPersona, audio: CallAudio, delegate: AgentDelegate) {
    this.#deps = deps;
    this.#persona = persona;
    this.#audio = audio;
    this.#delegate = delegate;
    this.#caller = new CallerTurn({
      clock: deps.clock,
      stt: deps.stt,
      keyterms: [],
      onProblem: deps.onProblem,
      delegate: {
        onOnset: () => undefined,
        onSpeech: () => undefined,
        onPause: () => undefined,
        onTurn: (turn) => this.#heard(turn),
      },
    });
  }

  warm(): Promise<void> {
    return Promise.resolve();
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'asking';
    if (this.#deps.stt) {
      this.#caller.listen(this.#deps.ears.open(this.#audio.mediaId, (event) => this.#caller.onVad(event)));
    }
    this.#ask(splitSentences(this.#persona.consult.briefing));
  }

  say(): 'ended' {
    return 'ended';
  }

  notTransferred(): void {}

  instruct(): boolean {
    return false;
  }

  mute(): void {}

  /** What is queued waits in the media session until the peer resumes. */
  hold(): void {}

  onDtmf(digit: string): void {
    if (digit === ACCEPT_KEY) this.#decide(true, 'key');
    else if (digit === DECLINE_KEY) this.#decide(false, 'key');
  }

  onPlaybackFinished(playbackId: number): void {
    this.#speech?.onPlaybackFinished(playbackId);
  }

  /** What is being said is cut off. */
  async finish(): Promise<void> {
    const speech = this.#speech;
    this.close();
    await speech?.cut();
  }

  close(): void {
    this.#state = 'over';
    this.#cancelSilence?.();
    this.#caller.close();
    this.#speech?.cancel();
  }

  #ask(before: readonly string[]): void {
    this.#asked++;
    this.#listeningFrom = Infinity;
    this.#cancelSilence?.();
    this.#speech = new AgentSpeech({
      audio: this.#audio,
      synthesise: (text) => this.#synthesise(text),
      nextPlaybackId: () => this.#nextPlaybackId++,
      delegate: {
        onFirstAudio: () => undefined,
        onFinished: () => this.#wait(),
        onFailed: () => this.#fail(),
      },
    });
    for (const sentence of [...before, ...splitSentences(this.#question)]) this.#speech.say(sentence);
    this.#speech.end();
  }

  get #question(): string {
    return this.#deps.stt ? CONSULT_QUESTION : CONSULT_QUESTION_BY_KEY;
  }

  #wait(): void {
    if (this.#state !== 'asking') return;
    const { clock } = this.#deps;
    if (this.#asked === 1) this.#delegate.onAsked?.();
    this.#listeningFrom = clock.now() - EARLY_MS;
    this.#cancelSilence = after(clock, SILENCE_MS, () => {
      if (this.#asked < TIMES_ASKED) this.#ask([]);
      else this.#decide(false, 'silence');
    });
  }

  #heard({ text, startedAt }: FinishedTurn): void {
    if (this.#state !== 'asking' || startedAt < this.#listeningFrom) return;
    const consent = consentIn(text);
    if (consent !== null) this.#decide(consent, 'word');
    // Whoever goes on talking to itself is not asked for ever.
    else if (this.#asked < TIMES_ASKED) this.#ask([]);
  }

  #decide(accepted: boolean, by: ConsultAnswer): void {
    if (this.#state !== 'asking') return;
    this.close();
    this.#delegate.onDecision?.(accepted, by);
  }

  #fail(): void {
    if (this.#state !== 'asking') return;
    this.close();
    this.#delegate.onEnd('error');
  }

  #synthesise(text: string): SynthesisedSentence {
    const { voiceId, ttsSpeedPct } = this.#persona;
    return SynthesisedSentence.start(this.#deps.tts, { text, voiceId, speedPct: ttsSpeedPct }, this.#deps.onProblem);
  }
}
