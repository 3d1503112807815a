import type { CallEnding } from '../../../contract/endings';
import { uuidV7 } from '../../../store/ids';
import { startInbound } from '../../../media-node/inbound-start';
import { callEventSignal, callStatusQuery, nodeLostSignal } from '../../../workflows/call/messages';
import type { CallSnapshot } from '../../../workflows/call/messages';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { METRICS, PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { FIRST_MESSAGE, FROM, TO } from './environment-calls';
import type { FakeNode } from './environment';
import { giveUp, hangUp } from './hang-up';

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

const CALLEE_HANGUP: CallEnding = { ...PEER_HANGUP, endReason: 'callee_hangup', endedBy: 'callee' };

async function dialled(callId: string): Promise<void> {
  await waitFor('the INVITE', 5_000, () => (node.control.calls.has(callId) ? true : undefined));
}

describe('a plain call', () => {
  test('inbound: from the start over the answer to the record, in at most 30 history events', async () => {
    const { callId, sipCallId } = await env.receiveCall(node);
    node.control.ring(callId);
    const ringing = await env.rowIs(callId, 'ringing');
    expect(ringing).toMatchObject({ fromNumber: FROM, toNumber: TO, direction: 'inbound', sipCallId });
    node.control.answer(callId);
    const live = await env.rowIs(callId, 'in_progress');
    expect(live.answeredAt).not.toBeNull();
    node.control.say(callId, 0, 'Hello there.');
    node.control.end(callId, PEER_HANGUP);
    const row = await env.finished(callId);
    expect(row).toMatchObject({ disposition: 'answered', endReason: 'caller_hangup', truncated: false });
    expect(row.metrics).toEqual(METRICS);
    expect(await env.historyLength(callId)).toBeLessThanOrEqual(30);
  }, 30_000);

  test('outbound: from the accepted request over one INVITE to the record, in at most 30 history events', async () => {
    const input = env.outboundInput();
    const { callId } = input;
    expect(await env.placeCall(input)).toBe('accepted');
    expect(await env.row(callId)).toMatchObject({ fromNumber: FROM, toNumber: TO, metadata: { note: 'private' } });
    await dialled(callId);
    const dial = node.control.dials.find((command) => command.callId === callId);
    expect(dial).toMatchObject({ to: TO, callerNumber: FROM, firstMessage: FIRST_MESSAGE, sipCallId: dial?.attemptId });
    await env.rowIs(callId, 'ringing');
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, CALLEE_HANGUP);
    const row = await env.finished(callId);
    expect(row).toMatchObject({ disposition: 'answered', endReason: 'callee_hangup', nodeId: node.nodeId });
    expect(await env.attempts(callId)).toMatchObject([{ n: 1, state: 'finished', sipCallId: dial?.sipCallId }]);
    expect(await env.historyLength(callId)).toBeLessThanOrEqual(30);
  }, 30_000);

  test('is found by its search attributes and tells its state without the code', async () => {
    const input = env.outboundInput();
    await env.placeCall(input);
    await dialled(input.callId);
    node.control.answer(input.callId);
    await env.rowIs(input.callId, 'in_progress');
    const state: CallSnapshot = await env.handle(input.callId).query(callStatusQuery);
    expect(state).toMatchObject({ nodeId: node.nodeId, bootId: node.bootId, ending: null });
    node.control.end(input.callId, CALLEE_HANGUP);
    await env.finished(input.callId);

    const { typedSearchAttributes: attributes, staticSummary } = await env.handle(input.callId).describe();
    const values = Object.fromEntries(attributes.getAll().map(({ key, value }) => [key.name, value]));
    expect(values).toMatchObject({
      OrgId: env.orgId,
      AgentId: env.agentId,
      TrunkId: env.trunkId,
      Direction: 'outbound',
      CallStatus: 'completed',
      Disposition: 'answered',
      MediaNodeId: `${node.nodeId}/${node.bootId}`,
    });
    expect(await staticSummary()).toContain(env.agentId);
    const metadata = await env.handle(input.callId).query('__temporal_workflow_metadata');
    expect(JSON.stringify(metadata)).toContain('callee_hangup');
  }, 30_000);

  test('leaves neither numbers nor texts in its history', async () => {
    const input = env.outboundInput();
    await env.placeCall(input);
    await dialled(input.callId);
    node.control.answer(input.callId);
    node.control.say(input.callId, 0, 'Spoken words');
    node.control.end(input.callId, CALLEE_HANGUP);
    await env.finished(input.callId);
    const history = await env.plainHistory(input.callId);
    for (const secret of [FROM, TO, FROM.slice(1), TO.slice(1), FIRST_MESSAGE, 'Spoken words', 'private']) {
      expect(history.includes(secret)).toBe(false);
    }
    // The search itself works: what may be there is found.
    expect(history.includes(env.agentId)).toBe(true);
  }, 30_000);

  test('a repeated request finds the call it made', async () => {
    const input = env.outboundInput();
    await env.placeCall(input);
    await env.placeCall(input);
    await dialled(input.callId);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(node.control.dials.filter(({ callId }) => callId === input.callId)).toHaveLength(1);
    node.control.end(input.callId, { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null });
    expect(await env.finished(input.callId)).toMatchObject({
      disposition: 'busy',
      endReason: null,
      durationSeconds: 0,
    });
    expect(await env.placeCall(input)).toBe('closed');
    expect(node.control.dials.filter(({ callId }) => callId === input.callId)).toHaveLength(1);
  }, 30_000);
});

