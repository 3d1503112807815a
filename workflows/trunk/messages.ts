/** What the workflow of a trunk is told. */
import { defineSignal } from '@temporalio/workflow';
import type { TrunkHealthReason, TrunkHealthState } from '../../contract/trunk-health';

export interface TrunkHealthChange {
  readonly state: TrunkHealthState;
  readonly reasons: readonly TrunkHealthReason[];
  /** When the state changed, ISO 8601; the same change may be told twice. */
  readonly at: string;
  /** The media node that saw it. */
  readonly nodeId: string;
}

/** The state of the trunk's health is another one now. */
export const healthChangedSignal = defineSignal<[TrunkHealthChange]>('healthChanged');
