/** How an outbound trunk fares, as the media node that watches it sees it. */

/**
 *     unknown → healthy ⇄ degraded ⇄ down
 *
 * `unknown`: nobody has looked yet, or nobody is to. `degraded`: it answers, and not everything is as it should be, or it
 * did not answer the last time. `down`: calls over it fail.
 */
export type TrunkHealthState = 'unknown' | 'healthy' | 'degraded' | 'down';

/** For people, in plain words; nothing of it is a peer's own text. */
export interface TrunkHealthReason {
  readonly code: string;
  readonly message: string;
}