test('an API of an earlier release is told when the row is stored, or that the call was taken up too late', async () => {
  const input = env.outboundInput();
  const { callId } = input;
  expect(await env.acceptCall(input)).toEqual({ callId, accepted: true });
  expect(await env.row(callId)).not.toBeNull();
  await dialled(callId);
  expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
  await env.finished(callId);
  const late = env.outboundInput({ acceptByMs: Date.now() - 1_000 });
  expect(await env.acceptCall(late)).toEqual({ callId: late.callId, accepted: false });
  expect(await env.finished(late.callId)).toMatchObject({ disposition: 'expired' });
}, 30_000);

describe('state events', () => {
  test('count once, in order of their seq, and only from the boot that has the call', async () => {
    const { callId, sipCallId } = await env.receiveCall(node);
    const handle = env.handle(callId);
    const { nodeId, bootId } = node;
    const answered = {
      type: 'answered',
      seq: 4,
      atMs: Date.now(),
      nodeId,
      bootId,
      sipCallId,
      postDialDelayMs: null,
    } as const;
    const ended = {
      type: 'ended',
      seq: 3,
      atMs: Date.now(),
      nodeId,
      bootId,
      ending: PEER_HANGUP,
      metrics: METRICS,
    } as const;
    await handle.signal(callEventSignal, { ...ended, seq: 9, bootId: 'another-boot' });
    await handle.signal(nodeLostSignal, { bootId: 'another-boot' });
    await handle.signal(callEventSignal, answered);
    await handle.signal(callEventSignal, answered);
    await handle.signal(callEventSignal, ended);
    const state: CallSnapshot = await handle.query(callStatusQuery);
    expect(state).toMatchObject({ status: 'in_progress', answeredAtMs: answered.atMs, ending: null });
    await handle.signal(callEventSignal, { ...ended, seq: 5 });
    // Events 1…5 never came through the sink: the record is closed without them after 10 s.
    expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', truncated: true });
  }, 30_000);
});

