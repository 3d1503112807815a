/** The first half second of a call that came in: its node stores the row, and the first task of its workflow is still to come. */
import { callStartOptions } from '../../../workflows/call/start-options';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('a hang-up of the API is done', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
  expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', endReason: 'api_hangup' });
}, 30_000);

test('a call that is over in less than that costs one task, by which its record is closed', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
  expect(await env.historyLength(callId)).toBe(8);
}, 30_000);

test('a row that its node has not come to store is made at the end of the call, with all that is known of it', async () => {
  const input = env.inboundInput(node);
  await env.client.workflow.start('callWorkflow', callStartOptions(input));
  node.control.inbound(input.callId, env.orgId, input.sipCallId);
  node.control.answer(input.callId);
  node.control.end(input.callId, PEER_HANGUP);
  const row = await env.finished(input.callId);
  expect(row).toMatchObject({ disposition: 'answered', truncated: false, agentId: env.agentId, bootId: node.bootId });
  expect(row.answeredAt).not.toBeNull();
}, 30_000);
