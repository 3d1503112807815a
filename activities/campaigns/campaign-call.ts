/** From a claimed contact to the call that is started for it. */
import { callerNumberOf } from '../../store/campaigns/caller-number';
import { sealDetails } from '../../store/call-details';
import type { Campaign } from '../../store/entities/campaign';
import { uuidV8 } from '../../store/ids';
import type { ClaimedContact, DiallingTrunk } from '../../store/repositories/campaign-dialling-repository';
import type { SecretBox } from '../../store/secrets';
import type { OutboundCallInput } from '../../workflows/call/input';

/** A call that is taken up later than that was not: its contact is due again. */
const ACCEPT_WITHIN_MS = 30_000;
/** No new attempt is begun after it. */
const DIAL_WITHIN_MS = 60_000;
/** A call that still waits for room then gives way: its contact comes again. */
const WAIT_MS = 15 * 60_000;

export interface CampaignCallOptions {
  readonly secrets: Pick<SecretBox, 'seal'>;
  readonly countries: readonly string[];
  readonly agentId: string;
  readonly maxDurationSeconds: number;
  readonly nowMs: number;
}

export function campaignCallInput(
  campaign: Campaign,
  contact: ClaimedContact,
  trunk: DiallingTrunk,
  { secrets, countries, agentId, maxDurationSeconds, nowMs }: CampaignCallOptions,
): OutboundCallInput {
  const { id: campaignId, orgId, version, callerNumbers, localPresence, disclosureLine } = campaign;
  const { callId, id: contactId, calls: call, phoneNumber: to } = contact;
  const from = callerNumberOf({ callerNumbers, localPresence, trunk, to, contactId, call });
  const script = { variables: scriptVariables(campaign, contact), disclosureLine };
  return {
    direction: 'outbound',
    callId,
    orgId,
    agentId,
    campaign: { campaignId, contactId, version, countries },
    trunkId: trunk.id,
    sessionId: uuidV8('session', callId),
    sealed: sealDetails(secrets, { callId, orgId }, { from, to, firstMessage: null, metadata: {}, script }),
    createdAtMs: nowMs,
    acceptByMs: nowMs + ACCEPT_WITHIN_MS,
    dialByMs: nowMs + DIAL_WITHIN_MS,
    expiresAtMs: nowMs + WAIT_MS,
    maxDurationSeconds,
    ringTimeoutSeconds: campaign.ringTimeoutSeconds,
  };
}

/** A contact's own values before the campaign's; its name and number by their names. */
function scriptVariables(campaign: Campaign, { name, phoneNumber, variables }: ClaimedContact): Record<string, string> {
  const named = name === null || name === '' ? {} : { name };
  return { ...campaign.variables, ...withoutEmpty(variables), ...named, phone_number: phoneNumber };
}

function withoutEmpty(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
}
