/** The agent's speech of the moment with what belongs to it: who writes it, since when, and whether it ends the call. */
import type { Clock } from '../../clock';
import { after } from '../after';
import type { AgentDelegate } from '../agent-session';
import type { Responder } from '../responder/responder';
import { AgentSpeech } from './agent-speech';
import type { AgentSpeechOptions } from './agent-speech';
import { APOLOGY, FAREWELL, ONE_MOMENT, SAY_AGAIN } from './phrases';
import { SentenceSplitter } from './sentences';
import type { SynthesisedSentence } from './synthesised-sentence';

/** Dead air is not allowed to last 3 s: while the responder has nothing, a filler is said. */
const FILLER_AFTER_MS = 1_800;

export type AgentEndReason = Parameters<AgentDelegate['onEnd']>[0];

export interface ReplyDelegate {
  onFirstAudio(reply: Reply): void;
  onFinished(reply: Reply): void;
  onVoiceFailed(reply: Reply): void;
  /** It turned out that this reply ends the call. */
  onEndsCall(reply: Reply): void;
}

export interface ReplyOptions extends Omit<AgentSpeechOptions, 'delegate'> {
  readonly clock: Clock;
  readonly delegate: ReplyDelegate;
  /** When the caller stopped speaking; null where nothing was asked. */
  readonly askedAt: number | null;
}

export class Reply {
  readonly speech: AgentSpeech;
  readonly askedAt: number | null;
  readonly #clock: Clock;
  readonly #delegate: ReplyDelegate;
  readonly #abort = new AbortController();
  #startedAt: number | null = null;
  #endsCall: AgentEndReason | null = null;
  #cancelFiller: (() => void) | null = null;

  constructor(options: ReplyOptions) {
    this.askedAt = options.askedAt;
    this.#clock = options.clock;
    this.#delegate = options.delegate;
    this.speech = new AgentSpeech({
      ...options,
      delegate: {
        onFirstAudio: () => this.#onFirstAudio(),
        onFinished: () => this.#delegate.onFinished(this),
        onFailed: () => this.#delegate.onVoiceFailed(this),
      },
    });
  }

  /** When its first audio was queued, else now. */
  get startedAt(): number {
    return this.#startedAt ?? this.#clock.now();
  }

  get endsCall(): AgentEndReason | null {
    return this.#endsCall;
  }

  /** The caller spoke up: the call goes on after it. */
  keepCall(): void {
    this.#endsCall = null;
  }

  say(sentences: readonly string[], endsCall: AgentEndReason | null): void {
    this.#endsCall = endsCall;
    for (const sentence of sentences) this.speech.say(sentence);
    this.speech.end();
  }

  /** The same with audio that is there, or on its way, already. */
  sayPrepared(sentences: readonly SynthesisedSentence[], endsCall: AgentEndReason | null): void {
    this.#endsCall = endsCall;
    for (const sentence of sentences) this.speech.say(sentence.text, sentence);
    this.speech.end();
  }

  /** Speaks what the responder writes, as it writes it; on its failure an apology, then the call ends. */
  async follow(responder: Responder, request: Omit<Parameters<Responder['respond']>[0], 'signal'>): Promise<void> {
    this.#cancelFiller = after(this.#clock, FILLER_AFTER_MS, () => this.speech.say(ONE_MOMENT));
    const splitter = new SentenceSplitter();
    let spoken = false;
    const say = (sentences: readonly string[]): void => {
      for (const sentence of sentences) {
        spoken = true;
        this.#cancelFiller?.();
        this.speech.say(sentence);
      }
    };
    const { signal } = this.#abort;
    try {
      for await (const event of responder.respond({ ...request, signal })) {
        if (signal.aborted) return;
        if (event.type === 'text') say(splitter.push(event.delta));
        else this.#decideEnd('agent_goodbye');
      }
    } catch {
      // The responder logs why; here nothing is left but to say so.
      if (signal.aborted) return;
      splitter.flush();
      say([APOLOGY]);
      this.#decideEnd('error');
    }
    if (signal.aborted) return;
    say(splitter.flush());
    if (!spoken) say([this.#endsCall ? FAREWELL : SAY_AGAIN]);
    this.speech.end();
  }

  /** Nobody writes it any further; what is queued plays on until the speech is cut. */
  drop(): void {
    this.#abort.abort();
    this.#cancelFiller?.();
  }

  #decideEnd(reason: AgentEndReason): void {
    this.#endsCall = reason;
    this.#delegate.onEndsCall(this);
  }

  #onFirstAudio(): void {
    this.#startedAt = this.#clock.now();
    this.#cancelFiller?.();
    this.#delegate.onFirstAudio(this);
  }
}
