/**
 * What the rest of Trunkline may say to a media node and hear from it: commands in, events out, and the two
 * services a node is given (`CallDirectory`, `CallEvents`). The only file of `media/` that others may import.
 * A node knows a call as an opaque `callId`; nothing here names Temporal, a database or HTTP.
 */

export type CallDirection = 'inbound' | 'outbound';

/** How the dial or the answer went (docs: dispositions). Exactly one per call. */
export type Disposition =
  | 'answered'
  | 'voicemail'
  | 'busy'
  | 'no_answer'
  | 'trunk_unreachable'
  | 'trunk_timeout'
  | 'invalid_number'
  | 'rejected'
  | 'blocked'
  | 'trunk_denied'
  | 'congestion'
  | 'media_incompatible'
  | 'routing_loop'
  | 'redirect'
  | 'identity_rejected'
  | 'canceled'
  | 'expired'
  | 'uncertain'
  | 'failed';

/** Why a call stopped; null where the disposition says all. */
export type EndReason =
  | 'caller_hangup'
  | 'callee_hangup'
  | 'agent_goodbye'
  | 'api_hangup'
  | 'max_duration'
  | 'silence'
  | 'media_timeout'
  | 'media_node_lost'
  | 'node_drained'
  | 'workflow_lost'
  | 'setup_abandoned'
  | 'error';

export type EndedBy = 'agent' | 'caller' | 'callee' | 'api' | 'system';

export interface SipOutcome {
  readonly sipCallId: string;
  /** Final status of the INVITE, null when none was received or sent. */
  readonly finalStatus: number | null;
  readonly reason: string | null;
  /** Q.850 cause of a Reason header (RFC 3326), when the peer gave one. */
  readonly q850: number | null;
}

export interface CallEnding {
  readonly disposition: Disposition;
  readonly endReason: EndReason | null;
  readonly endedBy: EndedBy;
  readonly sip: SipOutcome | null;
}

export interface CallMetrics {
  readonly postDialDelayMs: number | null;
  readonly mos: number | null;
  readonly packetLossPct: number | null;
  readonly jitterMs: number | null;
  readonly turnLatencyMs: { readonly p50: number; readonly p95: number } | null;
}

export interface TranscriptTurn {
  /** 0-based, without gaps, within one call. */
  readonly index: number;
  readonly speaker: 'agent' | 'caller';
  /** What was said; for an interrupted agent only the part the caller heard. */
  readonly text: string;
  /** Milliseconds since the answer. */
  readonly startMs: number;
  readonly endMs: number;
  /** Milliseconds since the answer at which the caller cut the agent off, else null. */
  readonly interruptedAtMs: number | null;
}

