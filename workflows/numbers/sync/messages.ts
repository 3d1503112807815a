/** What starts the workflow that syncs an organisation's numbers, and what it is asked. */
import { defineUpdate } from '@temporalio/workflow';

export interface NumberSyncInput {
  readonly orgId: string;
  /** The inbound trunk whose numbers they are. */
  readonly trunkId: string;
}

export interface NumberSyncRequest {
  /** One sync: asked again under this id, it is done once. */
  readonly syncId: string;
  /** Who asked, for the audit log. */
  readonly keyId: string;
  readonly requestId: string;
}

/** Counts of numbers, never the numbers. */
export interface NumberSyncCounts {
  readonly added: number;
  readonly removed: number;
}

export type NumberSyncOutcome =
  ({ readonly outcome: 'synced'; readonly trunkId: string } & NumberSyncCounts) | { readonly outcome: 'no_trunk' };

/** Resolves when the inbound trunk lists exactly the organisation's verified numbers. */
export const syncUpdate = defineUpdate<NumberSyncOutcome, [NumberSyncRequest]>('sync');
