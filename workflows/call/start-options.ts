import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { callWorkflowId, MAIN_TASK_QUEUE, mediaNodeAttribute } from '../ids';
import { CAMPAIGN_ID, DIRECTION, ORG_ID, TRUNK_ID } from '../search-attributes';
import type { CallInput, CallMemo } from './input';

const AGENT_ID = defineSearchAttributeKey('AgentId', 'KEYWORD');
export const CALL_STATUS = defineSearchAttributeKey('CallStatus', 'KEYWORD');
export const DISPOSITION = defineSearchAttributeKey('Disposition', 'KEYWORD');
export const SIP_CALL_ID = defineSearchAttributeKey('SipCallId', 'KEYWORD');
export const MEDIA_NODE_ID = defineSearchAttributeKey('MediaNodeId', 'KEYWORD');

/** Of a call that a node has: how far it is stands in its record, and changes too often to be told here. */
export const LIVE = 'live';

/**
 * Of a call that has come in there is nothing to be done before it ends or somebody asks for something, so calls that come
 * together are answered before the worker has to do with them. An update begins the first task at once; a signal does not:
 * the record of a call that ends sooner is closed then.
 */
const FIRST_TASK_AFTER = '500ms';

/** What a SQL visibility store can hold of a keyword; a peer's Call-ID may be longer. */
const MAX_KEYWORD_CHARS = 255;

export interface CallStartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [CallInput];
  readonly workflowIdReusePolicy: 'REJECT_DUPLICATE';
  readonly workflowIdConflictPolicy: 'USE_EXISTING' | 'FAIL';
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly memo: Record<string, unknown>;
  readonly staticSummary: string;
  readonly startDelay?: string;
}

/**
 * How a call's workflow is started, whoever starts it: once per callId for ever. A repeated POST meets the existing
 * workflow, a repeated INVITE an error whose cause the memo tells.
 */
export function callStartOptions(input: CallInput, memo: Pick<CallMemo, 'bodyHash'> = {}): CallStartOptions {
  const inbound = input.direction === 'inbound';
  const attributes: SearchAttributePair[] = [
    { key: ORG_ID, value: input.orgId },
    { key: TRUNK_ID, value: input.trunkId },
    { key: DIRECTION, value: input.direction },
    { key: CALL_STATUS, value: inbound ? LIVE : input.scheduledAtMs === undefined ? 'queued' : 'scheduled' },
  ];
  if (input.agentId !== null) attributes.push({ key: AGENT_ID, value: input.agentId });
  if (!inbound && input.campaign !== undefined) {
    attributes.push({ key: CAMPAIGN_ID, value: input.campaign.campaignId });
  }
  if (inbound) {
    attributes.push(
      { key: SIP_CALL_ID, value: keyword(input.sipCallId) },
      { key: MEDIA_NODE_ID, value: mediaNodeAttribute(input.nodeId, input.bootId) },
    );
  }
  return {
    workflowId: callWorkflowId(input.callId),
    taskQueue: MAIN_TASK_QUEUE,
    args: [input],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: inbound ? 'FAIL' : 'USE_EXISTING',
    typedSearchAttributes: new TypedSearchAttributes(attributes),
    memo: { ...memo, ...(inbound ? { nodeId: input.nodeId, bootId: input.bootId } : {}) },
    ...(inbound && input.rowByNode === true ? { startDelay: FIRST_TASK_AFTER } : {}),
    staticSummary: inbound
      ? `Inbound call to agent ${input.agentId} (rule ${input.routingRule})`
      : `Outbound call ${input.agentId === null ? 'with a code' : `by agent ${input.agentId}`} over trunk ${input.trunkId}`,
  };
}

export function keyword(value: string): string {
  return value.slice(0, MAX_KEYWORD_CHARS);
}
