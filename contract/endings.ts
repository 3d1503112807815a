/** How a call ended: exactly one ending per call, in these words from the media node to the API. */

/** How the dial or the answer went. */
export const DISPOSITIONS = [
  'answered',
  'voicemail',
  'busy',
  'no_answer',
  'trunk_unreachable',
  'trunk_timeout',
  'invalid_number',
  'rejected',
  'blocked',
  'trunk_denied',
  'congestion',
  'media_incompatible',
  'routing_loop',
  'redirect',
  'identity_rejected',
  'canceled',
  'expired',
  'uncertain',
  'failed',
] as const;
export type Disposition = (typeof DISPOSITIONS)[number];

/** Why a call stopped, where the disposition does not say all. */
export type EndReason =
  | 'caller_hangup'
  | 'callee_hangup'
  | 'agent_goodbye'
  | 'api_hangup'
  | 'max_duration'
  | 'silence'
  | 'media_timeout'
  | 'session_expired'
  | 'media_node_lost'
  | 'node_drained'
  | 'workflow_lost'
  | 'transferred'
  | 'setup_abandoned'
  | 'error';

export const ENDED_BY = ['agent', 'caller', 'callee', 'api', 'system'] as const;
export type EndedBy = (typeof ENDED_BY)[number];

/** Why a call stops, null where the disposition will say all, and who stops it. */
export interface EndCause {
  readonly endReason: EndReason | null;
  readonly endedBy: EndedBy;
}

/** Of a hang-up that somebody asks for: it always has a reason. */
export interface HangupCause extends EndCause {
  readonly endReason: EndReason;
}

/** The final answer to the INVITE, as the carrier or our side gave it. */
export interface SipOutcome {
  /** Null when no INVITE was sent. */
  readonly sipCallId: string | null;
  /** Null when none was received or sent. */
  readonly finalStatus: number | null;
  /** Its reason phrase; without an answer why there is none, in our own words. */
  readonly reason: string | null;
  /** Q.850 cause of a Reason header (RFC 3326), when the peer gave one. */
  readonly q850: number | null;
}

export interface CallEnding extends EndCause {
  readonly disposition: Disposition;
  readonly sip: SipOutcome | null;
}

export interface CallMetrics {
  readonly postDialDelayMs: number | null;
  readonly mos: number | null;
  readonly packetLossPct: number | null;
  readonly jitterMs: number | null;
  readonly turnLatencyMs: { readonly p50: number; readonly p95: number } | null;
  /**
   * For how long who answered heard nothing: after the answer, or after their greeting, until the agent's first sound, or to
   * the end of a call without one. Null, and absent from what an earlier release has told: not known.
   */
  readonly openingSilenceMs?: number | null;
}

/** What a call's record is closed with. */
export interface EndedCall {
  readonly callId: string;
  readonly ending: CallEnding;
  /** Epoch ms, as the next one. */
  readonly endedAtMs: number;
  /** Null where it is not known to have been answered; of several times the earliest stays. */
  readonly answeredAtMs: number | null;
  readonly metrics: CallMetrics | null;
  /** Records of the call's node are missing. */
  readonly truncated: boolean;
}

const FAILED_DISPOSITIONS: ReadonlySet<Disposition> = new Set([
  'trunk_unreachable',
  'trunk_timeout',
  'trunk_denied',
  'congestion',
  'media_incompatible',
  'routing_loop',
  'identity_rejected',
  'expired',
  'uncertain',
  'failed',
]);
const FAILED_REASONS: ReadonlySet<EndReason | null> = new Set([
  'media_node_lost',
  'workflow_lost',
  'setup_abandoned',
  'error',
]);

/** Did something fail, ours or on the way? No: a person decided, or the call ended as calls do. */
export function hasFailed({ disposition, endReason }: Pick<CallEnding, 'disposition' | 'endReason'>): boolean {
  return FAILED_DISPOSITIONS.has(disposition) || FAILED_REASONS.has(endReason);
}

/** Did the called side, or ours, pick up? */
export function wasAnswered({ disposition }: Pick<CallEnding, 'disposition'>): boolean {
  return disposition === 'answered' || disposition === 'voicemail';
}
