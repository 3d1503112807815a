/** What outbound trunks carry, shared by all media nodes: a further INVITE leaves when this has said so. */
export interface TrunkCapacity {
  /**
   * For a leg of a call that is up: a slot on the trunk, and its turn, for which this waits. Gives the function by which
   * the slot is given back; null: there is none, or no turn before long.
   */
  occupy(leg: { readonly orgId: string; readonly trunkId: string }): Promise<(() => void) | null>;
  /** For one more INVITE of who has a slot, to another host: waits for its turn; false: there is none before long. */
  turn(leg: { readonly orgId: string; readonly trunkId: string }): Promise<boolean>;
  /** The slot of a dial, which was taken with its attempt (`MediaControl.dial`), is free. */
  attemptOver(attemptId: string): void;
  /** All gateways of the trunk want to be left in peace for so long. */
  congested(trunkId: string, restMs: number): void;
}
