/** The transfer of a call, on its node without media: what is sent to it, once, and what stands in the record afterwards. */
import type { CallCommand } from '../../../contract/commands';
import type { LegDial } from '../../../contract/transfers';
import { sealControl, sealLeg } from '../../../store/call-control';
import type { Call } from '../../../store/entities/call';
import { uuidV7 } from '../../../store/ids';
import type { TransferAcceptance, TransferRequest } from '../../../workflows/call/messages';
import { transferUpdate } from '../../../workflows/call/messages';
import { transferWorkflowId } from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { plainHistory } from '../../support/plain-history';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';

const NUMBER = '+15557771234';
const SENTENCE = 'I am putting you through to the most secret department.';

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
  node.control.controlEffect = () => ({ outcome: 'done' });
});

async function answered(): Promise<string> {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  return callId;
}

async function begin(
  callId: string,
  more: Partial<TransferRequest> = {},
  ofLeg: Partial<LegDial> = {},
): Promise<{ readonly transferId: string; readonly taken: TransferAcceptance }> {
  const transferId = uuidV7();
  const leg: LegDial = {
    legId: transferId,
    target: { type: 'phone', number: NUMBER },
    name: null,
    trunkId: env.trunkId,
    ringTimeoutSeconds: 20,
    sessionId: null,
    agentId: null,
    contactId: null,
    ...ofLeg,
  };
  const owner = { orgId: env.orgId, callId };
  const request: TransferRequest = {
    transferId,
    ways: ['bridge'],
    announce: sealControl(env.secrets, owner, { type: 'announce', text: SENTENCE }),
    leg: sealLeg(env.secrets, owner, leg),
    ringTimeoutSeconds: 20,
    requestedAtMs: Date.now(),
    ...more,
  };
  const options = { args: [request] as [TransferRequest], updateId: transferId };
  const taken = await env.handle(callId).executeUpdate<TransferAcceptance, [TransferRequest]>(transferUpdate, options);
  return { transferId, taken };
}

const outcomeOf = (callId: string, limitMs = 10_000): Promise<NonNullable<Call['transfer']>> =>
  waitFor('the outcome', limitMs, async () => {
    const transfer = (await env.row(callId))?.transfer;
    return transfer?.outcome === undefined ? undefined : transfer;
  });

const sent = (): string[] => node.control.controls.map(({ control }) => control.type);

const command = (type: CallCommand['control']['type']): Promise<CallCommand> =>
  waitFor(`the command ${type}`, 5_000, () => node.control.controls.find(({ control }) => control.type === type));

async function eventTypes(callId: string): Promise<string[]> {
  const { items } = await env.events.list(env.orgId, callId);
  return items.filter(({ source }) => source === 'workflow').map(({ type }) => type);
}

test('announces, dials, and records that the caller has got there; no number and no word is in a history', async () => {
  const callId = await answered();
  const before = (await env.handle(callId).fetchHistory()).events?.length ?? 0;
  node.control.controlEffect = ({ type }) => (type === 'dialLeg' ? null : { outcome: 'done' });
  const { transferId, taken } = await begin(callId);
  expect(taken).toEqual({ outcome: 'accepted' });
  expect(await env.row(callId)).toMatchObject({ status: 'transferring', transfer: { id: transferId, mode: 'bridge' } });
  const dial = await command('dialLeg');
  expect(sent()).toEqual(['announce', 'dialLeg']);
  expect(node.control.controls[0]?.control).toEqual({ type: 'announce', text: SENTENCE });
  expect(dial.control).toMatchObject({ leg: { legId: transferId, target: { number: NUMBER } } });
  expect((await begin(callId)).taken).toEqual({ outcome: 'refused', code: 'transferring' });
  node.control.effect(dial, { outcome: 'done' });
  expect(await outcomeOf(callId)).toMatchObject({
    id: transferId,
    mode: 'bridge',
    outcome: 'transferred',
    sipStatus: 200,
    failedStep: null,
  });
  await env.rowIs(callId, 'in_progress');
  const transfer = env.client.workflow.getHandle(transferWorkflowId(transferId));
  expect(await transfer.result()).toMatchObject({ outcome: 'transferred' });
  // The call's workflow hears of it a moment later.
  const again = await waitFor('the end of it to be known', 5_000, async () => {
    const { taken: answer } = await begin(callId);
    return 'code' in answer && answer.code === 'transferring' ? undefined : answer;
  });
  expect(again).toEqual({ outcome: 'refused', code: 'transferred' });
  node.control.end(callId, { ...PEER_HANGUP, endReason: 'transferred' });
  expect(await env.finished(callId)).toMatchObject({ endReason: 'transferred' });
  expect(await eventTypes(callId)).toEqual(['call.started', 'transfer.requested', 'transfer.completed', 'call.ended']);
  const own = await plainHistory(transfer);
  const whole = await plainHistory(env.handle(callId));
  const written = own.text + whole.text;
  // It is readable: what may stand there does.
  expect(written).toContain(`${transferId}:dial`);
  expect(written).not.toContain(NUMBER.slice(1));
  expect(written).not.toContain('secret department');
  // Without the two further requests: a bridge costs this much, in the call's history and in one of its own.
  expect(own.events).toBeLessThanOrEqual(40);
  expect(whole.events - before).toBeLessThanOrEqual(65);
}, 30_000);

