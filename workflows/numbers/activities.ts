/** What the workflow that verifies a number asks of others. */
import type {
  NumberRound,
  NumberStatus,
  VerificationFailure,
  VerificationRound,
} from '../../contract/number-verification';
import type { OutboundCallInput } from '../call/input';

/** `call: null`: there is nothing to call any more; `status` is how the round ended, null when that is known already. */
export type CodeCallPlan =
  | { readonly call: OutboundCallInput }
  | { readonly call: null; readonly status: Exclude<NumberStatus, 'pending'> | null };

export type RoundEnd =
  { readonly status: 'verified' } | { readonly status: 'failed' | 'expired'; readonly failure: VerificationFailure };

export interface NumberVerificationActivities {
  /** The call that speaks the code; always the same one of a round. */
  prepareCodeCall(round: VerificationRound): Promise<CodeCallPlan>;
  /**
   * Ends the round in the number's record. Answers how it has ended: a number that somebody else has by now has failed.
   * Null: it was over before.
   */
  endRound(round: VerificationRound, end: RoundEnd): Promise<NumberStatus | null>;
  /** Where this number is verified: whoever else was verifying it has lost it. */
  endLostRounds(winner: NumberRound): Promise<void>;
}
