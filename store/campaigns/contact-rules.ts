/** By which rules a campaign's contacts are checked, as its row and its agent are now. */
import type { Campaign } from '../entities/campaign';
import type { ContactRules } from './contact-check';
import { DiallingWindow } from './dialling-window';
import { brokenPlaceholdersIn, neededVariables } from './text-variables';
import type { SpokenTexts } from './text-variables';

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
  return neededVariables(textsOf(campaign, agent), campaign.variables);
}

const SHOWN_CHARS = 80;

/** Null: whatever stands between braces in its texts names a variable. */
export function unfillable(
  campaign: RuledCampaign,
  agent: SpokenAgent | null,
): { readonly placeholders: readonly string[]; readonly message: string } | null {
  const broken = brokenPlaceholdersIn(textsOf(campaign, agent)).map((written) => written.slice(0, SHOWN_CHARS));
  if (broken.length === 0) return null;
  return { placeholders: broken, message: `In the texts ${broken.join(', ')} is no name of a variable` };
}

function textsOf({ voicemailMessage, disclosureLine }: RuledCampaign, agent: SpokenAgent | null): SpokenTexts {
  const { firstMessage = null, instructions = [] } = agent ?? {};
  return { firstMessage, instructions, voicemailMessage, disclosureLine };
}

/** Of those what no contact came with: whoever is due would be left out. */
export function missingColumns(
  campaign: RuledCampaign & Pick<Campaign, 'variableNames'>,
  agent: SpokenAgent | null,
): string[] {
  return neededOf(campaign, agent).filter((name) => !campaign.variableNames.includes(name));
}

/** A claim sees as closed what closes before its call could be dialled. */
export const CLAIM_MARGIN_MS = 10_000;

/** Null: its window opens for somebody, some day. */
export function neverOpenBecause(campaign: RuledCampaign): string | null {
  const { window, ringMs } = rulesOf(campaign, null, CLAIM_MARGIN_MS);
  if (window.everOpens(ringMs)) return null;
  const { start, end, days } = campaign.dialWindow;
  const hours = `${start} to ${end} on ${days.join(', ')}`;
  const legal = window.keepsLaw ? ' within the legal hours, 8 to 21 o’clock,' : '';
  return `The window, ${hours}, has no time${legal} for ${ringMs / 1000} s: to dial, and to ring for ring_timeout_seconds`;
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
