/** How an outbound trunk fares, as the media node that watches it sees it. */

/**
 *     unknown → healthy ⇄ degraded ⇄ down
 *
 * `unknown`: nobody has looked yet, or nobody is to. `degraded`: it answers, and not everything is as it should be, or it
 * did not answer the last time. `down`: calls over it fail.
 */
export const TRUNK_HEALTH_STATES = ['unknown', 'healthy', 'degraded', 'down'] as const;
export type TrunkHealthState = (typeof TRUNK_HEALTH_STATES)[number];

export const TRUNK_HEALTH_REASONS = [
  'host_not_found',
  'name_server_silent',
  'name_server_failed',
  'private_target',
  'connection_refused',
  'connection_timed_out',
  'host_unreachable',
  'transport_error',
  'no_answer',
  'unavailable',
  'registration_refused',
  'registration_failed',
  'not_checked',
  'not_watched',
] as const;

/** For people, in plain words; nothing of it is a peer's own text. */
export interface TrunkHealthReason {
  readonly code: (typeof TRUNK_HEALTH_REASONS)[number];
  readonly message: string;
}

/** `refused`: the carrier does not want us as we are, and is asked again much later. */
export const TRUNK_REGISTRATION_STATES = ['registering', 'registered', 'failed', 'refused'] as const;

export interface TrunkRegistration {
  readonly state: (typeof TRUNK_REGISTRATION_STATES)[number];
  /** Epoch ms: until then the carrier knows us. Null when it does not. */
  readonly expiresAtMs: number | null;
  /** Of the last REGISTER, null where nobody answered it. */
  readonly lastStatus: number | null;
  /** Why the last REGISTER failed; null when it did not. */
  readonly lastError: string | null;
}

export interface TrunkHealth {
  readonly state: TrunkHealthState;
  readonly reasons: readonly TrunkHealthReason[];
  /** Epoch ms: of the last change of the state. */
  readonly sinceMs: number;
  /** Epoch ms: of the last ping; null before the first. */
  readonly checkedAtMs: number | null;
  /** Of the last ping that was answered. */
  readonly rttMs: number | null;
  /** Null where we do not register. */
  readonly registration: TrunkRegistration | null;
}
