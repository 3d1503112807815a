/** Inputs, state and results of `callWorkflow`. Ids and times only: texts and numbers travel sealed (AES-256-GCM). */
import type { CallEnding, CallMetrics, EndedBy, EndReason } from '../../media/control/contract';

export type CallStatus = 'scheduled' | 'queued' | 'dialing' | 'ringing' | 'in_progress' | 'completed';

/** What `sealed` contains, as JSON: everything of a call that must not stand in a history. */
export interface SealedCallDetails {
  readonly from: string;
  readonly to: string;
  readonly firstMessage: string | null;
  readonly metadata: Record<string, unknown>;
}

interface CallInputBase {
  readonly callId: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly trunkId: string;
  readonly sessionId: string;
  /** `SealedCallDetails`, sealed with the server's key; AAD = orgId ‖ callId. */
  readonly sealed: string;
  /** Epoch ms. */
  readonly createdAtMs: number;
  readonly maxDurationSeconds: number;
}

export interface InboundCallInput extends CallInputBase {
  readonly direction: 'inbound';
  readonly nodeId: string;
  readonly bootId: string;
  readonly sipCallId: string;
  /** The rule that chose the agent. */
  readonly routingRule: string;
}

export interface OutboundCallInput extends CallInputBase {
  readonly direction: 'outbound';
  /** Epoch ms; a first workflow task after it ends the call as `expired`, undialled. */
  readonly acceptByMs: number;
  /** Epoch ms; no new attempt is begun after it. */
  readonly dialByMs: number;
  readonly ringTimeoutSeconds: number;
}

export type CallInput = InboundCallInput | OutboundCallInput;

export interface CallMemo {
  /** SHA-256 of the request body, for Idempotency-Key repeats. */
  readonly bodyHash?: string;
  readonly nodeId?: string;
  readonly bootId?: string;
}

/** The signal of a state event; `seq` is the node's counter. */
export type CallStateSignal =
  | {
      readonly type: 'answered';
      readonly seq: number;
      readonly atMs: number;
      readonly nodeId: string;
      readonly bootId: string;
      readonly sipCallId: string;
      readonly postDialDelayMs: number | null;
    }
  | {
      readonly type: 'ended';
      readonly seq: number;
      readonly atMs: number;
      readonly nodeId: string;
      readonly bootId: string;
      readonly ending: CallEnding;
      readonly metrics: CallMetrics;
    };

export interface CallState {
  readonly callId: string;
  readonly status: CallStatus;
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly sipCallId: string | null;
  readonly answeredAtMs: number | null;
  readonly ending: CallEnding | null;
}

export interface HangupRequest {
  readonly endReason: EndReason;
  readonly endedBy: EndedBy;
}

/** `effective`: BYE or CANCEL was sent, or the call ended meanwhile; `already_ended`: it was over before. */
export interface HangupResult {
  readonly outcome: 'effective' | 'already_ended';
}

/** Accepting update of an outbound call: the row is in the database. */
export interface AcceptResult {
  readonly callId: string;
  readonly accepted: boolean;
}
