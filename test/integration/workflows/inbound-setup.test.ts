import type { InboundCallInput } from '../../../workflows/call/input';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

let env: WorkflowEnvironment;
let node: FakeNode;
let abandoned: InboundCallInput;
let slow: InboundCallInput;
let adopted: InboundCallInput;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  // All three wait for answerBy at the same time.
  abandoned = await env.receiveCall(node);
  slow = await env.receiveCall(node);
  adopted = await env.receiveCall(node);
  node.control.forget(abandoned.callId);
  // Answered, but the event is held back: only the node's own word tells.
  const call = node.control.calls.get(adopted.callId);
  if (call !== undefined) call.state = 'answered';
  await new Promise((resolve) => setTimeout(resolve, 11_000));
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('answerBy passed and the node has no such call: setup_abandoned', async () => {
  expect(await env.finished(abandoned.callId, 15_000)).toMatchObject({
    disposition: 'failed',
    endReason: 'setup_abandoned',
    truncated: true,
  });
}, 30_000);

test('answerBy passed and the node says answered: the call is adopted', async () => {
  expect((await env.rowIs(adopted.callId, 'in_progress')).answeredAt).not.toBeNull();
  node.control.end(adopted.callId, PEER_HANGUP);
  expect(await env.finished(adopted.callId)).toMatchObject({ disposition: 'answered', truncated: false });
}, 30_000);

test('answerBy passed and the node is still at it: the call goes on', async () => {
  expect((await env.row(slow.callId))?.status).toBe('ringing');
  node.control.answer(slow.callId);
  await env.rowIs(slow.callId, 'in_progress');
  node.control.end(slow.callId, PEER_HANGUP);
  expect(await env.finished(slow.callId)).toMatchObject({ disposition: 'answered' });
}, 30_000);
