/** The agent's speech of the moment with what belongs to it: who writes it, since when, and what follows when it was heard. */
import type { TransferWish } from '../../../contract/transfers';
import type { Clock } from '../../clock';
import { after } from '../after';
import type { AgentDelegate } from '../agent-session';
import type { Responder } from '../responder/responder';
import { AgentSpeech } from './agent-speech';
import type { AgentSpeechOptions } from './agent-speech';
import { FAREWELL, ONE_MOMENT, SAY_AGAIN } from './phrases';
import { SentenceSplitter } from './sentences';
import type { SynthesisedSentence } from './synthesised-sentence';

/** Dead air is not allowed to last 3 s: while the responder has nothing, a filler is said. */
const FILLER_AFTER_MS = 1_800;

export type AgentEndReason = Parameters<AgentDelegate['onEnd']>[0];

/** What follows: the end of the call, or a transfer. */
export type ReplyEnd = AgentEndReason | TransferWish;

export const wishOf = (end: ReplyEnd | null | undefined): TransferWish | null =>
  typeof end === 'object' && end !== null ? end : null;

export interface ReplyDelegate {
  onFirstAudio(reply: Reply): void;
  onFinished(reply: Reply): void;
  onVoiceFailed(reply: Reply): void;
  /** It turned out that this reply ends the call. */
  onEndsCall(reply: Reply): void;
  /** Whoever is called is not to be called again. False: nobody asks that here, and the reply goes on. */
  onOptOut(reply: Reply): boolean;
  /** Nobody writes it. What is left to be said, and what follows? */
  onWriterFailed(reply: Reply): { readonly sentence: string; readonly end: ReplyEnd };
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
  #end: ReplyEnd | null = null;
  #insists = false;
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

  get end(): ReplyEnd | null {
    return this.#end;
  }

  /** It is said to its end, whatever is said over it, and what follows on it is not taken back. */
  get insists(): boolean {
    return this.#insists;
  }

  insist(): void {
    this.#insists = true;
  }

  /** The caller spoke up: the call goes on after it. */
  keepCall(): void {
    this.#end = null;
  }

  say(sentences: readonly string[], end: ReplyEnd | null): void {
    this.#end = end;
    for (const sentence of sentences) this.speech.say(sentence);
    this.speech.end();
  }

  /** The same with audio that is there, or on its way, already. */
  sayPrepared(sentences: readonly SynthesisedSentence[], end: ReplyEnd | null): void {
    this.#end = end;
    for (const sentence of sentences) this.speech.say(sentence.text, sentence);
    this.speech.end();
  }

  /** Speaks what the responder writes, as it writes it. */
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
        else if (event.type === 'opt_out') {
          if (this.#delegate.onOptOut(this)) return;
        } else this.#decideEnd(event.type === 'transfer' ? event.wish : 'agent_goodbye');
      }
    } catch {
      // The responder logs why; here nothing is left but to say so.
      if (signal.aborted) return;
      splitter.flush();
      const { sentence, end } = this.#delegate.onWriterFailed(this);
      say([sentence]);
      this.#decideEnd(end);
    }
    if (signal.aborted) return;
    say(splitter.flush());
    if (!spoken) say([this.#end === null ? SAY_AGAIN : wishOf(this.#end) ? ONE_MOMENT : FAREWELL]);
    this.speech.end();
  }

  /** Nobody writes it any further; what is queued plays on until the speech is cut. */
  drop(): void {
    this.#abort.abort();
    this.#cancelFiller?.();
  }

  #decideEnd(end: ReplyEnd): void {
    this.#end = end;
    if (wishOf(end) === null) this.#delegate.onEndsCall(this);
  }

  #onFirstAudio(): void {
    this.#startedAt = this.#clock.now();
    this.#cancelFiller?.();
    this.#delegate.onFirstAudio(this);
  }
}