describe('hang-up', () => {
  test('in a conversation: effective when BYE was sent; on the finished call nothing changes', async () => {
    const { callId } = await env.receiveCall(node);
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
    expect(await env.finished(callId)).toMatchObject({
      disposition: 'answered',
      endReason: 'api_hangup',
      endedBy: 'api',
    });
    expect(node.control.hangups.filter((command) => command.callId === callId)).toHaveLength(1);
    await expect(hangUp(env, callId)).rejects.toThrow(/already completed|not found/i);
  }, 30_000);

  test('while it rings: CANCEL, and the call ends as canceled', async () => {
    const input = env.outboundInput();
    await env.placeCall(input);
    await dialled(input.callId);
    expect(await hangUp(env, input.callId)).toEqual({ outcome: 'done' });
    expect(await env.finished(input.callId)).toMatchObject({ disposition: 'canceled', endedBy: 'api' });
  }, 30_000);

  describe('of a call only as long as nobody has answered', () => {
    const ANSWERED = { outcome: 'refused', code: 'answered' } as const;
    afterEach(() => {
      node.control.hangupAnswer = 'end';
    });

    test('cancels the one that rings', async () => {
      const input = env.outboundInput();
      const { callId } = input;
      await env.placeCall(input);
      await dialled(callId);
      expect(await giveUp(env, callId)).toEqual({ outcome: 'done' });
      expect(await env.finished(callId)).toMatchObject({ disposition: 'canceled', endedBy: 'api' });
    }, 30_000);

    test('leaves alone the one that its node has seen answered, which is hung up like any other afterwards', async () => {
      const input = env.outboundInput();
      const { callId } = input;
      await env.placeCall(input);
      await dialled(callId);
      node.control.answer(callId);
      await env.rowIs(callId, 'in_progress');
      node.control.hangupAnswer = { ok: false, code: 'answered' };
      expect(await giveUp(env, callId)).toEqual(ANSWERED);
      node.control.hangupAnswer = 'end';
      expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
      expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', endReason: 'api_hangup' });
    }, 30_000);
  });

  test('cancelling in the UI is a hang-up with a normal record', async () => {
    const { callId } = await env.receiveCall(node);
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    await env.handle(callId).cancel();
    expect(await env.finished(callId)).toMatchObject({ disposition: 'answered', endedBy: 'system', truncated: false });
    expect(node.control.hangups.some((command) => command.callId === callId)).toBe(true);
  }, 30_000);

  test('repeated by many at once it is one command', async () => {
    const { callId } = await env.receiveCall(node);
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    const outcomes = await Promise.allSettled([hangUp(env, callId), hangUp(env, callId), hangUp(env, callId)]);
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled', value: { outcome: 'done' } });
    await env.finished(callId);
    expect(node.control.hangups.filter((command) => command.callId === callId)).toHaveLength(1);
  }, 30_000);
});

test('a workflow that begins after acceptBy ends as expired, undialled', async () => {
  const input = env.outboundInput({ acceptByMs: Date.now() - 1_000 });
  await env.placeCall(input);
  expect(await env.finished(input.callId)).toMatchObject({ disposition: 'expired', endReason: null });
  expect(node.control.dials.some(({ callId }) => callId === input.callId)).toBe(false);
}, 30_000);

test('a call whose workflow was terminated is ended by its node at the next state event', async () => {
  const { callId } = await env.receiveCall(node);
  await env.rowIs(callId, 'ringing');
  await env.handle(callId).terminate('operator');
  node.control.answer(callId);
  node.control.want(callId, { by: 'agent', destinationId: uuidV7() });
  await waitFor('the node to hear of it', 5_000, () => (node.control.lost.includes(callId) ? true : undefined));
}, 30_000);

test('a worker that goes away in the middle of a call: the next one carries on', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  await env.stopWorker();
  // The node goes on by itself; its word waits for the workflow.
  node.control.end(callId, PEER_HANGUP);
  await env.startWorker();
  expect(await env.finished(callId)).toMatchObject({ endReason: 'caller_hangup', truncated: false });
}, 60_000);

describe('the same INVITE again', () => {
  const start = (input: ReturnType<typeof env.inboundInput>) =>
    startInbound(new CallWorkflows({ client: env.client, limitMs: 2_000 }), input);

  test('at the boot that has the call it is the same call, at any other it is foreign', async () => {
    const input = env.inboundInput(node);
    expect(await start(input)).toBe('started');
    expect(await start(input)).toBe('started');
    expect(await start({ ...input, bootId: 'another' })).toBe('foreign');
    node.control.inbound(input.callId, env.orgId, input.sipCallId);
    node.control.end(input.callId, { disposition: 'canceled', endReason: null, endedBy: 'caller', sip: null });
    await env.finished(input.callId);
    expect(await start(input)).toBe('foreign');
  }, 30_000);
});
