/** What `trunkCheckWorkflow` is started with, and its one update. */
import { defineUpdate } from '@temporalio/workflow';
import type { NodeCheckRefusal, SealedNodeReport } from './activities';

export interface TrunkCheckInput {
  readonly kind: 'inbound' | 'outbound';
  /** New for each check; the id of the test call, where there is one. */
  readonly checkId: string;
  readonly orgId: string;
  readonly trunkId: string;
  /** What is asked (`store/sealed-check.ts`). */
  readonly sealed: string;
  /** Epoch ms: nothing is begun after it. */
  readonly beginByMs: number;
}

/**
 * `silent`: nodes that were asked and did not answer in time. With neither reports nor silent nodes there was none, or
 * none took it; a silent one of an outbound check may have placed its test call.
 */
export interface TrunkCheckOutcome {
  readonly reports: readonly SealedNodeReport[];
  readonly silent: readonly string[];
  readonly refusals: readonly NodeCheckRefusal[];
}

/** First message of every check (update-with-start): resolves with what was found. */
export const trunkCheckUpdate = defineUpdate<TrunkCheckOutcome, []>('check');
