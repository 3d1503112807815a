/** The agent's side of a call: what it needs of the call (`CallAudio`), and what it offers (`AgentSession`). */
import type { Announcement, CommandOutcome } from '../../contract/commands';
import type { AgentProfile } from '../../contract/directory';
import type { ConsultAnswer, OptOutWay, TranscriptTurn } from '../../contract/events';
import type { TransferOrigin, TransferWish } from '../../contract/transfers';

/** What the agent may do with a call's audio; the call layer implements it over its RTP session. */
export interface CallAudio {
  readonly mediaId: number;
  play(playbackId: number, pcm: Int16Array, last: boolean): void;
  /** Drops what is queued; resolves with samples sent, by playback. */
  clear(): Promise<ReadonlyMap<number, number>>;
  setGain(gain: number): void;
}

/** What the agent of one call is: its profile, with the call's own first message where it has one. */
export interface AgentPersona extends Pick<
  AgentProfile,
  | 'language'
  | 'firstMessage'
  | 'instructions'
  | 'voiceId'
  | 'ttsSpeedPct'
  | 'interruptible'
  | 'destinations'
  | 'handsOff'
  | 'failsOver'
> {
  readonly callId: string;
  readonly agentName: string;
  readonly silenceTimeoutMs: number;
  /** Said before the first message, to its end whatever is said over it; empty, and absent: nothing. */
  readonly disclosure?: string;
  /** Whoever is called may say, or press, that they are not to be called again. */
  readonly mayOptOut?: boolean;
  /** Instead of a conversation. */
  readonly announcement?: Announcement;
  /** The same, with somebody who is asked whether they take a caller; `briefing`: what they are told before. */
  readonly consult?: { readonly briefing: string };
}

/** Times count from `start()` (the answer). */
export type SpokenTurn = Omit<TranscriptTurn, 'index'>;

export interface AgentDelegate {
  onTurn(turn: SpokenTurn): void;
  /** The farewell was heard to its end, or silence won. The call layer hangs up. */
  onEnd(reason: 'agent_goodbye' | 'silence' | 'error'): void;
  /** The caller is to be with somebody else, after all that was to be said before. False: it cannot be wished now. */
  onTransfer(wish: TransferWish): boolean;
  /** Last caller speech → first reply packet, in ms, per turn. */
  onTurnLatency?(ms: number): void;
  /** For how long whoever is called has heard nothing, and then the agent for the first time, or nothing to the end of the call. */
  onOpeningSilence?(ms: number): void;
  /** The number is not to be called again; once. Resolves with whether that is written down for good. */
  onOptOut?(by: OptOutWay): Promise<boolean>;
  /** Of a consult: the question was heard for the first time. */
  onAsked?(): void;
  /** And has been answered; nothing is said any more. */
  onDecision?(accepted: boolean, by: ConsultAnswer): void;
}

export interface SayOptions {
  /** What the agent is saying is cut off for it; else it is said next. */
  readonly interrupt: boolean;
  /** Once: `done` with its first sound. */
  readonly onOutcome: (outcome: CommandOutcome) => void;
  /** Once: it was heard to its end, or as far as it ever will be. */
  readonly onOver?: () => void;
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
  /** False of one that only plays something: then `say`, `instruct` and `mute` are not for it. */
  readonly mayBeTold: boolean;
  /** Says what somebody outside the conversation gives it to say. Why not: null when it was taken. */
  say(text: string, options: SayOptions): 'muted' | 'too_many' | 'ended' | null;
  /** Nothing came of what it wished: it says so, and goes on where it can. */
  notTransferred(by: TransferOrigin, text: string): void;
  /** Something to know from now on. False: it has as much as it takes. */
  instruct(text: string): boolean;
  /** Listens and says nothing; what was asked meanwhile is answered afterwards. */
  mute(muted: boolean): void;
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
