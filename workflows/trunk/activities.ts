/** What the workflow of a trunk asks of others. */

export interface TrunkReference {
  readonly orgId: string;
  readonly trunkId: string;
}

export interface TrunkConfirmation {
  /** Of the configuration that wrote, or removed, the trunk last. */
  readonly version: number;
  /** Media nodes that live; all of them act on it. */
  readonly nodes: number;
  readonly atMs: number;
  /** The trunk was deleted: no node knows it any more. */
  readonly removed: boolean;
  /** Until then (epoch ms) the password before the last rotation lets calls in too; null where there is none. */
  readonly graceUntilMs: number | null;
}

export interface TrunkActivities {
  /**
   * Resolves when every live media node acts on the trunk's latest version, and this is recorded; fails, to be tried again,
   * when they take too long. Null: the store knows nothing of the trunk, as after its removal was confirmed.
   */
  confirmTrunk(trunk: TrunkReference): Promise<TrunkConfirmation | null>;
  /** Once its time is over. Otherwise when that will be (epoch ms); null when there is nothing to erase (any more). */
  erasePreviousPassword(trunk: TrunkReference): Promise<number | null>;
}
