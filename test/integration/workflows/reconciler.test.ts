import { ensureReconcilerSchedule } from '../../../activities/reconciler-schedule';
import { sealLeg } from '../../../store/call-control';
import { uuidV7 } from '../../../store/ids';
import { nodeLostSignal, transferUpdate } from '../../../workflows/call/messages';
import type { TransferAcceptance, TransferRequest } from '../../../workflows/call/messages';
import { RECONCILER_SCHEDULE_ID, transferWorkflowId } from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
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
  await waitFor('the end of the live call', 30_000, () =>
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

/** Whose phone is ringing, and will be for a while. */
async function transferring(callId: string): Promise<string> {
  const transferId = uuidV7();
  const leg = {
    legId: transferId,
    target: { type: 'phone', number: '+15557771234' },
    name: null,
    trunkId: env.trunkId,
    ringTimeoutSeconds: 120,
    sessionId: null,
    agentId: null,
    contactId: null,
  } as const;
  const request: TransferRequest = {
    transferId,
    ways: ['bridge'],
    announce: null,
    leg: sealLeg(env.secrets, { orgId: env.orgId, callId }, leg),
    ringTimeoutSeconds: 120,
    requestedAtMs: Date.now(),
  };
  node.control.controlEffect = () => null;
  const options = { args: [request] as [TransferRequest], updateId: transferId };
  await env.handle(callId).executeUpdate<TransferAcceptance, [TransferRequest]>(transferUpdate, options);
  await waitFor('the dial', 5_000, () =>
    node.control.controls.find((sent) => sent.callId === callId && sent.control.type === 'dialLeg'),
  );
  return transferId;
}

const isRunning = async (transferId: string): Promise<boolean> =>
  (await env.client.workflow.getHandle(transferWorkflowId(transferId)).describe()).status.name === 'RUNNING';

test('a transfer does not outlive the workflow of its call: it is over, its record says how, and its leg ends', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  const transferId = await transferring(callId);
  await env.handle(callId).terminate('operator');
  expect(await env.rowIs(callId, 'completed', 40_000)).toMatchObject({
    endReason: 'workflow_lost',
    transfer: {
      id: transferId,
      mode: 'bridge',
      outcome: 'call_ended',
      failedStep: 'dial',
      durationMs: expect.any(Number),
    },
  });
  const { items } = await env.events.list(env.orgId, callId);
  expect(items.filter(({ source }) => source === 'workflow').map(({ type }) => type)).toEqual([
    'call.started',
    'transfer.requested',
    'transfer.failed',
    'call.ended',
  ]);
  expect(await isRunning(transferId)).toBe(false);
  // The call has the leg, and with it the node ends both.
  expect(node.control.lost).toContain(callId);
}, 90_000);

test('a transfer of a lost node ends with its call, typed, and does not live on', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  const transferId = await transferring(callId);
  await env.handle(callId).signal(nodeLostSignal, { bootId: node.bootId });
  expect(await env.finished(callId, 30_000)).toMatchObject({
    endReason: 'media_node_lost',
    transfer: { id: transferId, outcome: 'call_ended', failedStep: 'dial' },
  });
  expect(await isRunning(transferId)).toBe(false);
  // For the reconciler of the other tests: the fake node has not died.
  node.control.forget(callId);
}, 60_000);
