import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleDescription } from '@temporalio/client';
import { ensureReconcilerSchedule } from '../../../activities/reconciler-schedule';
import { MAIN_TASK_QUEUE, RECONCILER_SCHEDULE_ID } from '../../../workflows/ids';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

/** For the server to apply an update. */
const UPDATE_LIMIT_MS = 10_000;
/** A question that takes 5 s keeps out all others until then. */
const START_LIMIT_MS = 20_000;

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterEach(async () => {
  jest.restoreAllMocks();
  await env.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).delete();
});

afterAll(async () => {
  await env.close();
}, 60_000);

const describeSchedule = () => env.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).describe();

/** As an earlier release may have made it: another interval, task queue, timeout and policy, and a jitter. */
async function createOldSchedule(): Promise<void> {
  await env.client.schedule.create({
    scheduleId: RECONCILER_SCHEDULE_ID,
    spec: { intervals: [{ every: '1m' }], jitter: '5s' },
    action: {
      type: 'startWorkflow',
      workflowType: 'reconcilerWorkflow',
      workflowId: 'reconciler',
      taskQueue: 'earlier',
      args: [],
    },
    policies: { overlap: ScheduleOverlapPolicy.BUFFER_ONE, pauseOnFailure: true },
  });
}

/** As a worker's process does it: again until it works. */
async function startWorker(): Promise<void> {
  await waitFor('the schedule', START_LIMIT_MS, async () => {
    try {
      await ensureReconcilerSchedule(env.client);
      return true;
    } catch {
      return undefined; // another worker asks at the same moment
    }
  });
}

async function whenUpdated(): Promise<ScheduleDescription> {
  return await waitFor('the update', UPDATE_LIMIT_MS, async () => {
    const description = await describeSchedule();
    return description.info.lastUpdatedAt === undefined ? undefined : description;
  });
}

function expectWanted({ spec, action, policies }: ScheduleDescription): void {
  expect(spec).toMatchObject({ intervals: [{ every: 10_000 }], jitter: undefined });
  expect(action).toMatchObject({ taskQueue: MAIN_TASK_QUEUE, workflowRunTimeout: 7_200_000 });
  expect(policies).toEqual({ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 10_000, pauseOnFailure: false });
}

test('an existing schedule becomes what this release wants, however many workers start at once', async () => {
  await createOldSchedule();
  await Promise.all([startWorker(), startWorker(), startWorker()]);
  const updated = await whenUpdated();
  expectWanted(updated);
  expect(updated.state.paused).toBe(false);
});

test('it is updated once: who comes later finds it as wanted', async () => {
  await createOldSchedule();
  const update = jest.spyOn(env.client.schedule.workflowService, 'updateSchedule');
  await startWorker();
  expect(update).toHaveBeenCalledTimes(1);
  const { info } = await whenUpdated();
  await startWorker();
  expect(update).toHaveBeenCalledTimes(1);
  expect((await describeSchedule()).info.lastUpdatedAt).toEqual(info.lastUpdatedAt);
});

test('what an operator has paused stays paused, with his note', async () => {
  await createOldSchedule();
  await env.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).pause('maintenance');
  await startWorker();
  const updated = await whenUpdated();
  expectWanted(updated);
  expect(updated.state).toMatchObject({ paused: true, note: 'maintenance' });
});

test('a schedule that is as wanted is left alone', async () => {
  await startWorker();
  const update = jest.spyOn(env.client.schedule.workflowService, 'updateSchedule');
  await startWorker();
  expect(update).not.toHaveBeenCalled();
  const made = await describeSchedule();
  expectWanted(made);
  expect(made.info.lastUpdatedAt).toBeUndefined();
});
