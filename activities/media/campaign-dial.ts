/** Whether a campaign's call may still be dialled: every check again, right before the INVITE. */
import { checkContact } from '../../store/campaigns/contact-check';
import { rulesOf } from '../../store/campaigns/contact-rules';
import { destinationGuard } from '../../store/campaigns/destination-guard';
import { dialChecks } from '../../store/campaigns/dial-checks';
import { CAP_WEEK_MS } from '../../store/campaigns/number-caps';
import type { StoredCheck } from '../../store/entities/contact-decision';
import type { CampaignAdmission } from '../../store/repositories/capacity-repository';
import type { DialFactsRepository } from '../../store/repositories/dial-facts-repository';
import { countryOf } from '../../store/routing/country';
import type { OutboundCallInput } from '../../workflows/call/input';

/** So much later than it was checked the INVITE may leave: all of its ringing is within the window then too. */
const SENT_WITHIN_MS = 3_000;

export type CampaignCheck =
  | {
      readonly ok: true;
      readonly admission: CampaignAdmission;
      /** By the window that it was checked by: a change of that is a change of the campaign. */
      readonly isOpen: (nowMs: number) => boolean;
    }
  | { readonly ok: false; readonly refusal: string; readonly detail: string; readonly checks: readonly StoredCheck[] };

type CampaignOutbound = OutboundCallInput & { readonly campaign: NonNullable<OutboundCallInput['campaign']> };

export function ofCampaign(call: OutboundCallInput): call is CampaignOutbound {
  return call.campaign !== undefined;
}

/** The facts are one read; that they still hold, the statement that admits the call asks again. */
export async function checkCampaignCall(
  dialFacts: Pick<DialFactsRepository, 'facts'>,
  { orgId, trunkId, campaign: { campaignId, contactId, version, countries } }: CampaignOutbound,
  to: string,
  nowMs: number,
): Promise<CampaignCheck> {
  const since = new Date(nowMs - CAP_WEEK_MS);
  const facts = await dialFacts.facts({ orgId, campaignId, contactId }, since, countryOf(to));
  if (facts === null || facts.contact.phoneNumber !== to) {
    return { ok: false, refusal: 'contact_moved', detail: 'The contact is not there any more', checks: [] };
  }
  const { campaign, agent, caller } = facts;
  const trunks = caller.trunks.filter(({ id }) => id === trunkId);
  const { refusal } = await destinationGuard(() => Promise.resolve(caller), countries, trunks)(to);
  // That there is no other call with the number is asked by the admission.
  const contact = { ...facts.contact, calling: false, destinationRefusal: refusal };
  const rules = rulesOf(campaign, agent, SENT_WITHIN_MS);
  const check = checkContact(contact, rules, nowMs, nowMs + 1);
  const checks = dialChecks(contact, check, rules, nowMs);
  const [first] = check.refusals;
  if (first === undefined) {
    const { place } = check;
    const isOpen = (atMs: number): boolean => place !== null && rules.window.isOpen(place, atMs, rules.ringMs);
    return { ok: true, admission: { campaignId, contactId, version, checks }, isOpen };
  }
  return { ok: false, refusal: first.reason, detail: check.refusals.map(({ detail }) => detail).join('. '), checks };
}

const WORDS: Readonly<Record<string, string>> = {
  campaign_not_running: 'The campaign does not run',
  campaign_changed: 'The campaign was changed after the contact was claimed',
  campaign_ended: 'The campaign has ended',
  contact_moved: 'The contact was claimed by another call, or given back',
  suppressed: 'The number has come onto a do-not-call list',
  outside_window: 'The window has closed meanwhile',
  called_now: 'A call with the number is under way',
};

/** What the admission has found: the last check, and the only one that did not pass. */
export function refusedByStore(refusal: string, { checks }: CampaignAdmission): CampaignCheck & { ok: false } {
  const detail = WORDS[refusal] ?? refusal;
  const others = checks.filter(({ check }) => check !== refusal);
  return { ok: false, refusal, detail, checks: [...others, { check: refusal, passed: false, detail }] };
}

/**
 * Before an INVITE to another gateway: seconds after the first the campaign may be paused, the number listed, the window closed. The
 * caps have counted this attempt, and all else is as it was, or the campaign another version.
 */
export async function refusedMeanwhile(
  store: { campaignRefusal(callId: string, admission: CampaignAdmission): Promise<string | null> },
  callId: string,
  { admission, isOpen }: CampaignCheck & { ok: true },
  nowMs: number,
): Promise<(CampaignCheck & { ok: false }) | null> {
  const refusal = (await store.campaignRefusal(callId, admission)) ?? (isOpen(nowMs) ? null : 'outside_window');
  return refusal === null ? null : refusedByStore(refusal, admission);
}
