/** What starts the workflow of a media node, and what it is told and asked. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { LostBoot } from './activities';
import type { NodeWatchState } from './node-watch';

export interface Suspicion {
  readonly bootId: string;
  readonly callId: string;
}

export interface MediaNodeInput {
  readonly nodeId: string;
  /** Only when it continues an earlier run. */
  readonly resumed?: NodeWatchState;
  /** What came in while the earlier run was full, and was left to this one. A suspicion has about 100 bytes. */
  readonly held?: { readonly suspicions: readonly Suspicion[]; readonly losses: readonly LostBoot[] };
}

/** A media node began this boot, before it opened its SIP sockets: calls of its older boots are lost. */
export const nodeStartedSignal = defineSignal<[{ bootId: string }]>('nodeStarted');
/** Orderly stop: no calls are left, the boot is over. */
export const nodeStoppedSignal = defineSignal<[{ bootId: string }]>('nodeStopped');
/** A call's command timed out; the node workflow answers the call with nodeLost or nodeAlive. */
export const suspectSignal = defineSignal<[Suspicion]>('suspect');
export const nodeStateQuery = defineQuery<NodeWatchState>('nodeState');
