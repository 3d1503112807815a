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
  /**
   * The peer has put us on hold: what it sends is music, not the caller, and nothing of ours is sent. What was being
   * said goes on when it resumes. May come before `start()`.
   */
  hold(held: boolean): void;
  onDtmf(digit: string): void;
  onPlaybackFinished(playbackId: number): void;
  /**
   * The call ended: reports what the transcript still lacks (the agent's sentence cut where the caller stopped hearing
   * it, the caller's last words), within `deadlineMs` (default 500), then closes. Call it while the RTP session still
   * answers `clear()`, and before the call's last event.
   */
  finish(deadlineMs?: number): Promise<void>;
  /** Stops everything; no delegate call follows. Idempotent. */
  close(): void;
}

/** Shared by all calls of a node: models, threads, caches. */
export interface AgentRuntime {
  start(): Promise<void>;
  /** Port on which caller audio arrives as AudioBatch; give it to the RTP engine. */
  audioPort(): MessagePort;
  createSession(persona: AgentPersona, audio: CallAudio, delegate: AgentDelegate): AgentSession;
  /** The voices the configured providers really have. */
  voices(): readonly Voice[];
  /** Which providers are in use, for logs and /ready. */
  describe(): Readonly<Record<string, string>>;
  close(): Promise<void>;
}

// ------------------------------------------------------------------------------------- provider interfaces

export interface TtsRequest {
  readonly text: string;
  readonly voiceId: string | null;
  readonly speedPct: number;
  readonly signal?: AbortSignal;
}

export interface Voice {
  readonly id: string;
  readonly name: string;
  readonly language: readonly string[];
  readonly gender: string;
  /** Speaks for agents that name no voice. */
  readonly default?: boolean;
}

export interface TextToSpeech {
  readonly name: string;
  readonly languages: readonly string[];
  voices(): readonly Voice[];
  /** Yields 8 kHz mono PCM chunks as they become ready; rejects with the signal's reason when it is aborted. */
  synthesise(request: TtsRequest): AsyncIterable<Int16Array>;
  close(): Promise<void>;
}

export interface SttResult {
  readonly text: string;
  /** 0..1 where the provider gives one. */
  readonly confidence: number | null;
}

export interface SttOptions {
  /** Words the provider may prefer where it supports that. */
  readonly keyterms: readonly string[];
  readonly signal?: AbortSignal;
}

export interface SpeechToText {
  readonly name: string;
  readonly languages: readonly string[];
  readonly streaming: boolean;
  /** Recognises one utterance cut by the VAD, 8 kHz mono. */
  transcribe(audio: Int16Array, options: SttOptions): Promise<SttResult>;
  close(): Promise<void>;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export type ResponderEvent = { readonly type: 'text'; readonly delta: string } | { readonly type: 'end_call' };

export interface ResponderRequest {
  readonly persona: AgentPersona;
  readonly history: readonly ChatMessage[];
  readonly signal: AbortSignal;
}

export interface Responder {
  readonly name: string;
  respond(request: ResponderRequest): AsyncIterable<ResponderEvent>;
}

/**
 * Speech probability of successive windows, for many calls at once. `Stream` is what the detector remembers of one
 * call between two windows.
 */
export interface VoiceActivityDetector<Stream = unknown> {
  readonly name: string;
  /** 8 kHz samples per window. */
  readonly windowSamples: number;
  open(): Stream;
  /** The next window of each stream, one after the other in `pcm`; 0..1 for each. */
  detect(streams: readonly Stream[], pcm: Int16Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** What the speech thread tells of one call. Lengths are counted in the call's audio, not by a clock. */
export type VadEvent =
  | {
      readonly type: 'speech_start';
      readonly mediaId: number;
      readonly atSample: number;
      /** Speech since its onset, which lies before the moment it was noticed. */
      readonly speechMs: number;
    }
  /** Still speaking; every window at first so that barge-in can count the length, then every ~100 ms. */
  | { readonly type: 'speech_continues'; readonly mediaId: number; readonly speechMs: number }
  /** Silence for `silenceMs` so far after speech; sent while it grows. */
  | { readonly type: 'pause'; readonly mediaId: number; readonly silenceMs: number; readonly speechMs: number };
