/** What the check of a trunk asks of media nodes. */
import type { TrunkCheckInput } from './messages';

/** What one node found. Sealed, because it names numbers, addresses and the words of carriers (`store/sealed-check.ts`). */
export interface SealedNodeReport {
  readonly nodeId: string;
  readonly sealed: string;
}

/**
 * `unknown_trunk`: the node has no such trunk, or not yet. `too_late`: whoever asked is gone, nothing was done.
 * `unreadable`: this node's key does not open the request.
 */
export type NodeCheckRefusal = 'unknown_trunk' | 'too_late' | 'unreadable';

/** `checkOutboundTrunk` on the queue `media`, `checkInboundTrunk` on `media:<nodeId>`. */
export interface TrunkCheckActivities {
  /** Within 24 s. May place a call: never repeated. */
  readonly checkOutboundTrunk: (input: TrunkCheckInput) => Promise<SealedNodeReport | NodeCheckRefusal>;
  readonly checkInboundTrunk: (input: TrunkCheckInput) => Promise<SealedNodeReport | NodeCheckRefusal>;
}
