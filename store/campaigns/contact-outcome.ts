/** What becomes of a contact when its call is over. */
import type { CampaignContactResult, CampaignStatus } from '../../contract/campaigns';
import type { CallEnding, Disposition } from '../../contract/endings';
import { placeOf } from './contact-check';
import { rulesOf } from './contact-rules';
import type { RuledCampaign } from './contact-rules';
import { planRetry } from './retry-plan';
import type { PastAttempt, RetryEnd, RetryMatrix } from './retry-plan';
import { MINUTE_MS } from './zone-clock';

export interface EndedContact {
  readonly phoneNumber: string;
  readonly timeZone: string | null;
  /** Of its calls since it was made due anew those that count, this one among them. */
  readonly past: readonly PastAttempt[];
  /** An INVITE has left, or may have. */
  readonly dialled: boolean;
  /** The callee has asked not to be called again. */
  readonly optedOut: boolean;
  /** On a do-not-call list by now. */
  readonly suppressed: boolean;
  /** Why its call was not to be dialled, where the dial was refused. */
  readonly refusal: string | null;
}

export type ContactsCampaign = RuledCampaign & {
  readonly status: CampaignStatus;
  readonly retry: RetryMatrix;
  readonly endsAt: Date | null;
};

export type ContactOutcome =
  { readonly done: true; readonly result: CampaignContactResult } | { readonly done: false; readonly dueAtMs: number };

const RESULTS: Readonly<Record<RetryEnd, CampaignContactResult>> = {
  answered: 'reached',
  not_retried: 'exhausted',
  disposition_exhausted: 'exhausted',
  attempts_exhausted: 'exhausted',
  window_closed: 'exhausted',
  campaign_ended: 'canceled',
};

/** Nothing is wrong with the contact: it is looked at again at once. */
const AT_ONCE: ReadonlySet<string> = new Set(['campaign_not_running', 'campaign_changed', 'campaign_ended']);
/** What the claim has not seen a moment ago it sees then. */
const REFUSED_MS = 5_000;
/** There was no room in time, no media node, or one that did not live to dial. */
const NOT_SERVED_MS = MINUTE_MS;

/** Not dialled, and for reasons of ours: whoever is called has nothing to do with it. */
const OURS: ReadonlySet<Disposition> = new Set(['canceled', 'expired', 'uncertain', 'failed']);

/** Whether an ending counts among those that the retry rules look at. */
export function countsForRetry(disposition: Disposition, dialled: boolean): boolean {
  return dialled || !OURS.has(disposition);
}

export function contactOutcome(
  contact: EndedContact,
  campaign: ContactsCampaign,
  { disposition, endReason }: Pick<CallEnding, 'disposition' | 'endReason'>,
  nowMs: number,
): ContactOutcome {
  if (contact.optedOut) return { done: true, result: 'opted_out' };
  if (disposition === 'answered') return { done: true, result: 'reached' };
  // It may have rung: who knows would not be called again by a machine. Without an attempt nothing left, and nothing will.
  if (disposition === 'uncertain' && contact.dialled) return { done: true, result: 'uncertain' };
  if (campaign.status === 'canceled') return { done: true, result: 'canceled' };
  if (contact.suppressed) return { done: true, result: 'suppressed' };
  if (!countsForRetry(disposition, contact.dialled)) {
    // Somebody has hung up on the call that waited: an operator takes it back.
    if (endReason === 'api_hangup') return { done: true, result: 'canceled' };
    return { done: false, dueAtMs: nowMs + undialledDelayMs(disposition, contact.refusal) };
  }
  const rules = rulesOf(campaign, null);
  const { window, ringMs } = rules;
  const place = placeOf(contact, rules);
  const plan = planRetry({
    matrix: campaign.retry,
    attempts: contact.past,
    window,
    place: 'need' in place ? { zones: [], region: null } : place,
    ringMs,
    nowMs,
    endsAtMs: campaign.endsAt?.getTime() ?? null,
  });
  return plan.done ? { done: true, result: RESULTS[plan.reason] } : { done: false, dueAtMs: plan.dueAtMs };
}

function undialledDelayMs(disposition: Disposition, refusal: string | null): number {
  if (disposition !== 'canceled') return NOT_SERVED_MS;
  return refusal === null || AT_ONCE.has(refusal) ? 0 : REFUSED_MS;
}
