import { isDeepStrictEqual } from 'node:util';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { timedRequest } from '../workflows/client/timed-request';
import { MAIN_TASK_QUEUE, RECONCILER_SCHEDULE_ID } from '../workflows/ids';

/** Asked about a schedule that has just changed, the server sometimes takes 5 s (measured). */
const LIMIT_MS = 10_000;

/** Durations are in ms, as the server describes them, so that the two can be compared. */
const DEFINITION = {
  spec: { intervals: [{ every: 10_000 }] },
  action: {
    type: 'startWorkflow',
    workflowType: 'reconcilerWorkflow',
    workflowId: 'reconciler',
    taskQueue: MAIN_TASK_QUEUE,
    args: [],
    // A run ends by itself after an hour.
    workflowRunTimeout: 7_200_000,
    staticSummary: 'Compares store, workflows and media nodes',
  },
  // One run at a time: the interval is how soon the next one begins, also after an outage.
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 10_000 },
} satisfies Omit<ScheduleOptions, 'scheduleId'>;

/**
 * Every worker does it at its start: makes the schedule, or makes an existing one what this release wants of it. Rejects
 * while Temporal is away, and also when others ask for the schedule at the same moment: the server takes one question at a
 * time. Harmless to repeat.
 */
export async function ensureReconcilerSchedule(client: Client): Promise<void> {
  await timedRequest<void>({ client, deadlineMs: Date.now() + LIMIT_MS }, async () => {
    try {
      await client.schedule.create({ scheduleId: RECONCILER_SCHEDULE_ID, ...DEFINITION });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await bringUpToDate(client);
    }
  });
}

async function bringUpToDate(client: Client): Promise<void> {
  const schedule = client.schedule.getHandle(RECONCILER_SCHEDULE_ID);
  const { spec, action, policies } = await schedule.describe();
  if (isDeepStrictEqual(stated({ spec, action, policies }), stated(DEFINITION))) return;
  // What an operator has paused stays so.
  await schedule.update(({ state }) => ({ ...DEFINITION, state }));
}

/** Without what is left to its default, which the server describes as empty. */
function stated(definition: unknown): unknown {
  return JSON.parse(JSON.stringify(definition), (_, value: unknown) => (isEmpty(value) ? undefined : value));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === false;
}
