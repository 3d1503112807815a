import type { CallEnding } from '../../../contract/endings';
import type { InboundCallInput } from '../../../workflows/call/input';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

const CANCELED: CallEnding = { ...PEER_HANGUP, disposition: 'canceled' };

let env: WorkflowEnvironment;
let node: FakeNode;
let abandoned: InboundCallInput;
let slow: InboundCallInput;
let adopted: InboundCallInput;
let unheard: InboundCallInput;
/** Temporal takes no word on `unheard` until then. */
let heard = false;
let startedMs = 0;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  startedMs = performance.now();
  node = await env.startNode();
  const temporal = new CallWorkflows({ client: env.client, limitMs: 5_000 });
  const tellTemporal = temporal.signalEvent.bind(temporal);
  jest.spyOn(CallWorkflows.prototype, 'signalEvent').mockImplementation(async (callId, signal) => {
    if (callId === unheard.callId && !heard) throw new Error('away');
    return await tellTemporal(callId, signal);
  });
  // All wait for answerBy at the same time.
  abandoned = await env.receiveCall(node);
  slow = await env.receiveCall(node);
  adopted = await env.receiveCall(node);
  unheard = await env.receiveCall(node);
  node.control.forget(abandoned.callId);
  node.control.end(unheard.callId, CANCELED);
  // Answered, but the event is held back: only the node's own word tells.
  const call = node.control.calls.get(adopted.callId);
  if (call !== undefined) call.state = 'answered';
  await new Promise((resolve) => setTimeout(resolve, 11_000));
}, 60_000);

afterAll(async () => {
  jest.restoreAllMocks();
  await env.close();
}, 60_000);

test('answerBy passed and the node has no such call: setup_abandoned', async () => {
  expect(await env.finished(abandoned.callId, 15_000)).toMatchObject({
    disposition: 'failed',
    endReason: 'setup_abandoned',
    truncated: true,
  });
}, 30_000);

test('answerBy passed and the word that the call has ended is on its way, for as long as it takes', async () => {
  // answerBy, and twice the wait for the last word of a node that has none to say.
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedMs + 21_000 - performance.now())));
  expect((await env.row(unheard.callId))?.endedAt).toBeNull();
  heard = true;
  const row = await env.finished(unheard.callId);
  expect(row).toMatchObject({
    disposition: 'canceled',
    endReason: 'caller_hangup',
    endedBy: 'caller',
    truncated: false,
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
