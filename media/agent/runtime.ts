/** What the calls of a node share: models, threads, caches. */
import type { MessagePort } from 'node:worker_threads';
import type { Logger } from 'pino';
import { withDeadline } from '../../ops/deadline';
import { systemClock } from '../clock';
import type { AgentDelegate, AgentPersona, AgentSession, CallAudio } from './agent-session';
import { AnnouncementSession } from './announcement-session';
import { ConsultSession } from './consult-session';
import { TYPICAL_UTTERANCE, callersHeard, measureRecognition } from './hearing-capacity';
import { FliteTts } from './providers/flite/flite-tts';
import { MoonshineStt } from './providers/moonshine/moonshine-stt';
import { BuiltinResponder } from './responder/builtin-responder';
import { FallbackResponder } from './responder/fallback-responder';
import { OpenAiResponder } from './responder/openai-responder';
import type { Responder } from './responder/responder';
import { ConversationSession } from './session';
import type { SpeechToText } from './speech-to-text';
import type { TextToSpeech, Voice } from './text-to-speech';
import { APOLOGY, STANDING_PHRASES } from './turns/phrases';
import { SpeechListener } from './vad/speech-listener';
import { WhisperEar } from './whisper-ear';

interface LanguageModelOptions {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
}

export interface AgentRuntimeOptions {
  /** Without one the built-in responder answers. */
  readonly languageModel: LanguageModelOptions | null;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** The speech thread was replaced: caller audio must go to new ports (`audioPort`) from now on. */
  readonly onListenerReplaced?: () => void;
}

interface MeasureLimits {
  /** No run begins later: one that does would not end in time. */
  readonly runsMs: number;
  readonly limitMs: number;
}

/** The node's start waits for it. */
const AT_START: MeasureLimits = { runsMs: 600, limitMs: 1_500 };
const AT_REST: MeasureLimits = { runsMs: 2_000, limitMs: 4_000 };

/** What the recogniser was found to manage. */
export interface Hearing {
  readonly utteranceMs: number;
  readonly callers: number;
}

export class AgentRuntime {
  readonly #logger: AgentRuntimeOptions['logger'];
  readonly #listener: SpeechListener;
  readonly #tts: FliteTts;
  readonly #moonshine: MoonshineStt;
  readonly #responder: Responder;
  #stt: SpeechToText | null = null;
  #sttUnavailable = 'not started';
  #apology: Int16Array | null = null;
  #hearing: Hearing | null = null;

