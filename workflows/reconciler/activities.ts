/** What the reconciler asks of others. */
import type { NodeCalls, NodePresence } from '../../contract/nodes';

export interface OrphanedCalls {
  readonly bootId: string;
  readonly callIds: readonly string[];
}

/** On the queue of each node. */
export interface ListedNodeActivities {
  /** Ends calls that live without a workflow; those of another boot are left alone. */
  endOrphanedCalls(orphans: OrphanedCalls): Promise<void>;
  /** For runs of the first release, as the next one. */
  listCalls(): Promise<NodeCalls>;
  endOrphanedCall(orphan: { readonly callId: string; readonly bootId: string }): Promise<void>;
}

/**
 * A difference between store, workflows and nodes:
 * - `live_without_workflow`: a node has a call whose workflow is closed or was never there;
 * - `open_without_workflow`: an open row whose workflow is closed or was never there;
 * - `forgotten_by_node`: a running call whose node lives and does not list it;
 * - `node_gone`: a running call on a boot that is silent or replaced, which its node's workflow should have ended.
 */
type DiscrepancyCause = 'live_without_workflow' | 'open_without_workflow' | 'forgotten_by_node' | 'node_gone';

export interface Discrepancy {
  readonly cause: DiscrepancyCause;
  readonly callId: string;
  /** Where the call is, or was; null for a row no node ever had. */
  readonly nodeId: string | null;
  readonly bootId: string | null;
  readonly answered: boolean;
}

export interface ReconcileActivities {
  /**
   * Compares until two consecutive passes show the same differences, and answers with the first of them; with none at
   * `untilMs` (epoch).
   */
  watchCalls(untilMs: number): Promise<readonly Discrepancy[]>;
  /** Ends or finalises what two passes have shown, and counts it by cause. */
  settleDiscrepancies(confirmed: readonly Discrepancy[]): Promise<void>;
}

/** What runs of the first release ask for. */
export interface EarlierReconcileActivities {
  /** Nodes that are not silent for long enough to be suspected. */
  liveNodes(): Promise<readonly NodePresence[]>;
  /** One pass. `nodes`: what the nodes that answered have; a node that did not is left out of account. */
  surveyCalls(nodes: readonly NodeCalls[]): Promise<readonly Discrepancy[]>;
}
