/** How an organisation shows that a phone number is its own: in these words from the API to the media node. */
import type { Disposition } from './endings';

/**
 * pending → verified | failed | expired; a new round makes a number that failed or expired pending again. Verified it
 * stays until it is given up.
 */
export const NUMBER_STATUSES = ['pending', 'verified', 'failed', 'expired'] as const;
export type NumberStatus = (typeof NUMBER_STATUSES)[number];

/**
 * `outbound_code`: we call it and speak a code. `inbound_call`: a call to it comes in on the organisation's trunk.
 * `attest`: the operator vouches for it.
 */
export const NUMBER_METHODS = ['outbound_code', 'inbound_call', 'attest'] as const;
export type NumberMethod = (typeof NUMBER_METHODS)[number];

/** Why a verification failed or expired: how the code call went, or one of these. */
export type VerificationFailure = Disposition | VerificationCause;
export type VerificationCause = 'wrong_codes' | 'number_taken' | 'trunk_gone' | 'not_confirmed' | 'not_called';

/** One try to verify a number, from its request to its end: at most one code call, and one code. */
export interface NumberRound {
  readonly numberId: string;
  /** From 1; the highest of a number is the one that counts. */
  readonly n: number;
}

export interface VerificationRound extends NumberRound {
  readonly orgId: string;
  readonly method: Exclude<NumberMethod, 'attest'>;
  /** Through which the code is called; null for `inbound_call`. */
  readonly trunkId: string | null;
  /** Epoch ms: then it ends by itself. */
  readonly expiresAtMs: number;
}

/** More wrong codes than this are not compared. */
export const MAX_CODE_TRIES = 5;

/** How a code call ended, for the verification: null when somebody may have heard the code. */
export function failureOfCodeCall(disposition: Disposition): VerificationFailure | null {
  return disposition === 'answered' || disposition === 'voicemail' || disposition === 'uncertain' ? null : disposition;
}
