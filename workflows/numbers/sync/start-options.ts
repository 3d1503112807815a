import { TypedSearchAttributes } from '@temporalio/common';
import { MAIN_TASK_QUEUE, numberSyncWorkflowId } from '../../ids';
import { ORG_ID, TRUNK_ID } from '../../search-attributes';
import type { NumberSyncInput } from './messages';

export interface NumberSyncStartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [NumberSyncInput];
  readonly workflowIdConflictPolicy: 'USE_EXISTING';
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/** A request joins the run that there is, or begins one. */
export function numberSyncStartOptions(input: NumberSyncInput): NumberSyncStartOptions {
  return {
    workflowId: numberSyncWorkflowId(input.orgId),
    taskQueue: MAIN_TASK_QUEUE,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: ORG_ID, value: input.orgId },
      { key: TRUNK_ID, value: input.trunkId },
    ]),
    staticSummary: `Number sync of organisation ${input.orgId}`,
    staticDetails:
      "Makes the inbound trunk list exactly the organisation's verified numbers, one sync after the other. Ends when nobody asks any more.",
  };
}
