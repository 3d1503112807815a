/** What is asked of a media node about its calls, and what it answers. */
import type { HangupCause } from './endings';

/** What a call says that no agent makes. */
export interface Announcement {
  /** In order; then the call ends. */
  readonly sentences: readonly string[];
  /** What the transcript has in their place: without what is for the callee alone. */
  readonly record: string;
}

/** One attempt = one SIP Call-ID. */
export interface DialCommand {
  readonly callId: string;
  readonly orgId: string;
  readonly attemptId: string;
  readonly sipCallId: string;
  /** Null for an announcement. */
  readonly agentId: string | null;
  readonly announcement?: Announcement;
  readonly trunkId: string;
  readonly to: string;
  readonly callerNumber: string;
  /** Overrides the agent's first message, placeholders already filled. */
  readonly firstMessage: string | null;
  readonly ringTimeoutSeconds: number;
  readonly maxDurationSeconds: number;
}

interface DialledCall {
  readonly nodeId: string;
  readonly bootId: string;
  readonly sipCallId: string;
}

/**
 * `sent: true`: an INVITE has reached the socket. `sent: false`: none has and none will; `ended`: because the call ended
 * before (its trunk cannot be reached, or it was hung up), else for the reason that `code` gives. Of a call that was sent
 * or has ended all later news are events; otherwise the node has no such call.
 */
export type DialResult =
  | ({ readonly sent: true } & DialledCall)
  | ({ readonly sent: false; readonly code: 'ended' } & DialledCall)
  | { readonly sent: false; readonly code: DialRefusal; readonly detail: string };

export type DialRefusal =
  'node_full' | 'node_draining' | 'unknown_agent' | 'unknown_trunk' | 'tombstoned' | 'too_late' | 'no_port';

export type CallNodeStatus =
  | { readonly known: false }
  | { readonly known: true; readonly state: 'setup' | 'ringing' | 'answered' | 'ended'; readonly lastSeq: number };

export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly code: 'call_unknown' };

export interface HangupCommand extends HangupCause {
  readonly callId: string;
  readonly commandId: string;
  readonly bootId: string;
}

export interface LiveCall {
  readonly callId: string;
  readonly state: 'setup' | 'ringing' | 'answered';
  /** Epoch ms of its creation on this node. */
  readonly sinceMs: number;
}

/** What a node's activity worker drives. Every command is idempotent by (callId, commandId) or attemptId. */
export interface MediaControl {
  readonly nodeId: string;
  readonly bootId: string;
  /**
   * Hands the INVITE to the socket and returns. `beforeSend` (the attempt row `intended`) runs after all local checks;
   * when it rejects, nothing is sent. From then on the node has the call: it finds the trunk's address and connects, and
   * what is not sent by `deadlineMs` (epoch) has ended.
   */
  dial(command: DialCommand, options: { deadlineMs: number; beforeSend: () => Promise<void> }): Promise<DialResult>;
  hangup(command: HangupCommand): Promise<CommandResult>;
  status(callId: string): CallNodeStatus;
  listCalls(): readonly LiveCall[];
  /** No INVITE for this call may leave this node any more; one under way is cancelled. */
  tombstone(callId: string): void;
  /** The call's workflow is gone (NOT_FOUND or closed): BYE with Reason, `workflow_lost`. */
  workflowLost(callId: string): void;
  /** This boot was declared lost: every call it has is over, BYE with Reason, `media_node_lost`. */
  bootLost(): void;
  /** The trunk was deleted: its calls end here, those being set up too. */
  trunkRevoked(trunkId: string): void;
}
