import type { InboundRequest, RoutingDecision, StartInboundResult } from '../../../contract/directory';
import type { CallEnding } from '../../../contract/endings';
import { inboundCallId } from '../../../store/ids';
import type { InboundCallInput } from '../../../workflows/call/input';
import { verifySignal } from '../../../workflows/call/messages';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { grpcStatus } from '../../../workflows/client/grpc-status';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

const CANCELED: CallEnding = { ...PEER_HANGUP, disposition: 'canceled' };

let env: WorkflowEnvironment;
let node: FakeNode;
/** Calls that were turned away: whether their workflows have begun was not known in time. */
let abandoned: string;
let repeated: string;
let slow: InboundCallInput;
let answered: InboundCallInput;
let unheard: InboundCallInput;
/** Temporal takes no word on `unheard` until then. */
let heard = false;
let startedMs = 0;

/** As the node receives it. */
async function received(sipCallId: string): Promise<StartInboundResult> {
  const { trunkId, orgId, agentId } = env;
  const request = { trunkId, orgId, sipCallId, fromTag: 'tag', cseq: 1, privacy: [] } as unknown as InboundRequest;
  const agent = { id: agentId, maxCallDurationSeconds: 600 };
  const decision = { ok: true, agent, rule: 'fallback', steps: [], dialedNumber: '+1', callerNumber: '+2' };
  return await node.services.directory.startInbound(request, decision as unknown as RoutingDecision & { ok: true });
}

/** Its id. */
async function turnedAway(sipCallId: string): Promise<string> {
  expect(await received(sipCallId)).toEqual({ ok: false, reason: 'unavailable' });
  return inboundCallId(env.trunkId, sipCallId, 'tag', 1);
}

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  startedMs = performance.now();
  node = await env.startNode();
  const temporal = new CallWorkflows({ client: env.client, limitMs: 5_000 });
  const tellTemporal = temporal.signalEvent.bind(temporal);
  const startWorkflow = temporal.start.bind(temporal);
  jest.spyOn(CallWorkflows.prototype, 'signalEvent').mockImplementation(async (callId, signal) => {
    if (callId === unheard.callId && !heard) throw new Error('away');
    return await tellTemporal(callId, signal);
  });
  const starts = jest.spyOn(CallWorkflows.prototype, 'start').mockImplementation(async (input) => {
    await startWorkflow(input);
    throw Object.assign(new Error('too late'), { code: grpcStatus.DEADLINE_EXCEEDED, details: 'too late' });
  });
  // All are asked for at the same time.
  abandoned = await turnedAway('given-up');
  repeated = await turnedAway('sent-again');
  starts.mockImplementationOnce(startWorkflow);
  expect(await received('sent-again')).toMatchObject({ ok: true, callId: repeated });
  node.control.inbound(repeated, env.orgId, 'sent-again');
  slow = await env.receiveCall(node);
  answered = await env.receiveCall(node);
  unheard = await env.receiveCall(node);
  node.control.answer(answered.callId);
  await env.rowIs(answered.callId, 'in_progress');
  node.control.end(unheard.callId, CANCELED);
  for (const { callId } of [slow, answered, unheard])
    await env.handle(callId).signal(verifySignal, { bootId: node.bootId });
  await new Promise((resolve) => setTimeout(resolve, 11_000));
}, 60_000);

afterAll(async () => {
  jest.restoreAllMocks();
  await env.close();
}, 60_000);

test('a call that was turned away and had begun: its workflow asks, and ends as setup_abandoned', async () => {
  expect(await env.finished(abandoned, 15_000)).toMatchObject({
    disposition: 'failed',
    endReason: 'setup_abandoned',
    truncated: true,
  });
}, 30_000);

test('its caller has sent the INVITE again: the call goes on', async () => {
  expect((await env.row(repeated))?.status).toBe('ringing');
  node.control.answer(repeated);
  node.control.end(repeated, PEER_HANGUP);
  expect(await env.finished(repeated)).toMatchObject({ disposition: 'answered', truncated: false });
}, 30_000);

test('asked for, and the word that it has ended is on its way: for as long as that takes', async () => {
  // Twice the wait for the last word of a node that has none to say, and more.
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

test('asked for, and the node says answered: the call goes on', async () => {
  expect((await env.row(answered.callId))?.status).toBe('in_progress');
  node.control.end(answered.callId, PEER_HANGUP);
  expect(await env.finished(answered.callId)).toMatchObject({ disposition: 'answered', truncated: false });
}, 30_000);

test('asked for, and the node is still at it: the call goes on', async () => {
  expect((await env.row(slow.callId))?.status).toBe('ringing');
  node.control.answer(slow.callId);
  await env.rowIs(slow.callId, 'in_progress');
  node.control.end(slow.callId, PEER_HANGUP);
  expect(await env.finished(slow.callId)).toMatchObject({ disposition: 'answered' });
}, 30_000);
