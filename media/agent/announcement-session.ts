/**
 * Says what it was given and ends the call; listens to nobody. The transcript has the words of its record, which may leave
 * out what is for the callee alone.
 */
import { GRAPH_RATE_HZ } from '../audio/frame';
import type { Clock } from '../clock';
import type { AgentDelegate, AgentPersona, AgentSession, CallAudio } from './agent-session';
import type { TextToSpeech } from './text-to-speech';
import { AgentSpeech } from './turns/agent-speech';
import { SynthesisedSentence } from './turns/synthesised-sentence';
import { Transcript } from './turns/transcript';

/** Between sentences, for whoever writes along: 700 ms. */
const PAUSE = new Int16Array(0.7 * GRAPH_RATE_HZ);

export interface AnnouncementDependencies {
  readonly clock: Clock;
  readonly tts: TextToSpeech;
  readonly onProblem: (error: unknown) => void;
}

export type AnnouncingPersona = AgentPersona & Required<Pick<AgentPersona, 'announcement'>>;

export class AnnouncementSession implements AgentSession {
  readonly mayBeTold = false;
  readonly #deps: AnnouncementDependencies;
  readonly #persona: AnnouncingPersona;
  readonly #delegate: AgentDelegate;
  readonly #transcript: Transcript;
  readonly #speech: AgentSpeech;
  #first: SynthesisedSentence | null = null;
  #nextPlaybackId = 1;
  #startedAt: number | null = null;
  #over = false;

  constructor(deps: AnnouncementDependencies, persona: AnnouncingPersona, audio: CallAudio, delegate: AgentDelegate) {
    this.#deps = deps;
    this.#persona = persona;
    this.#delegate = delegate;
    this.#transcript = new Transcript((turn) => delegate.onTurn(turn));
    this.#speech = new AgentSpeech({
      audio,
      synthesise: (text) => this.#synthesise(text),
      nextPlaybackId: () => this.#nextPlaybackId++,
      delegate: {
        onFirstAudio: () => undefined,
        onFinished: () => this.#end('agent_goodbye'),
        onFailed: () => this.#end('error'),
      },
    });
  }

  say(): 'ended' {
    return 'ended';
  }

  notTransferred(): void {}

  instruct(): boolean {
    return false;
  }

  mute(): void {}

  async warm(): Promise<void> {
    const first = this.#prepareFirst();
    if (!first) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (first.chunks.length > 0 || first.state === 'complete') resolve();
        else if (first.state === 'failed') reject(new Error('the announcement cannot be synthesised'));
      };
      first.onProgress = check;
      check();
    });
  }

  start(): void {
    if (this.#over || this.#startedAt !== null) return;
    this.#startedAt = this.#deps.clock.now();
    this.#transcript.answered(this.#startedAt);
    for (const [at, text] of this.#persona.announcement.sentences.entries()) {
      if (at > 0) this.#speech.say('', SynthesisedSentence.ready('', PAUSE));
      // The others while those before them are heard: the voice has more to say than this.
      this.#speech.say(text, at === 0 ? this.#prepareFirst() : null);
    }
    this.#speech.end();
  }

  /** What is queued waits in the media session until the peer resumes. */
  hold(): void {
    return;
  }

  onDtmf(): void {
    return;
  }

  onPlaybackFinished(playbackId: number): void {
    this.#speech.onPlaybackFinished(playbackId);
  }

  finish(): Promise<void> {
    this.#report();
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#over = true;
    this.#transcript.close();
    this.#speech.cancel();
    this.#first?.cancel();
  }

  #prepareFirst(): SynthesisedSentence | null {
    const [text] = this.#persona.announcement.sentences;
    if (text !== undefined) this.#first ??= this.#synthesise(text);
    return this.#first;
  }

  #synthesise(text: string): SynthesisedSentence {
    const { voiceId, ttsSpeedPct } = this.#persona;
    return SynthesisedSentence.start(this.#deps.tts, { text, voiceId, speedPct: ttsSpeedPct }, this.#deps.onProblem);
  }

  #end(reason: 'agent_goodbye' | 'error'): void {
    if (this.#over) return;
    this.#report();
    this.#over = true;
    this.#delegate.onEnd(reason);
  }

  #report(): void {
    if (this.#over || this.#startedAt === null || !this.#speech.audible) return;
    this.#transcript.agentSaid(this.#persona.announcement.record, this.#startedAt, this.#deps.clock.now(), null);
  }
}
