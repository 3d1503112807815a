/** What is asked of a media node about its calls, and what it answers. */
import type { Disposition, HangupCause } from './endings';
import type { SuperviseMode } from './supervision';
import type { LegDial } from './transfers';
import type { InboundTrunkCheck, InboundTrunkFindings, OutboundTrunkCheck, OutboundTrunkReport } from './trunk-check';

/** What a call says that no agent makes. */
export interface Announcement {
  /** In order; then the call ends. */
  readonly sentences: readonly string[];
  /** What the transcript has in their place: without what is for the callee alone. */
  readonly record: string;
}

/** What a campaign's agent says to one contact. */
export interface CallScript {
  /** Fill `{{name}}` in the agent's first message and instructions. */
  readonly variables: Readonly<Record<string, string>>;
  /** Said before the first message, filled; null: nothing. */
  readonly disclosureLine: string | null;
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
  /** Nodes that hold registrations of who is called and did not take the dial: others' contacts are tried before theirs. */
  readonly askedInVain?: readonly string[];
  readonly to: string;
  readonly callerNumber: string;
  /** Overrides the agent's first message, placeholders already filled. */
  readonly firstMessage: string | null;
  /** Of a call that a campaign makes: it may be opted out of. */
  readonly script?: CallScript;
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
  /** Who is called has registered at another node and is reached from there alone. */
  | { readonly sent: false; readonly code: 'held_elsewhere'; readonly holder: string }
  | { readonly sent: false; readonly code: DialRefusal; readonly detail: string };

export type DialRefusal =
  | 'node_full'
  | 'node_draining'
  | 'unknown_agent'
  | 'unknown_trunk'
  | 'tombstoned'
  | 'too_late'
  | 'no_port'
  /** What was asked before the INVITE has said that it is not to leave now. */
  | 'no_capacity'
  | 'store_unavailable';

export type CallNodeStatus =
  | { readonly known: false }
  | { readonly known: true; readonly state: 'setup' | 'ringing' | 'answered' | 'ended'; readonly lastSeq: number };

/** A command was taken, or why it was not. Its effect comes later, as an event of the call. */
export type CommandResult = { readonly ok: true } | { readonly ok: false; readonly code: CommandRefusal };

/**
 * `call_unknown`: this boot has no such call. `not_answered`, `ended`: as it stands nobody is there to hear it. `answered`: it was to
 * end only if nobody had answered.
 * `on_hold`: by either side. `muted`: the agent is. `no_agent`: none speaks in
 * this call. `no_telephone_event`: the peer takes no digits by RFC 4733, and its trunk wants no others. `too_many`:
 * as many wait as are kept. `withdrawn`: the agent does not want the transfer any more that it is of. `transferring`: the caller
 * is on the way to somebody else. `transferred`: and has got there. `no_refer`: the peer takes no REFER. `supervised`: by
 * somebody else. `not_supervised`: nobody is there to be sent away. `no_recognition`: what is whispered to the agent cannot be
 * understood here.
 */
export type CommandRefusal =
  | 'call_unknown'
  | 'not_answered'
  | 'answered'
  | 'ended'
  | 'on_hold'
  | 'muted'
  | 'no_agent'
  | 'no_telephone_event'
  | 'too_many'
  | 'transferring'
  | 'transferred'
  | 'no_refer'
  | 'withdrawn'
  | 'supervised'
  | 'not_supervised'
  | 'no_recognition';

/** What a call is told to do. */
export type CallControl = HangupControl | ConversationControl;

/**
 * In whatever state it is: BYE, CANCEL or a refusal. Its effect is the end of the call. `unanswered`: CANCEL or a refusal
 * alone; whoever has answered by then, as the call's node sees it, goes on talking.
 */
export type HangupControl = { readonly type: 'hangup'; readonly unanswered?: true } & HangupCause;

/** What an answered call is told. */
export type ConversationControl =
  /** The agent says it: after what it is saying, or instead of it. */
  | { readonly type: 'say'; readonly text: string; readonly interrupt: boolean }
  /** What the agent knows from now on, until the call ends. */
  | { readonly type: 'instruct'; readonly text: string }
  /** Keys pressed towards the peer; `w` is half a second of nothing. */
  | { readonly type: 'dtmf'; readonly digits: string }
  /** The agent listens and says nothing, until `unmute`. */
  | { readonly type: 'mute' }
  | { readonly type: 'unmute' }
  /** The peer hears music, and the agent nothing of it, until `unhold`. */
  | { readonly type: 'hold' }
  | { readonly type: 'unhold' }
  /** The agent says it to its end, or as far as the caller lets it. */
  | { readonly type: 'announce'; readonly text: string }
  /**
   * Somebody else is called while the peer hears ringback; with the answer the two are joined and the agent leaves. What
   * fails brings the peer back to the agent, which says so.
   */
  | { readonly type: 'dialLeg'; readonly leg: LegDial }
  /**
   * Somebody else is called while the peer hears music, is told who is there, and asked. Whoever accepts is joined to the
   * peer, as by `dialLeg`; nobody has accepted who has not said so.
   */
  | { readonly type: 'consultLeg'; readonly leg: LegDial }
  /**
   * The peer is asked to call somebody else by itself (RFC 3515); it hears ringback meanwhile. `fallback`: the same is called
   * by us where the peer will not, and nobody is asked who does not say that it takes REFER.
   */
  | { readonly type: 'refer'; readonly leg: LegDial; readonly fallback: boolean }
  /** What the agent wished may not be, or cannot: it says so and goes on. */
  | { readonly type: 'refuseTransfer'; readonly transferId: string; readonly code: string }
  /** Whom the peer has referred us to is called, or not: by the event `peer_referred` of this id, and told by others of it. */
  | { readonly type: 'followRefer'; readonly referId: string; readonly follow: boolean }
  /** The leg that is called, and nobody else, is given up; the peer is back with the agent. */
  | { readonly type: 'releaseLeg'; readonly legId: string }
  /**
   * Somebody is called to listen in; done with the answer. Of whom it is already, or who is being called, only the mode
   * changes.
   */
  | { readonly type: 'supervise'; readonly leg: LegDial; readonly mode: SuperviseMode }
  /** Whoever listens in, or is called for it, is sent away. */
  | { readonly type: 'unsupervise' };

/** The same as it may stand in a history: texts and digits sealed with the server's key, bound to the call. */
export type SealedControl =
  | { readonly type: 'say'; readonly sealed: string; readonly interrupt: boolean }
  | { readonly type: 'instruct' | 'dtmf' | 'announce' | 'dialLeg' | 'consultLeg'; readonly sealed: string }
  | { readonly type: 'refer'; readonly sealed: string; readonly fallback: boolean }
  | { readonly type: 'followRefer'; readonly referId: string; readonly follow: boolean }
  | { readonly type: 'supervise'; readonly sealed: string; readonly mode: SuperviseMode }
  | { readonly type: 'releaseLeg'; readonly legId: string }
  | { readonly type: 'refuseTransfer'; readonly transferId: string; readonly code: string }
  | { readonly type: 'mute' | 'unmute' | 'hold' | 'unhold' | 'unsupervise' }
  | HangupControl;

export interface CallCommand {
  readonly callId: string;
  readonly commandId: string;
  readonly bootId: string;
  readonly control: CallControl;
}

export type LegOutcome = Disposition | 'no_trunk' | 'unknown' | 'transferred_assumed' | 'declined';

/** `superseded`: something else was said, or the caller spoke, before the agent could begin. `failed`: it could not. */
export type CommandOutcome = 'done' | 'superseded' | 'failed';

/**
 * What a command came to. `sipStatus`: of a request that failed, its answer; null when it had none. `legOutcome`: how the
 * dial of a leg went that was not answered, or a REFER; `no_trunk`: there was no way to it; `unknown`: the peer has accepted,
 * and tells nothing more; `transferred_assumed`: and has hung up. `declined`: whoever was asked said no, or nothing. Of a
 * consult the `sipStatus` is 200 once somebody has answered. `mayDial`: the peer is kept away, for the same to be called by us.
 */
export interface CommandEffect {
  readonly outcome: CommandOutcome;
  readonly sipStatus?: number | null;
  readonly legOutcome?: LegOutcome;
  readonly mayDial?: true;
}

export interface LiveCall {
  readonly callId: string;
  readonly state: 'setup' | 'ringing' | 'answered';
  /** Epoch ms of its creation on this node. */
  readonly sinceMs: number;
}

export interface DialOptions {
  readonly deadlineMs: number;
  readonly beforeSend: () => Promise<boolean>;
  /** Default: nothing is asked. */
  readonly beforeFailover?: () => Promise<string | null>;
}

/** What a node's activity worker drives. Every command is idempotent by (callId, commandId) or attemptId. */
export interface MediaControl {
  readonly nodeId: string;
  readonly bootId: string;
  /**
   * Hands the INVITE to the socket and returns. `beforeSend` (the attempt row `intended`, and its turn on the trunk) runs
   * after all local checks; when it says false or rejects, nothing is sent. From then on the node has the call: it finds the trunk's address and connects, and
   * what is not sent by `deadlineMs` (epoch) has ended. `beforeFailover`, later, is asked before each further INVITE to
   * another host, right before that leaves: why it must not any more; null: it may.
   */
  dial(command: DialCommand, options: DialOptions): Promise<DialResult>;
  /**
   * Answered when it was taken; what came of it is the call's event `command`, unless the call ends before. A hang-up is
   * answered when BYE or CANCEL was sent, and of a call that has ended too.
   */
  control(command: CallCommand): Promise<CommandResult>;
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
  /** Looks at the way to a carrier, within 23 s; with a test number it calls that. Null: the node has no such trunk. */
  checkOutboundTrunk(check: OutboundTrunkCheck): Promise<OutboundTrunkReport | null>;
  /** What this node knows of a trunk that others call it by; within 5 s. */
  checkInboundTrunk(check: InboundTrunkCheck): Promise<InboundTrunkFindings>;
}
