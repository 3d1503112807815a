import { Worker } from '@temporalio/worker';
import type { CampaignDialActivities, CampaignGuardActivities } from '../../workflows/campaign/activities';
import { CAMPAIGN_TASK_QUEUE } from '../../workflows/ids';
import type { MainWorkerOptions } from '../main-worker';
import { beating } from '../beating';
import { safeFailures } from '../safe-failures';

/** Turns of many campaigns wait for each other here, and nothing else for them; nor do they take all connections of the store. */
const SLOTS = 8;

export interface CampaignWorkerOptions extends Pick<MainWorkerOptions, 'connection' | 'namespace' | 'identity'> {
  readonly activities: CampaignDialActivities & CampaignGuardActivities;
}

/** The turns of campaigns, on a queue of their own. */
export async function createCampaignWorker(options: CampaignWorkerOptions): Promise<Worker> {
  const { activities, ...place } = options;
  return await Worker.create({
    ...place,
    taskQueue: CAMPAIGN_TASK_QUEUE,
    activities: {
      ...activities,
      dialDue: (turn: Parameters<typeof activities.dialDue>[0]) => beating(() => activities.dialDue(turn)),
    },
    interceptors: { activity: [safeFailures] },
    maxConcurrentActivityTaskExecutions: SLOTS,
    maxHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '2s',
    shutdownForceTime: '10s',
  });
}
