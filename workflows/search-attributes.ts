/** Search attributes that workflows of more than one type carry. */
import { defineSearchAttributeKey } from '@temporalio/common';

export const ORG_ID = defineSearchAttributeKey('OrgId', 'KEYWORD');
export const TRUNK_ID = defineSearchAttributeKey('TrunkId', 'KEYWORD');
export const DIRECTION = defineSearchAttributeKey('Direction', 'KEYWORD');
export const CAMPAIGN_ID = defineSearchAttributeKey('CampaignId', 'KEYWORD');
