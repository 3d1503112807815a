import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import type { CallStoreActivities } from '../workflows/call/activities';
import type { CampaignControlActivities } from '../workflows/campaign/activities';
import { MAIN_TASK_QUEUE } from '../workflows/ids';
import type { NumberVerificationActivities } from '../workflows/numbers/activities';
import type { NodeLossActivities } from '../workflows/node/activities';
import type { NumberSyncActivities } from '../workflows/numbers/sync/activities';
import type { EarlierReconcileActivities, ReconcileActivities } from '../workflows/reconciler/activities';
import type { TransferActivities } from '../workflows/transfer/activities';
import { WORKFLOW_BUILD_ID } from '../workflows/revision';
import type { TrunkActivities } from '../workflows/trunk/activities';
import { safeFailures } from './safe-failures';

export interface MainWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /** Path of the bundle made from `workflows/index.ts`, or its code. */
  readonly workflowBundle: { readonly codePath: string } | { readonly code: string };
  readonly activities: CallStoreActivities &
    CampaignControlActivities &
    NodeLossActivities &
    NumberVerificationActivities &
    ReconcileActivities &
    EarlierReconcileActivities &
    TransferActivities &
    TrunkActivities &
    NumberSyncActivities;
  readonly maxCachedWorkflows: number;
  readonly maxActivities: number;
}

/** Workflows, and the activities that need no media, but for the turns of campaigns. */
export async function createMainWorker(options: MainWorkerOptions): Promise<Worker> {
  return await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    identity: options.identity,
    buildId: WORKFLOW_BUILD_ID,
    taskQueue: MAIN_TASK_QUEUE,
    workflowBundle: options.workflowBundle,
    activities: options.activities,
    interceptors: { activity: [safeFailures] },
    maxCachedWorkflows: options.maxCachedWorkflows,
    maxConcurrentActivityTaskExecutions: options.maxActivities,
    maxHeartbeatThrottleInterval: '200ms',
    // A worker that was killed gives its workflows to another one after this.
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: '2s',
    shutdownForceTime: '10s',
  });
}
