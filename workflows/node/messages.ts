/** What starts the workflow of a media node, and what it is told and asked. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { NodeWatchState } from './node-watch';

export interface MediaNodeInput {
  readonly nodeId: string;
  /** Only when it continues an earlier run. */
  readonly resumed?: NodeWatchState;
}

/** A media node began this boot, before it opened its SIP sockets: calls of its older boots are lost. */
export const nodeStartedSignal = defineSignal<[{ bootId: string }]>('nodeStarted');
/** Orderly stop: no calls are left, the boot is over. */
export const nodeStoppedSignal = defineSignal<[{ bootId: string }]>('nodeStopped');
/** A call's command timed out; the node workflow answers the call with nodeLost or nodeAlive. */
export const suspectSignal = defineSignal<[{ bootId: string; callId: string }]>('suspect');
export const nodeStateQuery = defineQuery<NodeWatchState>('nodeState');
