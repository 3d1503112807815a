import { TypedSearchAttributes } from '@temporalio/common';
import { campaignWorkflowId, MAIN_TASK_QUEUE } from '../ids';
import { CAMPAIGN_ID, ORG_ID } from '../search-attributes';
import type { CampaignReference } from '../../contract/campaigns';
import type { CampaignInput } from './messages';
import { CAMPAIGN_DETAILS, campaignSummary } from './presentation';

export interface CampaignStartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [CampaignInput];
  readonly workflowIdReusePolicy: 'ALLOW_DUPLICATE';
  readonly workflowIdConflictPolicy: 'USE_EXISTING';
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/** How a campaign's workflow is started, whoever tells it something first: one at a time. */
export function campaignStartOptions({ campaignId, orgId }: CampaignReference): CampaignStartOptions {
  return {
    workflowId: campaignWorkflowId(campaignId),
    taskQueue: MAIN_TASK_QUEUE,
    args: [{ campaignId, orgId }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: campaignAttributes({ campaignId, orgId }),
    staticSummary: campaignSummary({ campaignId, orgId }),
    staticDetails: CAMPAIGN_DETAILS,
  };
}

export function campaignAttributes({ campaignId, orgId }: CampaignReference): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: ORG_ID, value: orgId },
    { key: CAMPAIGN_ID, value: campaignId },
  ]);
}
