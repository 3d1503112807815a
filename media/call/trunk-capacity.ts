import type { InviteOutcome } from '../sip/invite';

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
  /** The carrier has answered 503 and said for how long. */
  congested(trunkId: string, retryAfterSeconds: number): void;
}

const UNAVAILABLE = 503;

/** Without a Retry-After a 503 is one refusal like others (RFC 3261 §21.5.4). */
export function noteCongestion(
  capacity: Pick<TrunkCapacity, 'congested'>,
  trunkId: string,
  outcome: InviteOutcome,
): void {
  if (outcome.kind !== 'status' || outcome.status !== UNAVAILABLE || outcome.retryAfterSeconds === null) return;
  capacity.congested(trunkId, outcome.retryAfterSeconds);
}
