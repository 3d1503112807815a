import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { MAIN_TASK_QUEUE, RECONCILER_SCHEDULE_ID } from '../workflows/ids';

const EVERY = '10s';
const LIMIT_MS = 5_000;

/** Idempotent: every worker does it at its start. Rejects while Temporal is away. */
export async function ensureReconcilerSchedule(client: Client): Promise<void> {
  try {
    await client.connection.withDeadline(Date.now() + LIMIT_MS, () =>
      client.schedule.create({
        scheduleId: RECONCILER_SCHEDULE_ID,
        spec: { intervals: [{ every: EVERY }] },
        action: {
          type: 'startWorkflow',
          workflowType: 'reconcilerWorkflow',
          workflowId: 'reconciler',
          taskQueue: MAIN_TASK_QUEUE,
          args: [],
          workflowRunTimeout: '2 minutes',
          staticSummary: 'Compares store, workflows and media nodes',
        },
        // After an outage one run sees everything.
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10s' },
      }),
    );
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
