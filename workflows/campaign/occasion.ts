import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CampaignControlActivities, CampaignOccurrence } from './activities';

const { campaignOccurs } = proxyActivities<CampaignControlActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
  summary: 'starts the campaign, or has its contacts called anew',
});

/** Started by a campaign's schedule: what is to be at this time, and nothing else. */
export async function campaignOccasionWorkflow(occurrence: Omit<CampaignOccurrence, 'runId'>): Promise<void> {
  await campaignOccurs({ ...occurrence, runId: workflowInfo().firstExecutionRunId });
}
