/** What has to be there for a campaign to call anybody. */
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignParts } from '../../store/repositories/campaign-repository';
import { impossible } from '../errors';
import type { OrgStore } from '../store';
import { missingColumns, neverOpenBecause, unfillable } from '../../store/campaigns/contact-rules';

/** Codes of `assertCallable`. */
export const START_ERRORS = [
  'no_agent',
  'no_trunk',
  'no_contacts',
  'window_never_opens',
  'invalid_placeholder',
  'missing_column',
  'campaign_ended',
] as const;

/** @throws ApiError 422 with the first thing that is missing */
export async function assertCallable(
  org: Pick<OrgStore, 'campaigns'>,
  campaign: Campaign,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<void> {
  const { orgId, id, endsAt } = campaign;
  if (endsAt !== null && endsAt.getTime() <= Date.now()) {
    throw impossible('campaign_ended', `ends_at is past: ${endsAt.toISOString()}`);
  }
  const parts = await org.campaigns.parts(orgId, id);
  if (parts.agent === null) throw impossible('no_agent', 'The agent of the campaign was deleted');
  if (parts.trunks.length === 0) {
    throw impossible('no_trunk', 'Neither the campaign nor its agent has an outbound trunk');
  }
  const counts = await org.campaigns.counts(id);
  if (!counts.some(({ state, contacts }) => contacts > 0 && (anew || state !== 'done'))) {
    throw impossible('no_contacts', anew ? 'The campaign has no contacts' : 'No contact of the campaign may be called');
  }
  assertOpens(campaign);
  assertTexts(campaign, parts.agent);
}

/** Of one that runs: a window that never opens, or texts that use what no contact has, would leave out all that are due. */
export async function assertGoesOn(org: Pick<OrgStore, 'campaigns'>, campaign: Campaign): Promise<void> {
  assertOpens(campaign);
  const { agent } = await org.campaigns.parts(campaign.orgId, campaign.id);
  if (agent !== null) assertTexts(campaign, agent);
}

function assertOpens(campaign: Campaign): void {
  const closed = neverOpenBecause(campaign);
  if (closed !== null) throw impossible('window_never_opens', closed);
}

function assertTexts(campaign: Campaign, agent: NonNullable<CampaignParts['agent']>): void {
  const unclear = unfillable(campaign, agent);
  if (unclear !== null) {
    throw impossible('invalid_placeholder', unclear.message, { placeholders: unclear.placeholders });
  }
  const columns = missingColumns(campaign, agent);
  if (columns.length === 0) return;
  throw impossible('missing_column', `No contact has a value for ${columns.join(', ')}, which the texts use`, {
    columns,
  });
}
