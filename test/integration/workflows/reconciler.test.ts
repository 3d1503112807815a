import { ensureReconcilerSchedule } from '../../../activities/reconciler-schedule';
import { RECONCILER_SCHEDULE_ID } from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { until, WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  await ensureReconcilerSchedule(env.client);
}, 60_000);

afterAll(async () => {
  await env.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).delete();
  await env.close();
}, 60_000);

async function settled(): Promise<Record<string, number>> {
  const { values } = await env.settled.get();
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels.cause), value]));
}

test('the schedule is made once, however often workers start', async () => {
  await ensureReconcilerSchedule(env.client);
  const { spec } = await env.client.schedule.getHandle(RECONCILER_SCHEDULE_ID).describe();
  expect(spec.intervals).toMatchObject([{ every: 10_000 }]);
}, 30_000);

test('calls that go their way are never touched, forgotten and orphaned ones are settled', async () => {
  const healthy = await env.receiveCall(node);
  const terminated = await env.receiveCall(node);
  const forgotten = await env.receiveCall(node);
  const silentOrphan = await env.receiveCall(node);
  for (const { callId } of [healthy, terminated, forgotten]) {
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
  }
  await env.rowIs(silentOrphan.callId, 'ringing');
  await env.handle(terminated.callId).terminate('operator');
  await env.handle(silentOrphan.callId).terminate('operator');
  node.control.forget(silentOrphan.callId);
  node.control.forget(forgotten.callId);

  // The terminated call's live half ends within 30 s, and both records are closed.
  await until('the end of the live call', 30_000, () =>
    node.control.lost.includes(terminated.callId) ? true : undefined,
  );
  expect(await env.rowIs(terminated.callId, 'completed', 15_000)).toMatchObject({
    disposition: 'answered',
    endReason: 'workflow_lost',
    truncated: true,
  });
  expect(await env.rowIs(silentOrphan.callId, 'completed', 15_000)).toMatchObject({
    disposition: 'failed',
    endReason: 'workflow_lost',
  });
  expect(await env.finished(forgotten.callId, 30_000)).toMatchObject({ disposition: 'answered', endReason: 'error' });

  expect(node.control.listCalls().map(({ callId }) => callId)).toEqual([healthy.callId]);
  expect(await settled()).toEqual({ live_without_workflow: 1, open_without_workflow: 2, forgotten_by_node: 1 });
  node.control.end(healthy.callId, PEER_HANGUP);
  expect(await env.finished(healthy.callId)).toMatchObject({ endReason: 'caller_hangup' });
}, 90_000);
