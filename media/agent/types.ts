/**
 * The agent's side of a call: what it needs of the call (`CallAudio`), what it offers (`AgentSession`), and the
 * interfaces speech providers implement. Frames and text in, events out as async iterables, AbortSignal to cancel.
 */
import type { MessagePort } from 'node:worker_threads';

/** What the agent may do with a call's audio; the call layer implements it over its RTP session. */
export interface CallAudio {
  readonly mediaId: number;
  play(playbackId: number, pcm: Int16Array, last: boolean): void;
  /** Drops what is queued; resolves with samples sent, by playback. */
  clear(): Promise<ReadonlyMap<number, number>>;
  played(playbackId: number): Promise<number>;
  setGain(gain: number): void;
}

export interface AgentPersona {
  readonly callId: string;
  readonly agentName: string;
  readonly language: readonly string[];
  readonly firstMessage: string;
  readonly instructions: readonly string[];
  readonly voiceId: string | null;
  readonly ttsSpeedPct: number;
  readonly interruptible: boolean;
  readonly silenceTimeoutMs: number;
}

export interface SpokenTurn {
  readonly speaker: 'agent' | 'caller';
  readonly text: string;
  /** ms since `start()` (the answer). */
  readonly startMs: number;
  readonly endMs: number;
  readonly interruptedAtMs: number | null;
}

export interface AgentDelegate {
  onTurn(turn: SpokenTurn): void;
  /** The farewell was heard to its end, or silence won. The call layer hangs up. */
  onEnd(reason: 'agent_goodbye' | 'silence' | 'error'): void;
  /** Last caller speech → first reply packet, in ms, per turn. */
  onTurnLatency?(ms: number): void;
}

export interface AgentSession {
  /** Synthesises (or finds in the cache) the first message. Resolves when its first audio is ready. */
  warm(): Promise<void>;
  /** The call was answered: speak, listen. */
  start(): void;
  onDtmf(digit: string): void;
  onPlaybackFinished(playbackId: number): void;
  /** Stops everything; no delegate call follows. */
  close(): void;
}

/** Shared by all calls of a node: models, threads, caches. */
export interface AgentRuntime {
  start(): Promise<void>;
  /** Port on which caller audio arrives as AudioBatch; give it to the RTP engine. */
  audioPort(): MessagePort;
  createSession(persona: AgentPersona, audio: CallAudio, delegate: AgentDelegate): AgentSession;
  /** Which providers are in use, for logs and /ready. */
  describe(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

// ------------------------------------------------------------------------------------- provider interfaces

export interface SpeechAudio {
  readonly sampleRateHz: number;
  readonly pcm: Int16Array;
}

export interface TtsRequest {
  readonly text: string;
  readonly voiceId: string | null;
  readonly speedPct: number;
  readonly signal?: AbortSignal;
}

export interface TextToSpeech {
  readonly name: string;
  readonly languages: readonly string[];
  voices(): readonly {
    readonly id: string;
    readonly name: string;
    readonly language: readonly string[];
    readonly gender: string;
  }[];
  /** Yields 8 kHz mono PCM chunks as they become ready. */
  synthesise(request: TtsRequest): AsyncIterable<Int16Array>;
  close(): Promise<void>;
}

export interface SttResult {
  readonly text: string;
  /** 0..1 where the provider gives one. */
  readonly confidence: number | null;
}

export interface SpeechToText {
  readonly name: string;
  readonly languages: readonly string[];
  readonly streaming: boolean;
  /** Recognises one utterance cut by the VAD, 8 kHz mono. */
  transcribe(
    audio: Int16Array,
    options: { readonly keyterms: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<SttResult>;
  close(): Promise<void>;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type ResponderEvent = { readonly type: 'text'; readonly delta: string } | { readonly type: 'end_call' };

export interface Responder {
  readonly name: string;
  respond(request: {
    readonly persona: AgentPersona;
    readonly history: readonly ChatMessage[];
    readonly signal: AbortSignal;
  }): AsyncIterable<ResponderEvent>;
}

export type VadEvent =
  | { readonly type: 'speech_start'; readonly mediaId: number; readonly atSample: number }
  /** Still speaking; sent every ~100 ms so that barge-in can count its length. */
  | { readonly type: 'speech_continues'; readonly mediaId: number; readonly speechMs: number }
  /** Silence for `silenceMs` so far after speech; sent while it grows. */
  | { readonly type: 'pause'; readonly mediaId: number; readonly silenceMs: number; readonly speechMs: number };
