/** What a call's workflow asks of others. Each interface is met by the workers of one task queue. */
import type { CapacityWait } from '../../contract/capacity';
import type { CallNodeStatus, CommandResult, DialRefusal, DialResult } from '../../contract/commands';
import type { EndedCall, HangupCause } from '../../contract/endings';
import type { NodeBoot, NodePresence } from '../../contract/nodes';
import type { CallInput, OutboundCallInput } from './input';
import type { ControlRequest } from './messages';

export interface DialInput {
  readonly call: OutboundCallInput;
  /** Number of the attempt within the call, from 1: its id and its SIP Call-ID follow from it. */
  readonly n: number;
  /** See `DialCommand`. */
  readonly askedInVain?: readonly string[];
}

/**
 * `store_unavailable`: the attempt's row could not be written, so nothing was sent. `unreadable`: this node's key does
 * not open the call's details. The words of a refusal stay in the node's log.
 */
export type DialReport =
  | Extract<DialResult, { nodeId: string } | { holder: string }>
  /** The call's row is stored, and it stands in the queue; its attempt was not begun. */
  | ({ readonly sent: false; readonly code: 'no_capacity' } & CapacityWait)
  /** The campaign does not want the call any more, or its contact is not to be called; why, in one of its words. */
  | { readonly sent: false; readonly code: 'campaign_refused'; readonly why: string }
  | { readonly sent: false; readonly code: DialRefusal | 'store_unavailable' | 'unreadable' };

interface HangupCommand extends HangupCause {
  readonly callId: string;
  readonly commandId: string;
  readonly bootId: string;
}

export interface SealedCommand extends ControlRequest {
  readonly callId: string;
  readonly orgId: string;
  readonly bootId: string;
}

/** What a boot knows of a call. `untold`: a word on it is still on its way to the call's workflow. */
export interface CallStanding extends NodeBoot {
  readonly status: CallNodeStatus;
  /** Not said by a node of an earlier release. */
  readonly untold?: boolean;
}

/** `dialCall` on the queue `media`, or on `media:<nodeId>` as all else where only that node reaches who is called. */
export interface CallNodeActivities {
  /**
   * Stores the call's row and the attempt, hands the INVITE to the socket and returns. `sent: false`: none left and none
   * will.
   */
  readonly dialCall: (input: DialInput) => Promise<DialReport>;
  /** By which calls of an earlier release hang up. */
  readonly hangupCall: (command: HangupCommand) => Promise<CommandResult>;
  /** Answered when the node has taken it; its effect is a state event. Of a hang-up: when BYE or CANCEL was sent. */
  readonly controlCall: (command: SealedCommand) => Promise<CommandResult>;
  readonly callStatus: (callId: string) => Promise<CallStanding>;
  /** No INVITE for the call leaves this node any more. */
  readonly tombstoneCall: (callId: string) => Promise<void>;
}

/** Written with the answer, and again when a better answer time becomes known. */
export interface AnsweredRecord extends NodeBoot {
  readonly callId: string;
  readonly sipCallId: string | null;
  readonly answeredAtMs: number;
}

export type PlacedRecord = Omit<AnsweredRecord, 'answeredAtMs'>;

/** Epoch ms; `scheduledAtMs` null: it is due. */
export interface RecordedSchedule {
  readonly callId: string;
  readonly scheduledAtMs: number | null;
  readonly expiresAtMs: number;
}

/** The record of a call, and what it needs to be closed. */
export interface FinalRecord extends EndedCall {
  readonly sipCallId: string | null;
  /** Number of the attempt that left a node, or may have. */
  readonly attempt: { readonly n: number; readonly state: 'finished' | 'uncertain' } | null;
  /** The node's last seq; null where its records are not waited for. */
  readonly lastSeq: number | null;
  /** Of a call whose row its node stores: it is made now where the node has died before. */
  readonly begun?: CallInput;
}

/** The call's record, and who could have the call. */
export interface CallStoreActivities {
  /** The call's row, and the first event of the workflow. Repeating it changes nothing. */
  recordCall(input: CallInput): Promise<void>;
  /** Of calls that an earlier release began: since then a node's events bring the answer into the row. */
  recordAnswered(record: AnsweredRecord): Promise<void>;
  /** Which node has a call whose dial did not say so. */
  recordPlaced(record: PlacedRecord): Promise<void>;
  /** When the call was answered, as far as its node's events say; epoch ms. */
  recordedAnswer(callId: string): Promise<number | null>;
  /** The times of a call that waits were changed. */
  recordSchedule(schedule: RecordedSchedule): Promise<void>;
  /** Closes the record when every event of the node is there; `false`: some are missing, nothing was written. */
  finaliseCall(record: FinalRecord): Promise<boolean>;
  /** Waits for the node's events until `waitUntilMs` (epoch), then closes the record as `truncated`. */
  finaliseWhenRecorded(record: FinalRecord, waitUntilMs: number): Promise<void>;
  /** Nodes that are not silent for long enough to be suspected. */
  liveNodes(): Promise<readonly NodePresence[]>;
  /** Marks the boot, so that it finds out when it comes back. False: it has shown a sign of life. */
  declareLost(boot: NodeBoot): Promise<boolean>;
  /** What calls of an earlier release looked at instead. */
  nodePresence(nodeId: string): Promise<NodePresence | null>;
}
