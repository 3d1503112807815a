import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { MAIN_TASK_QUEUE, trunkCheckWorkflowId } from '../ids';
import type { TrunkCheckInput } from './messages';

const ORG_ID = defineSearchAttributeKey('OrgId', 'KEYWORD');
const TRUNK_ID = defineSearchAttributeKey('TrunkId', 'KEYWORD');
/** Longer than any check takes: nothing is left behind by servers that were away in the middle. */
const LIMIT = '60s';

export interface TrunkCheckStartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [TrunkCheckInput];
  readonly workflowIdReusePolicy: 'ALLOW_DUPLICATE';
  readonly workflowIdConflictPolicy: 'FAIL';
  readonly workflowExecutionTimeout: '60s';
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly staticSummary: string;
}

/** One check of a trunk at a time, and as many as one likes one after the other. */
export function trunkCheckStartOptions(input: TrunkCheckInput): TrunkCheckStartOptions {
  const { kind, orgId, trunkId } = input;
  return {
    workflowId: trunkCheckWorkflowId(trunkId),
    taskQueue: MAIN_TASK_QUEUE,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    workflowExecutionTimeout: LIMIT,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: ORG_ID, value: orgId },
      { key: TRUNK_ID, value: trunkId },
    ]),
    staticSummary: `Check of ${kind} trunk ${trunkId}`,
  };
}
