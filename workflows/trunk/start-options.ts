import { TypedSearchAttributes } from '@temporalio/common';
import { MAIN_TASK_QUEUE, trunkWorkflowId } from '../ids';
import { DIRECTION, ORG_ID, TRUNK_ID } from '../search-attributes';
import type { TrunkIdentity, TrunkInput } from './messages';
import { TRUNK_DETAILS, trunkSummary } from './presentation';

export interface TrunkStartOptions {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly args: [TrunkInput];
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly staticSummary: string;
  readonly staticDetails: string;
}

/** How a trunk's workflow is started, whoever tells it something first. */
export function trunkStartOptions({ orgId, trunkId, direction }: TrunkIdentity): TrunkStartOptions {
  const trunk = { orgId, trunkId, direction };
  return {
    workflowId: trunkWorkflowId(trunkId),
    taskQueue: MAIN_TASK_QUEUE,
    args: [trunk],
    typedSearchAttributes: new TypedSearchAttributes([
      { key: ORG_ID, value: orgId },
      { key: TRUNK_ID, value: trunkId },
      { key: DIRECTION, value: direction },
    ]),
    staticSummary: trunkSummary(trunk),
    staticDetails: TRUNK_DETAILS,
  };
}
