/** What the workflow of a media node asks of others. */
import type { NodeBoot, NodePresence } from '../../contract/nodes';

/** On the node's own queue. */
export interface WatchedNodeActivities {
  /** Heartbeats as long as the node lives; returns when it stops in order, or at once when another boot runs here. */
  runNode(boot: NodeBoot): Promise<'stopped' | 'other_boot'>;
  pingNode(): Promise<NodeBoot>;
}

export interface LostBoot {
  readonly nodeId: string;
  /** Only calls of this boot; null: of every boot of the node but `exceptBootId`. */
  readonly bootId: string | null;
  readonly exceptBootId: string | null;
}

export interface ToldVerdict {
  readonly bootId: string;
  readonly alive: boolean;
  readonly callIds: readonly string[];
}

export interface NodeLossActivities {
  /** Marks the boot, so that it finds out when it comes back. False: it has shown a sign of life. */
  declareLost(boot: NodeBoot): Promise<boolean>;
  /** What runs of an earlier release looked at instead. */
  nodePresence(nodeId: string): Promise<NodePresence | null>;
  /** Signals to each of the calls what has become of its suspicion. A call that is over needs no answer. */
  tellVerdict(verdict: ToldVerdict): Promise<void>;
  /** Signals `nodeLost` to every open call of the boot until two empty passes 5 s apart; returns how many it reached. */
  sweepLostCalls(lost: LostBoot): Promise<number>;
}
