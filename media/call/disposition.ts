/** SIP outcome → disposition: the one place where a status becomes the word of the call's record. */
import type { Disposition } from '../../contract/endings';
import type { InviteOutcome } from '../sip/invite';

/** Why we ended a dial ourselves: our CANCEL on request, or because nobody picked up. */
export type OwnCause = 'canceled' | 'ring_timeout';

const BY_STATUS: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [486, 'busy'],
  [600, 'busy'],
  [480, 'no_answer'],
  [504, 'trunk_timeout'],
  [404, 'invalid_number'],
  [410, 'invalid_number'],
  [484, 'invalid_number'],
  [485, 'invalid_number'],
  [604, 'invalid_number'],
  [603, 'rejected'],
  [607, 'blocked'],
  [608, 'blocked'],
  [401, 'trunk_denied'],
  [403, 'trunk_denied'],
  [407, 'trunk_denied'],
  [500, 'congestion'],
  [502, 'congestion'],
  [503, 'congestion'],
  [415, 'media_incompatible'],
  [488, 'media_incompatible'],
  [482, 'routing_loop'],
  [483, 'routing_loop'],
  [428, 'identity_rejected'],
  [436, 'identity_rejected'],
  [437, 'identity_rejected'],
  [438, 'identity_rejected'],
]);

/** ITU-T Q.850 causes, for a status that says nothing by itself. */
const BY_Q850: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [17, 'busy'],
  [18, 'no_answer'],
  [19, 'no_answer'],
  [20, 'no_answer'],
  [31, 'no_answer'],
  [1, 'invalid_number'],
  [22, 'invalid_number'],
  [28, 'invalid_number'],
  [21, 'rejected'],
  [57, 'trunk_denied'],
  [27, 'congestion'],
  [34, 'congestion'],
  [38, 'congestion'],
  [41, 'congestion'],
  [42, 'congestion'],
  [47, 'congestion'],
  [65, 'media_incompatible'],
  [88, 'media_incompatible'],
]);

const Q850_CALL_REJECTED = 21;

const rang = (provisional: number | null): boolean => provisional !== null && provisional >= 180;

/**
 * How a dial went. `outcome` is the final answer to the INVITE or why none came; null when our CANCEL was never
 * answered. `own` is our reason for having ended it, null when we had not.
 */
export function dispositionOf(outcome: InviteOutcome | null, own: OwnCause | null): Disposition {
  const ours: Disposition | null = own === 'ring_timeout' ? 'no_answer' : own;
  if (!outcome) return ours ?? 'failed';
  if (outcome.kind === 'unreachable') return ours ?? 'trunk_unreachable';
  if (outcome.kind === 'timeout') {
    if (ours) return ours;
    if (outcome.provisional === null) return 'trunk_unreachable';
    return rang(outcome.provisional) ? 'no_answer' : 'trunk_timeout';
  }
  const { status, reason, q850, provisional } = outcome;
  // A 2xx or 487 that crosses our CANCEL: the call went the way we decided (RFC 3261 §9.1).
  if (status < 300) return ours ?? 'answered';
  if (status === 487) return ours ?? (rang(provisional) ? 'no_answer' : 'failed');
  if (status === 408) return rang(provisional) ? 'no_answer' : 'trunk_timeout';
  if (status === 603 && /network blocked/i.test(reason)) return 'blocked';
  // 606 is either the person's word (Q.850 21) or about the media (RFC 3261 §21.6.4).
  if (status === 606) return q850 === Q850_CALL_REJECTED ? 'rejected' : 'media_incompatible';
  const known = BY_STATUS.get(status);
  if (known) return known;
  if (status < 400) return 'redirect';
  const byCause = q850 === null ? undefined : BY_Q850.get(q850);
  if (byCause) return byCause;
  return status >= 600 ? 'rejected' : 'failed';
}
