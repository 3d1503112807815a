/** Media nodes and their boots. */
import type { LiveCall } from './commands';

/** One start of a media node's process: a live call belongs to a boot and ends with it. */
export interface NodeBoot {
  readonly nodeId: string;
  readonly bootId: string;
}

export interface NodeCalls extends NodeBoot {
  readonly calls: readonly LiveCall[];
}

export interface NodePresence extends NodeBoot {
  /** Since the node's last sign of life, by the database's clock. */
  readonly silentMs: number;
}

/** A node that has shown no sign of life for longer is suspected; one that does not answer either is lost. */
export const NODE_SILENCE_MS = 6_000;

/** A boot that has been silent for this long looks after no trunk any more: another node may. */
export const TRUNK_LEASE_MS = 15_000;
