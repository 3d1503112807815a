/** Workflow ids, types, task queues and search attributes: what an operator sees in Temporal's UI (docs: Temporal). */
export const callWorkflowId = (callId: string): string => `call:${callId}`;
export const mediaNodeWorkflowId = (nodeId: string): string => `media-node:${nodeId}`;
export const RECONCILER_SCHEDULE_ID = 'reconciler';

/** Workflows and the activities that need no media. */
export const MAIN_TASK_QUEUE = 'trunkline';
/** Any media node: place a call. */
export const MEDIA_TASK_QUEUE = 'media';
/** One node: everything that concerns a call it already has. */
export const mediaNodeTaskQueue = (nodeId: string): string => `media:${nodeId}`;

/** Value of the search attribute `MediaNodeId`. */
export const mediaNodeAttribute = (nodeId: string, bootId: string): string => `${nodeId}/${bootId}`;

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