test('that fails leaves the call as it was, and another may follow', async () => {
  const callId = await answered();
  node.control.controlEffect = ({ type }) =>
    type === 'dialLeg' ? { outcome: 'failed', sipStatus: 486, legOutcome: 'busy' } : { outcome: 'done' };
  await begin(callId, { announce: null });
  expect(await outcomeOf(callId)).toMatchObject({ outcome: 'busy', sipStatus: 486, failedStep: 'dial' });
  await env.rowIs(callId, 'in_progress');
  expect(await eventTypes(callId)).toEqual(['call.started', 'transfer.requested', 'transfer.failed']);
  await waitFor('another to be taken', 5_000, async () =>
    (await begin(callId, { announce: null })).taken.outcome === 'accepted' ? true : undefined,
  );
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 30_000);

test.each([
  ['refused', { outcome: 'failed', sipStatus: 405, legOutcome: 'failed' }, ['refer', 'dialLeg'], 'transferred'],
  [
    'declined by the peer itself, which is kept away for us to call',
    { outcome: 'failed', sipStatus: 603, legOutcome: 'rejected', mayDial: true },
    ['refer', 'dialLeg'],
    'transferred',
  ],
  ['busy', { outcome: 'failed', sipStatus: 486, legOutcome: 'busy' }, ['refer'], 'busy'],
  ['silent', { outcome: 'failed', sipStatus: null, legOutcome: 'unknown' }, ['refer'], 'unknown'],
  ['gone', { outcome: 'done', legOutcome: 'transferred_assumed' }, ['refer'], 'transferred_assumed'],
] as const)(
  'by REFER first: %s',
  async (_, effect, commands, outcome) => {
    const callId = await answered();
    node.control.controlEffect = ({ type }) => (type === 'refer' ? effect : { outcome: 'done' });
    await begin(callId, { announce: null, ways: ['refer', 'bridge'] });
    expect(await outcomeOf(callId)).toMatchObject({ outcome, mode: commands.length === 2 ? 'bridge' : 'refer' });
    expect(sent()).toEqual(commands);
    node.control.end(callId, PEER_HANGUP);
    await env.finished(callId);
  },
  30_000,
);

test.each([
  ['accepted', { outcome: 'done' }, { outcome: 'transferred', sipStatus: 200, failedStep: null }],
  [
    'declined',
    { outcome: 'failed', sipStatus: 200, legOutcome: 'declined' },
    { outcome: 'declined', sipStatus: 200, failedStep: 'consult' },
  ],
  [
    'not answered',
    { outcome: 'failed', sipStatus: null, legOutcome: 'no_answer' },
    { outcome: 'no_answer', sipStatus: null, failedStep: 'dial' },
  ],
] as const)(
  'by asking whoever is called: %s; no word of the briefing is in a history',
  async (_, effect, expected) => {
    const callId = await answered();
    node.control.controlEffect = ({ type }) => (type === 'consultLeg' ? null : { outcome: 'done' });
    const before = (await env.handle(callId).fetchHistory()).events?.length ?? 0;
    const { transferId } = await begin(callId, { ways: ['warm'], announce: null }, { briefing: SENTENCE });
    const consult = await command('consultLeg');
    expect(consult).toMatchObject({
      commandId: `${transferId}:consult`,
      control: { leg: { briefing: SENTENCE, target: { number: NUMBER } } },
    });
    await env.stopWorker();
    node.control.effect(consult, effect);
    await env.startWorker();
    expect(await outcomeOf(callId, 20_000)).toMatchObject({ mode: 'warm', ...expected });
    expect(sent()).toEqual(['consultLeg']);
    const transfer = env.client.workflow.getHandle(transferWorkflowId(transferId));
    const histories = [await transfer.fetchHistory(), await env.handle(callId).fetchHistory()];
    const written = JSON.stringify(histories, (__, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    );
    expect(written).not.toMatch(/secret department|7771234/);
    expect(histories[0]?.events?.length).toBeLessThanOrEqual(30);
    expect((histories[1]?.events?.length ?? 0) - before).toBeLessThanOrEqual(45);
    node.control.end(callId, PEER_HANGUP);
    await env.finished(callId);
  },
  40_000,
);

test('that the caller does not wait for ends with the call, whose record is closed after it', async () => {
  const callId = await answered();
  node.control.controlEffect = () => null;
  await begin(callId, { announce: null });
  await command('dialLeg');
  node.control.end(callId, PEER_HANGUP);
  expect(await env.finished(callId)).toMatchObject({ transfer: { outcome: 'call_ended', failedStep: 'dial' } });
  expect(await eventTypes(callId)).toEqual(['call.started', 'transfer.requested', 'transfer.failed', 'call.ended']);
  expect(sent()).toEqual(['dialLeg']);
}, 30_000);

test('of which the node tells nothing is taken back', async () => {
  const callId = await answered();
  node.control.controlEffect = ({ type }) => (type === 'dialLeg' ? null : { outcome: 'done' });
  const { transferId } = await begin(callId, { announce: null, ringTimeoutSeconds: 1 });
  expect(await outcomeOf(callId, 20_000)).toMatchObject({ outcome: 'failed', failedStep: 'dial' });
  expect(node.control.controls.at(-1)?.control).toEqual({ type: 'releaseLeg', legId: transferId });
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 40_000);

test('tells a node again that has not answered, under the same id', async () => {
  const callId = await answered();
  node.control.controlAnswer = 'silent';
  const { transferId } = await begin(callId, { announce: null });
  await command('dialLeg');
  node.control.controlAnswer = 'done';
  expect(await outcomeOf(callId, 15_000)).toMatchObject({ outcome: 'transferred', failedStep: null });
  expect(node.control.controls.map(({ commandId }) => commandId)).toEqual([`${transferId}:dial`, `${transferId}:dial`]);
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 40_000);

test('dials once, whatever becomes of the worker meanwhile', async () => {
  const callId = await answered();
  node.control.controlEffect = ({ type }) => (type === 'dialLeg' ? null : { outcome: 'done' });
  await begin(callId);
  const dial = await command('dialLeg');
  await env.stopWorker();
  node.control.effect(dial, { outcome: 'done' });
  await env.startWorker();
  expect(await outcomeOf(callId, 20_000)).toMatchObject({ outcome: 'transferred' });
  expect(sent()).toEqual(['announce', 'dialLeg']);
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
}, 40_000);

test.each(['cancel', 'terminate'] as const)(
  'is given up by an operator: %s',
  async (verb) => {
    const callId = await answered();
    node.control.controlEffect = ({ type }) => (type === 'dialLeg' ? null : { outcome: 'done' });
    const { transferId } = await begin(callId, { announce: null });
    await command('dialLeg');
    const transfer = env.client.workflow.getHandle(transferWorkflowId(transferId));
    await (verb === 'cancel' ? transfer.cancel() : transfer.terminate());
    expect(await outcomeOf(callId)).toMatchObject({ outcome: verb === 'cancel' ? 'withdrawn' : 'failed' });
    const release = await command('releaseLeg');
    expect(release.control).toEqual({ type: 'releaseLeg', legId: transferId });
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    await env.finished(callId);
  },
  30_000,
);

test.each(['cancel', 'terminate'] as const)(
  'that an operator would give up when the two are joined already is what it is: %s',
  async (verb) => {
    const callId = await answered();
    node.control.controlEffect = ({ type }) => (type === 'dialLeg' ? null : { outcome: 'done' });
    const { transferId } = await begin(callId, { announce: null });
    const dial = await command('dialLeg');
    // As a node tells it: they were joined while the operator's word was on its way, and a pair is left alone.
    node.control.controlEffect = ({ type }) => {
      if (type !== 'releaseLeg') return null;
      node.control.effect(dial, { outcome: 'done' });
      return { outcome: 'failed' };
    };
    const transfer = env.client.workflow.getHandle(transferWorkflowId(transferId));
    await (verb === 'cancel' ? transfer.cancel() : transfer.terminate());
    expect(await outcomeOf(callId, 20_000)).toMatchObject({ mode: 'bridge', outcome: 'transferred', failedStep: null });
    await env.rowIs(callId, 'in_progress');
    const again = await waitFor('the end of it to be known', 5_000, async () => {
      const { taken } = await begin(callId);
      return 'code' in taken && taken.code === 'transferring' ? undefined : taken;
    });
    expect(again).toEqual({ outcome: 'refused', code: 'transferred' });
    node.control.end(callId, { ...PEER_HANGUP, endReason: 'transferred' });
    expect(await env.finished(callId)).toMatchObject({ endReason: 'transferred' });
    expect(await eventTypes(callId)).toEqual([
      'call.started',
      'transfer.requested',
      'transfer.completed',
      'call.ended',
    ]);
  },
  40_000,
);
