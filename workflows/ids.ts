/** Workflow ids, types, task queues and search attributes: what an operator sees in Temporal's UI (docs: Temporal). */
import type { NodeBoot } from '../contract/nodes';

export const callWorkflowId = (callId: string): string => `call:${callId}`;
export const mediaNodeWorkflowId = (nodeId: string): string => `media-node:${nodeId}`;
export const trunkWorkflowId = (trunkId: string): string => `trunk:${trunkId}`;
export const trunkCheckWorkflowId = (trunkId: string): string => `trunk-check:${trunkId}`;
export const transferWorkflowId = (transferId: string): string => `transfer:${transferId}`;
export const numberSyncWorkflowId = (orgId: string): string => `number-sync:${orgId}`;
export const numberVerificationWorkflowId = (numberId: string): string => `number-verification:${numberId}`;
export const campaignWorkflowId = (campaignId: string): string => `campaign:${campaignId}`;
/** Schedules of a campaign, by what they bring about; the workflows that they start bear the time too. */
export const campaignScheduleId = (campaignId: string, occasion: 'start' | 'recurrence'): string =>
  `campaign-${occasion}:${campaignId}`;
export const RECONCILER_SCHEDULE_ID = 'reconciler';

/** Workflows and the activities that need no media. */
export const MAIN_TASK_QUEUE = 'trunkline';
/** Any media node: place a call. */
export const MEDIA_TASK_QUEUE = 'media';
/** One node: everything that concerns a call it already has. */
export const mediaNodeTaskQueue = (nodeId: string): string => `media:${nodeId}`;

/** Value of the search attribute `MediaNodeId`: a node's id may contain slashes, a boot's never. */
export const mediaNodeAttribute = (nodeId: string, bootId: string): string => `${nodeId}/${bootId}`;
/** Null for what is no such value. */
export function readMediaNodeAttribute(value: unknown): NodeBoot | null {
  if (typeof value !== 'string') return null;
  const at = value.lastIndexOf('/');
  return at < 0 ? null : { nodeId: value.slice(0, at), bootId: value.slice(at + 1) };
}

export const SEARCH_ATTRIBUTES = [
  'OrgId',
  'AgentId',
  'TrunkId',
  'CampaignId',
  'Direction',
  'CallStatus',
  'Disposition',
  'SipCallId',
  'MediaNodeId',
] as const;
