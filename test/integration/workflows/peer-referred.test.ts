/** The peer refers us to somebody of its own: the call's workflow says, once, that the node is to call there. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Worker } from '@temporalio/worker';

import type { LegDial } from '../../../contract/transfers';
import { sealLeg } from '../../../store/call-control';
import { uuidV7 } from '../../../store/ids';
import { transferUpdate } from '../../../workflows/call/messages';
import type { TransferAcceptance, TransferRequest } from '../../../workflows/call/messages';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { workflowBundle } from './workflow-bundle';
import type { FakeNode } from './environment';

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(() => env.close(), 60_000);

beforeEach(() => {
  node.control.controls.length = 0;
  node.control.controlAnswer = 'done';
  node.control.controlEffect = () => null;
});

async function answered(): Promise<string> {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  return callId;
}

const followed = (referId: string): Promise<boolean> =>
  waitFor('the word of the workflow', 10_000, () => {
    const sent = node.control.controls.flatMap(({ control, commandId }) =>
      control.type === 'followRefer' && control.referId === referId ? [{ control, commandId }] : [],
    );
    expect(sent.length).toBeLessThan(2);
    return sent[0] === undefined ? undefined : sent[0].control.follow;
  });

/** By API, as it would be answered. */
function transfer(callId: string): Promise<TransferAcceptance> {
  const transferId = uuidV7();
  const leg: LegDial = {
    legId: transferId,
    target: { type: 'phone', number: '+15557771234' },
    name: null,
    trunkId: env.trunkId,
    ringTimeoutSeconds: 20,
    sessionId: null,
    agentId: null,
    contactId: null,
  };
  const request: TransferRequest = {
    transferId,
    ways: ['bridge'],
    announce: null,
    leg: sealLeg(env.secrets, { orgId: env.orgId, callId }, leg),
    ringTimeoutSeconds: 20,
    requestedAtMs: Date.now(),
  };
  return env
    .handle(callId)
    .executeUpdate<TransferAcceptance, [TransferRequest]>(transferUpdate, { args: [request], updateId: transferId });
}

test('is followed; no transfer of ours begins meanwhile, and one may afterwards', async () => {
  const callId = await answered();
  const referId = randomUUID();
  node.control.referred(callId, referId, 'accepted', 202);
  expect(await followed(referId)).toBe(true);
  expect(await transfer(callId)).toEqual({ outcome: 'refused', code: 'transferring' });
  node.control.referred(callId, referId, 'done', 200);
  await waitFor('a transfer to be taken', 5_000, async () =>
    (await transfer(callId)).outcome === 'accepted' ? true : undefined,
  );
  // While that is under way the peer's word is not followed.
  const another = randomUUID();
  node.control.referred(callId, another, 'accepted', 202);
  expect(await followed(another)).toBe(false);
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 60_000);

test('costs the history little, and a worker that takes it over does the same', async () => {
  const callId = await answered();
  const length = async (): Promise<number> => (await env.handle(callId).fetchHistory()).events?.length ?? 0;
  const before = await length();
  const referId = randomUUID();
  node.control.referred(callId, referId, 'accepted', 202);
  await followed(referId);
  node.control.referred(callId, referId, 'failed', 486);
  await sleep(500);
  expect((await length()) - before).toBeLessThanOrEqual(20);
  const replay = async (): Promise<void> => {
    const history = await env.handle(callId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history);
  };
  await replay();
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
  await replay();
}, 60_000);

test('that the node does not wait for any more is forgotten', async () => {
  const callId = await answered();
  node.control.controlAnswer = { ok: false, code: 'ended' };
  const referId = randomUUID();
  node.control.referred(callId, referId, 'accepted', 202);
  await followed(referId);
  node.control.controlAnswer = 'done';
  await waitFor('a transfer to be taken', 5_000, async () =>
    (await transfer(callId)).outcome === 'accepted' ? true : undefined,
  );
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 60_000);
