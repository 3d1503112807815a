import type { NumberRound } from '../../contract/number-verification';

/** What `callWorkflow` is started with. Ids and times only: texts and numbers travel sealed (AES-256-GCM). */

interface CallInputBase {
  readonly callId: string;
  readonly orgId: string;
  readonly trunkId: string;
  readonly sessionId: string;
  /** The call's details (`store/call-details.ts`), sealed with the server's key; AAD = orgId ‖ callId. */
  readonly sealed: string;
  /** Epoch ms. */
  readonly createdAtMs: number;
  readonly maxDurationSeconds: number;
}

export interface InboundCallInput extends CallInputBase {
  readonly direction: 'inbound';
  readonly agentId: string;
  readonly nodeId: string;
  readonly bootId: string;
  readonly sipCallId: string;
  /** The rule that chose the agent. */
  readonly routingRule: string;
  /** Its node stores the row; else, as of nodes of an earlier release, the workflow does. */
  readonly rowByNode?: true;
}

/** Whom a campaign calls by it; the number of the contact's calls is part of the call's id. */
export interface CampaignCall {
  readonly campaignId: string;
  readonly contactId: string;
  /** Of the campaign, when the contact was claimed: with another one it is not dialled, but claimed again. */
  readonly version: number;
  /** ISO codes of where the server lets calls go; empty = the countries of the organisation's own numbers. */
  readonly countries: readonly string[];
}

export interface OutboundCallInput extends CallInputBase {
  readonly direction: 'outbound';
  /** Null where no agent speaks: a code call. */
  readonly agentId: string | null;
  /** Of a call that a campaign makes. */
  readonly campaign?: CampaignCall;
  /** Whose code the call speaks; its digits are known to the node that dials. */
  readonly codeOf?: NumberRound;
  /** Epoch ms; a first workflow task after it ends the call as `expired`, undialled. */
  readonly acceptByMs: number;
  /** Epoch ms; no new attempt is begun after it, nor as long after a wait as it is after `createdAtMs`. */
  readonly dialByMs: number;
  /** Epoch ms; until then it waits. Default: it is dialled at once. */
  readonly scheduledAtMs?: number;
  /** Epoch ms; a call that still waits, for its time or for room, ends as `expired`. Default: `dialByMs`. */
  readonly expiresAtMs?: number;
  readonly ringTimeoutSeconds: number;
}

export type CallInput = InboundCallInput | OutboundCallInput;

export interface CallMemo {
  /** SHA-256 of the request body, for Idempotency-Key repeats. */
  readonly bodyHash?: string;
  readonly nodeId?: string;
  readonly bootId?: string;
}