/** One message of the SIP ladder; never with credentials or bodies. */
export interface SipLadderEntry {
  readonly direction: 'in' | 'out';
  readonly method: string;
  readonly status: number | null;
  readonly reason: string | null;
  readonly cseq: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

interface EventBase {
  readonly callId: string;
  readonly orgId: string;
  /** Node's counter for this call: 1, 2, 3 … without gaps. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly atMs: number;
}

export type NonStateEvent = EventBase &
  (
    | { readonly type: 'sip'; readonly entry: SipLadderEntry }
    | { readonly type: 'routed'; readonly rule: RoutingRule; readonly steps: readonly string[] }
    | { readonly type: 'dial_sent'; readonly attemptId: string; readonly sipCallId: string }
    | { readonly type: 'ringing'; readonly status: number }
    | { readonly type: 'turn'; readonly turn: TranscriptTurn }
    | { readonly type: 'dtmf'; readonly count: number }
    | { readonly type: 'media_stats'; readonly stats: Readonly<Record<string, number | string | null>> }
    | { readonly type: 'timings'; readonly timings: Readonly<Record<string, number | null>> }
    | { readonly type: 'note'; readonly note: string }
  );

/** Events that also go to the call's workflow as signals, re-sent in order until acknowledged. */
export type StateEvent = EventBase &
  (
    | { readonly type: 'answered'; readonly sipCallId: string; readonly postDialDelayMs: number | null }
    | { readonly type: 'ended'; readonly ending: CallEnding; readonly metrics: CallMetrics }
  );

export type CallEvent = NonStateEvent | StateEvent;

export function isStateEvent(event: CallEvent): event is StateEvent {
  return event.type === 'answered' || event.type === 'ended';
}

/** Where a node reports what happens. `report` never throws and never blocks; the sink keeps what it cannot store yet. */
export interface CallEvents {
  report(event: CallEvent): void;
  /** Resolves when every event of the call reported so far is stored, or after `timeoutMs`. */
  flush(callId: string, timeoutMs: number): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- directory

export interface AgentProfile {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly type: 'inbound' | 'outbound';
  readonly language: readonly string[];
  readonly firstMessage: string;
  readonly instructions: readonly string[];
  readonly voiceId: string | null;
  readonly ttsSpeedPct: number;
  readonly interruptible: boolean;
  readonly useOrgKnowledgebase: boolean;
  readonly sttKeyterms: readonly string[];
  readonly maxCallDurationSeconds: number;
  readonly silenceTimeoutSeconds: number;
}

export interface InboundTrunkProfile {
  readonly id: string;
  readonly orgId: string;
  readonly username: string;
  readonly password: string;
  readonly phoneNumbers: readonly string[];
}

export interface OutboundTrunkProfile {
  readonly id: string;
  readonly orgId: string;
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  readonly username: string;
  readonly password: string;
  readonly callerNumber: string;
}

export type RoutingRule = 'header' | 'number_assignment' | 'trunk_number' | 'fallback';

export interface InboundRequest {
  readonly trunkId: string;
  readonly orgId: string;
  readonly sipCallId: string;
  readonly fromTag: string;
  readonly cseq: number;
  /** Request-URI user part, as received, percent-decoded. */
  readonly dialedUser: string;
  /** From user part, as received; empty when anonymous. */
  readonly callerUser: string;
  /** X-OPENCX-AGENT-ID, untrusted. */
  readonly agentIdHeader: string | null;
}

export type RoutingDecision =
  | {
      readonly ok: true;
      readonly agent: AgentProfile;
      readonly rule: RoutingRule;
      /** One sentence per rule looked at, in order. */
      readonly steps: readonly string[];
      /** E.164 where it could be read as such, else as received. */
      readonly dialedNumber: string;
      readonly callerNumber: string;
    }
  | { readonly ok: false; readonly status: 404 | 480; readonly steps: readonly string[] };

export type StartInboundResult =
  | { readonly ok: true; readonly callId: string; readonly sessionId: string }
  /** `retryable`: 503 + Retry-After, the peer may fail over. `duplicate`: the call belongs to another node or boot → 503. */
  | { readonly ok: false; readonly reason: 'unavailable' | 'duplicate' };

export interface Availability {
  readonly available: boolean;
  /** Seconds for Retry-After when not available. */
  readonly retryAfterSeconds: number;
  readonly reason: string | null;
}

/** Answers from memory except `startInbound`, which waits for the workflow's start (≤ 2 s) and nothing else. */
export interface CallDirectory {
  inboundTrunk(username: string): InboundTrunkProfile | undefined;
  outboundTrunk(trunkId: string): OutboundTrunkProfile | undefined;
  agent(agentId: string): AgentProfile | undefined;
  routeInbound(request: InboundRequest): RoutingDecision;
  startInbound(request: InboundRequest, decision: RoutingDecision & { ok: true }): Promise<StartInboundResult>;
  /** May new inbound calls come? False while Temporal or PostgreSQL have been away too long. */
  availability(): Availability;
}

// ----------------------------------------------------------------------------------------------- commands

/** One attempt = one SIP Call-ID. */
export interface DialCommand {
  readonly callId: string;
  readonly orgId: string;
  readonly attemptId: string;
  readonly sipCallId: string;
  readonly agentId: string;
  readonly trunkId: string;
  readonly to: string;
  readonly callerNumber: string;
  /** Overrides the agent's first message, placeholders already filled. */
  readonly firstMessage: string | null;
  readonly ringTimeoutSeconds: number;
  readonly maxDurationSeconds: number;
}

/** `not_sent`: no INVITE reached the socket and none will; anything else is an event. */
export type DialResult =
  | { readonly sent: true; readonly nodeId: string; readonly bootId: string; readonly sipCallId: string }
  | { readonly sent: false; readonly code: DialRefusal; readonly detail: string };

export type DialRefusal =
  | 'node_full'
  | 'node_draining'
  | 'unknown_agent'
  | 'unknown_trunk'
  | 'tombstoned'
  | 'too_late'
  | 'no_port'
  | 'unresolvable';

export type CallNodeStatus =
  | { readonly known: false }
  | { readonly known: true; readonly state: 'setup' | 'ringing' | 'answered' | 'ended'; readonly lastSeq: number };

export type CommandResult =
  { readonly ok: true } | { readonly ok: false; readonly code: 'call_unknown' | 'wrong_state' };

export interface HangupCommand {
  readonly callId: string;
  readonly commandId: string;
  readonly bootId: string;
  readonly endReason: EndReason;
  readonly endedBy: EndedBy;
}

export interface LiveCall {
  readonly callId: string;
  readonly direction: CallDirection;
  readonly state: 'setup' | 'ringing' | 'answered';
  /** Epoch ms of its creation on this node. */
  readonly sinceMs: number;
}

/** What a node's activity worker drives. Every command is idempotent by (callId, commandId) or attemptId. */
export interface MediaControl {
  readonly nodeId: string;
  readonly bootId: string;
  /**
   * Hands the INVITE to the socket and returns. `beforeSend` runs after all local checks and immediately before the
   * INVITE (the attempt row `intended`); when it rejects, or `deadlineMs` (epoch) has passed, nothing is sent.
   */
  dial(command: DialCommand, options: { deadlineMs: number; beforeSend: () => Promise<void> }): Promise<DialResult>;
  hangup(command: HangupCommand): Promise<CommandResult>;
  status(callId: string): CallNodeStatus;
  listCalls(): readonly LiveCall[];
  /** No INVITE for this call may leave this node any more; one under way is cancelled. */
  tombstone(callId: string): void;
  /** The call's workflow is gone (NOT_FOUND or closed): BYE with Reason, `workflow_lost`. */
  workflowLost(callId: string): void;
  /** The trunk was deleted: its calls end here, those being set up too. */
  trunkRevoked(trunkId: string): void;
}
