/** What an operator reads of a campaign in Temporal's UI. */
import type { CampaignOccasion, CampaignReference } from '../../contract/campaigns';
import type { CampaignStanding } from './messages';

export const campaignSummary = ({ orgId }: CampaignReference): string => `Campaign of organisation ${orgId}`;

export const CAMPAIGN_DETAILS = [
  'Lives while its campaign is scheduled, running or paused. What the campaign is stands in its row, which is changed',
  'first: here it is followed. Each turn claims contacts that are due and starts their calls, each a workflow of its own.',
].join(' ');

export const occasionSummary = (occasion: CampaignOccasion): string =>
  occasion === 'start' ? 'Starts a campaign at its time' : "Has a campaign's contacts called anew";

export function campaignDetails({ status, started, calling, open, nextTurnAtMs }: CampaignStanding): string {
  const lines = [
    `**campaign**: ${status ?? 'not looked at yet'}`,
    // Markdown wants an empty line before a list.
    '',
    `- calls begun: ${started}`,
    `- under way: ${calling}`,
    `- contacts that may still be called: ${open}`,
  ];
  if (nextTurnAtMs !== null) lines.push(`- looks who is due at ${new Date(nextTurnAtMs).toISOString()}`);
  return lines.join('\n');
}