  constructor({ languageModel, logger, onListenerReplaced }: AgentRuntimeOptions) {
    this.#logger = logger;
    this.#listener = new SpeechListener({
      onReplaced: (cause) => {
        logger.warn({ cause }, 'speech thread restarted');
        onListenerReplaced?.();
      },
      onFailure: (error) => logger.error({ cause: error.message }, 'speech thread lost'),
      onFault: (error) => logger.error({ err: error }, 'error in a conversation'),
    });
    this.#tts = new FliteTts({ onRestart: (cause) => logger.warn({ cause }, 'speech synthesis restarted') });
    this.#moonshine = new MoonshineStt({ onRestart: (cause) => logger.warn({ cause }, 'recogniser restarted') });
    const builtin = new BuiltinResponder();
    this.#responder = languageModel
      ? new FallbackResponder([new OpenAiResponder(languageModel), builtin], (error) => this.#onProblem(error))
      : builtin;
  }

  async start(): Promise<void> {
    await Promise.all([this.#listener.start(), this.#tts.start(), this.#startRecogniser()]);
    if (this.#stt) this.#hearing = await this.#measureHearing(this.#stt, AT_START);
    // Behind the first calls' own sentences, but before anybody is silent for long.
    void this.#prepareStandingPhrases();
    this.#logger.info({ providers: this.describe(), hearing: this.#hearing }, 'agent providers');
  }

  /** How many callers the recogniser can listen to; null where there is none that was measured. */
  get hearing(): Hearing | null {
    return this.#hearing;
  }

  /** Measures it once more: at the start all processes of the product had something to do. What was better counts. */
  async hearAgain(): Promise<void> {
    if (!this.#stt) return;
    const again = await this.#measureHearing(this.#stt, AT_REST);
    if (this.#hearing === null || again.callers > this.#hearing.callers) this.#hearing = again;
  }

  /** A further port on which caller audio arrives as AudioBatch, for one RTP thread. */
  audioPort(): MessagePort {
    return this.#listener.audioPort();
  }

  createSession(persona: AgentPersona, audio: CallAudio, delegate: AgentDelegate): AgentSession {
    const shared = {
      clock: systemClock,
      tts: this.#tts,
      onProblem: (error: unknown) => this.#onProblem(error, persona.callId),
    };
    const { announcement, consult } = persona;
    if (announcement !== undefined) {
      return new AnnouncementSession(shared, { ...persona, announcement }, audio, delegate);
    }
    const listening = { ...shared, ears: this.#listener, stt: this.#stt };
    if (consult !== undefined) return new ConsultSession(listening, { ...persona, consult }, audio, delegate);
    const deps = {
      ...listening,
      responder: this.#responder,
      apology: this.#apology,
    };
    return new ConversationSession(deps, persona, audio, delegate);
  }

  /** Understands what is said in any session of RTP, in the language of the recogniser; null where there is none. */
  listener(): ((mediaId: number, onSaid: (text: string | null) => void) => WhisperEar) | null {
    const stt = this.#stt;
    if (stt === null) return null;
    const deps = {
      clock: systemClock,
      ears: this.#listener,
      stt,
      onProblem: (error: unknown) => this.#onProblem(error),
    };
    return (mediaId, onSaid) => new WhisperEar(deps, mediaId, onSaid);
  }

  /** The voices the configured providers really have. */
  voices(): readonly Voice[] {
    return this.#tts.voices();
  }

  /** Which providers are in use, for logs and /ready. */
  describe(): Readonly<Record<string, string>> {
    return {
      vad: this.#listener.detector,
      stt: this.#stt ? this.#stt.name : `unavailable: ${this.#sttUnavailable}`,
      tts: this.#tts.name,
      responder: this.#responder.name,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.#tts.close(), this.#moonshine.close()]);
  }

  async #measureHearing(stt: SpeechToText, { runsMs, limitMs }: MeasureLimits): Promise<Hearing> {
    const measured = wholeSpeech(this.#tts, TYPICAL_UTTERANCE).then((utterance) =>
      measureRecognition(stt, utterance, { limitMs: runsMs, now: () => systemClock.now() }),
    );
    const utteranceMs = await withDeadline(measured, limitMs).catch(() => limitMs / (stt.atOnce ?? 1));
    return { utteranceMs: Math.round(utteranceMs), callers: callersHeard(utteranceMs) };
  }

  async #prepareStandingPhrases(): Promise<void> {
    for (const text of STANDING_PHRASES) {
      const pcm = await wholeSpeech(this.#tts, text).catch((error: unknown) => this.#onProblem(error));
      if (pcm && text === APOLOGY) this.#apology = pcm;
    }
  }

  /** Without a recogniser calls are still answered; the agent apologises when the caller speaks. */
  async #startRecogniser(): Promise<void> {
    try {
      await this.#moonshine.start();
      this.#stt = this.#moonshine;
    } catch (error) {
      this.#sttUnavailable = error instanceof Error ? error.message : 'unknown error';
      this.#logger.warn({ cause: this.#sttUnavailable }, 'speech recognition is not available');
    }
  }

  #onProblem(error: unknown, callId?: string): void {
    const cause = error instanceof Error ? error.message : 'unknown error';
    this.#logger.warn({ cause, ...(callId === undefined ? {} : { callId }) }, 'agent provider failed');
  }
}

async function wholeSpeech(tts: TextToSpeech, text: string): Promise<Int16Array> {
  const chunks: Int16Array[] = [];
  for await (const chunk of tts.synthesise({ text, voiceId: null, speedPct: 100 })) chunks.push(chunk);
  const pcm = new Int16Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    pcm.set(chunk, at);
    at += chunk.length;
  }
  return pcm;
}
