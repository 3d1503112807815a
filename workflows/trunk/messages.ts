/** What starts the workflow of a trunk, and what it is told and asked. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { CallDirection } from '../../contract/call';
import type { TrunkHealthReason, TrunkHealthState } from '../../contract/trunk-health';
import type { TrunkConfirmation } from './activities';

export interface TrunkIdentity {
  readonly orgId: string;
  readonly trunkId: string;
  readonly direction: CallDirection;
}

export interface TrunkInput extends TrunkIdentity {
  /** Only when it continues an earlier run. */
  readonly resumed?: TrunkState;
}

export interface TrunkHealthChange {
  readonly state: TrunkHealthState;
  readonly reasons: readonly TrunkHealthReason[];
  /** When the state changed, ISO 8601; the same change may be told twice. */
  readonly at: string;
  /** The media node that saw it. */
  readonly nodeId: string;
}

export interface TrunkState {
  /** The last version that all media nodes were seen to act on; null before the first. */
  readonly confirmed: Pick<TrunkConfirmation, 'version' | 'nodes' | 'atMs'> | null;
  /** Until then (epoch ms) the password before the last rotation lets calls in too; null where there is none. */
  readonly graceUntilMs: number | null;
  readonly health: TrunkHealthChange | null;
}

/**
 * A version of the configuration changed the trunk: its settings, numbers or credentials. What it is now stands in the
 * store; that a signal is lost, late or told twice changes nothing.
 */
export const configChangedSignal = defineSignal<[{ version: number }]>('configChanged');
/** A version of the configuration deleted the trunk. */
export const removedSignal = defineSignal<[{ version: number }]>('removed');
/** The state of the trunk's health is another one now. */
export const healthChangedSignal = defineSignal<[TrunkHealthChange]>('healthChanged');
export const trunkStateQuery = defineQuery<TrunkState>('trunkState');
