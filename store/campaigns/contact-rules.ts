/** By which rules a campaign's contacts are checked, as its row and its agent are now. */
import type { Campaign } from '../entities/campaign';
import type { ContactRules } from './contact-check';
import { DiallingWindow } from './dialling-window';
import { neededVariables } from './text-variables';

export interface SpokenAgent {
  readonly firstMessage: string;
  readonly instructions: readonly string[];
}

export type RuledCampaign = Pick<
  Campaign,
  'dialWindow' | 'ringTimeoutSeconds' | 'caps' | 'requireConsent' | 'voicemailMessage' | 'disclosureLine' | 'variables'
>;

/** What each contact has to bring along. `agent` null: it was deleted. */
export function neededOf(campaign: RuledCampaign, agent: SpokenAgent | null): string[] {
  const texts = {
    firstMessage: agent?.firstMessage ?? null,
    instructions: agent?.instructions ?? [],
    voicemailMessage: campaign.voicemailMessage,
    disclosureLine: campaign.disclosureLine,
  };
  return neededVariables(texts, campaign.variables);
}

/** Of those what no contact came with: whoever is due would be left out. */
export function missingColumns(
  campaign: RuledCampaign & Pick<Campaign, 'variableNames'>,
  agent: SpokenAgent | null,
): string[] {
  return neededOf(campaign, agent).filter((name) => !campaign.variableNames.includes(name));
}

/** @param marginMs so much later than it is checked it may be dialled, and its whole time of ringing is then within the window */
export function rulesOf(campaign: RuledCampaign, agent: SpokenAgent | null, marginMs = 0): ContactRules {
  return {
    window: new DiallingWindow(campaign.dialWindow),
    defaultTimeZone: campaign.dialWindow.defaultTimeZone,
    ringMs: campaign.ringTimeoutSeconds * 1000 + marginMs,
    caps: campaign.caps,
    requireConsent: campaign.requireConsent,
    needed: neededOf(campaign, agent),
  };
}
