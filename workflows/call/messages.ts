import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AcceptResult, CallState, CallStateSignal, HangupRequest, HangupResult } from './types';

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
/** Resolves when the call's row is stored; first message of every outbound call (update-with-start). */
export const acceptUpdate = defineUpdate<AcceptResult, []>('accept');
export const hangupUpdate = defineUpdate<HangupResult, [HangupRequest]>('hangup');
export const callStatusQuery = defineQuery<CallState>('status');
