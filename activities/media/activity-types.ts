/** What workflows ask of a media node: `dialCall` on the queue `media`, all else on `media:<nodeId>`. */
import type {
  CallNodeStatus,
  CommandResult,
  DialRefusal,
  DialResult,
  HangupCommand,
  LiveCall,
} from '../../media/control/contract';
import type { OutboundCallInput } from '../../workflows/call/types';

export interface DialInput {
  readonly call: OutboundCallInput;
  /** Number of the attempt within the call, from 1: its id and its SIP Call-ID follow from it. */
  readonly n: number;
}

/**
 * `store_unavailable`: the attempt's row could not be written, so nothing was sent. `unreadable`: this node's key does
 * not open the call's details. The words of a refusal stay in the node's log.
 */
export type DialOutcome =
  | Extract<DialResult, { sent: true }>
  | { readonly sent: false; readonly code: DialRefusal | 'store_unavailable' | 'unreadable' };

export interface NodeBoot {
  readonly nodeId: string;
  readonly bootId: string;
}

export interface NodeCalls extends NodeBoot {
  readonly calls: readonly LiveCall[];
}

export interface MediaActivities {
  /**
   * Stores the call's row and the attempt, hands the INVITE to the socket and returns. `sent: false`: none left and none
   * will.
   */
  readonly dialCall: (input: DialInput) => Promise<DialOutcome>;
  /** Answered when BYE or CANCEL was sent. */
  readonly hangupCall: (command: HangupCommand) => Promise<CommandResult>;
  readonly callStatus: (callId: string) => Promise<NodeBoot & { readonly status: CallNodeStatus }>;
  /** No INVITE for the call leaves this node any more. */
  readonly tombstoneCall: (callId: string) => Promise<void>;
  readonly pingNode: () => Promise<NodeBoot>;
  readonly listCalls: () => Promise<NodeCalls>;
  /** Ends a call that lives without a workflow; a call of another boot is left alone. */
  readonly endOrphanedCall: (orphan: { readonly callId: string; readonly bootId: string }) => Promise<void>;
  /** Heartbeats as long as the node lives; returns when it stops in order, or at once when another boot runs here. */
  readonly runNode: (boot: NodeBoot) => Promise<'stopped' | 'other_boot'>;
}
