/** Signals, updates and queries of a call's workflow. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CallStatus } from '../../contract/call';
import type { CommandEffect, CommandRefusal, SealedControl } from '../../contract/commands';
import type { CallEnding, HangupCause } from '../../contract/endings';
import type { StateEvent } from '../../contract/events';
import type { NodeBoot } from '../../contract/nodes';
import type { TransferOrigin } from '../../contract/transfers';
import type { TransferInput } from '../transfer/messages';

type Addressed<E> = E extends StateEvent ? Omit<E, 'callId' | 'orgId'> & NodeBoot & Recalled<E> : never;
/** With its end a call says when it was answered: that may not have been a signal (epoch ms). */
type Recalled<E> = E extends { readonly type: 'ended' } ? { readonly answeredAtMs?: number } : unknown;

/** A state event on its way to its call's workflow, which knows the call and has to know the boot. */
export type CallStateSignal = Addressed<StateEvent>;

/** What `status` answers. */
export interface CallSnapshot {
  readonly callId: string;
  readonly status: CallStatus;
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly sipCallId: string | null;
  readonly answeredAtMs: number | null;
  readonly ending: CallEnding | null;
}

/** As an earlier release was answered. `effective`: BYE or CANCEL was sent, or the call ended meanwhile; `already_ended`: it was over before. */
export interface HangupResult {
  readonly outcome: 'effective' | 'already_ended';
}

export interface ControlRequest {
  /** Of the update too: a repeat is the same command. */
  readonly commandId: string;
  readonly control: SealedControl;
}

/**
 * What a command came to. `refused`: nothing was done. `ended`: the call, before or meanwhile. `unknown`: its node has
 * not answered.
 */
export type ControlResult =
  | CommandEffect
  | { readonly outcome: 'ended' | 'unknown' }
  | { readonly outcome: 'refused'; readonly code: Exclude<CommandRefusal, 'ended' | 'call_unknown'> };

export interface TransferRequest extends Omit<TransferInput, keyof NodeBoot | 'callId' | 'orgId'> {
  /** Absent from an API of an earlier release. */
  readonly by?: TransferOrigin;
}

/** `accepted`: it has begun; what becomes of it is an event of the call. Else as of other commands. */
export type TransferAcceptance =
  | { readonly outcome: 'accepted' | 'ended' }
  | {
      readonly outcome: 'refused';
      readonly code: Extract<CommandRefusal, 'not_answered' | 'transferring' | 'transferred'>;
    };

/** The row is in the database. */
export interface AcceptResult {
  readonly callId: string;
  readonly accepted: boolean;
}

/** A state event of the call's node. Ignored when its seq is not above the last one seen. */
export const callEventSignal = defineSignal<[CallStateSignal]>('callEvent');
/**
 * The node (boot) that had the call is gone. A call of another boot ignores it. `answeredAtMs`: it was answered, as its
 * node had recorded; the node's own signal of it may have died with the node.
 */
export const nodeLostSignal = defineSignal<[{ bootId: string; answeredAtMs?: number }]>('nodeLost');
/** The node was only suspected. */
export const nodeAliveSignal = defineSignal<[{ bootId: string }]>('nodeAlive');
/** The call's node does not list it (reconciler): the workflow asks the node itself. */
export const verifySignal = defineSignal<[{ bootId: string }]>('verify');
/** The call waits for room, and there may be some. */
export const capacitySignal = defineSignal<[]>('capacity');
/** Of a call that waits: what is not given stays; epoch ms. */
export interface RescheduleRequest {
  readonly scheduledAtMs?: number;
  readonly expiresAtMs?: number;
}

/** `not_scheduled`: it is due already, or was to be dialled at once. `not_waiting`: it is being dialled, or was. */
export type RescheduleResult =
  | { readonly outcome: 'done'; readonly scheduledAtMs: number | null; readonly expiresAtMs: number }
  | { readonly outcome: 'ended' }
  | { readonly outcome: 'refused'; readonly code: 'not_scheduled' | 'not_waiting' | 'expires_too_early' };

export const rescheduleUpdate = defineUpdate<RescheduleResult, [RescheduleRequest]>('reschedule');
/** By which an earlier release's API started a call, and waited: resolves when the row is stored. */
export const acceptUpdate = defineUpdate<AcceptResult, []>('accept');
/** By which an earlier release asked for a hang-up: now a `control` like any other. */
export const hangupUpdate = defineUpdate<HangupResult, [HangupCause]>('hangup');
export const controlUpdate = defineUpdate<ControlResult, [ControlRequest]>('control');
/** Its id is the transfer's: a repeat joins the first. */
export const transferUpdate = defineUpdate<TransferAcceptance, [TransferRequest]>('transfer');
export const callStatusQuery = defineQuery<CallSnapshot>('status');
