import type { StateEvent } from '../../../contract/events';
import { STUCK } from '../../../media-node/node-load';
import { StateSignaller } from '../../../media-node/state-signaller';
import { createLogger } from '../../../ops/logger';
import type { CallStateSignal } from '../../../workflows/call/messages';

const answered = (callId: string, seq: number): StateEvent => ({
  callId,
  orgId: 'org',
  seq,
  atMs: 1_000,
  type: 'answered',
  sipCallId: 'sip',
  postDialDelayMs: null,
});
const ended = (callId: string, seq: number): StateEvent => ({
  callId,
  orgId: 'org',
  seq,
  atMs: 2_000,
  type: 'ended',
  ending: { disposition: 'answered', endReason: 'caller_hangup', endedBy: 'caller', sip: null },
  metrics: { postDialDelayMs: null, mos: null, packetLossPct: null, jitterMs: null, turnLatencyMs: null },
});

function setUp(
  answer: (callId: string, signal: CallStateSignal) => 'delivered' | 'gone' | 'fails',
  { stores = false, unplaced = false }: { readonly stores?: boolean; readonly unplaced?: boolean } = {},
) {
  const log: string[] = [];
  const signaller = new StateSignaller({
    nodeId: 'n1',
    bootId: 'b1',
    signal: (callId, signal) => {
      const result = answer(callId, signal);
      log.push(`${callId} ${signal.type} ${signal.seq} ${result}`);
      return result === 'fails' ? Promise.reject(new Error('unavailable')) : Promise.resolve(result);
    },
    flush: (callId) => {
      log.push(`${callId} flushed`);
      return Promise.resolve(stores);
    },
    isUnplaced: () => unplaced,
    onWorkflowLost: (callId) => log.push(`${callId} lost`),
    logger: createLogger({ name: 'test', level: 'silent' }),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  });
  return { signaller, log };
}

test('events of a call go one after the other, and the end after its records', async () => {
  const { signaller, log } = setUp(() => 'delivered');
  signaller.enqueue(answered('c', 3));
  signaller.enqueue(ended('c', 9));
  await signaller.close(1_000);
  expect(log).toEqual(['c flushed', 'c answered 3 delivered', 'c flushed', 'c ended 9 delivered']);
  expect(signaller.pendingCalls).toBe(0);
});

describe('an answer that is stored', () => {
  test('is not signalled: the end of the call says when it was', async () => {
    const ends: CallStateSignal[] = [];
    const take = (_: string, signal: CallStateSignal): 'delivered' => {
      if (signal.type === 'ended') ends.push(signal);
      return 'delivered';
    };
    const { signaller, log } = setUp(take, { stores: true });
    signaller.enqueue(answered('c', 3));
    signaller.enqueue(ended('c', 9));
    signaller.enqueue(ended('unanswered', 2));
    await signaller.close(1_000);
    expect(log.filter((line) => !line.endsWith('flushed'))).toEqual([
      'unanswered ended 2 delivered',
      'c ended 9 delivered',
    ]);
    expect(ends.map((end) => 'answeredAtMs' in end && end.answeredAtMs)).toEqual([false, 1_000]);
  });

  test('is, where the workflow waits to hear which node has the call', async () => {
    const { signaller, log } = setUp(() => 'delivered', { stores: true, unplaced: true });
    signaller.enqueue(answered('c', 3));
    await signaller.close(1_000);
    expect(log).toEqual(['c flushed', 'c answered 3 delivered']);
  });
});

test('an event is repeated until it is acknowledged; later ones of the same call wait, other calls do not', async () => {
  let failures = 3;
  const { signaller, log } = setUp((callId) => (callId === 'slow' && failures-- > 0 ? 'fails' : 'delivered'));
  signaller.enqueue(answered('slow', 1));
  signaller.enqueue(ended('slow', 2));
  signaller.enqueue(answered('quick', 1));
  await signaller.close(1_000);
  const slow = log.filter((line) => line.startsWith('slow') && !line.endsWith('fails'));
  expect(slow.filter((line) => !line.endsWith('flushed'))).toEqual([
    'slow answered 1 delivered',
    'slow ended 2 delivered',
  ]);
  expect(log.indexOf('quick answered 1 delivered')).toBeLessThan(log.indexOf('slow answered 1 delivered'));
});

test('a workflow that is gone ends the call, once, and nothing more is sent for it', async () => {
  const { signaller, log } = setUp(() => 'gone');
  signaller.enqueue(answered('c', 1));
  signaller.enqueue(ended('c', 2));
  await signaller.close(1_000);
  expect(log).toEqual(['c flushed', 'c answered 1 gone', 'c lost']);
});

test('the end of the process does not wait for ever', async () => {
  const { signaller } = setUp(() => 'fails');
  signaller.enqueue(answered('c', 1));
  await signaller.close(20);
  expect(signaller.pendingCalls).toBe(1);
});

test('a peer’s reason phrase enters no history with a number in it, nor at any length', async () => {
  const reasons: (string | null | undefined)[] = [];
  const { signaller } = setUp((_, signal) => {
    if (signal.type === 'ended') reasons.push(signal.ending.sip?.reason);
    return 'delivered';
  });
  const refusals = ['Busy Here', 'No route to +1 (555) 123-4567 today', `Declined ${'x'.repeat(5_000)}`, 'Code 4711'];
  refusals.forEach((reason, index) => {
    const sip = { sipCallId: 's', finalStatus: 486, reason, q850: null };
    const ending = { disposition: 'busy', endReason: null, endedBy: 'callee', sip } as const;
    signaller.enqueue({ ...ended(`c${index}`, 1), ending } as StateEvent);
  });
  await signaller.close(1_000);
  expect(reasons.slice(0, 2)).toEqual(['Busy Here', 'No route to … today']);
  expect(reasons[2]?.length).toBeLessThanOrEqual(128);
  expect(reasons[3]).toBe('Code 4711');
});

test('no more signals are under way at once than Temporal shall bear', async () => {
  let underWay = 0;
  let most = 0;
  const signaller = new StateSignaller({
    nodeId: 'n1',
    bootId: 'b1',
    signal: async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return 'delivered';
    },
    flush: () => Promise.resolve(false),
    isUnplaced: () => false,
    onWorkflowLost: () => undefined,
    logger: createLogger({ name: 'test', level: 'silent' }),
  });
  for (let n = 0; n < 100; n++) signaller.enqueue(answered(`c${n}`, 1));
  await signaller.close(5_000);
  expect([most, signaller.pendingCalls]).toEqual([32, 0]);
});

test('after its end nothing is sent again, and what was not acknowledged stays pending', async () => {
  const { signaller, log } = setUp(() => 'fails');
  for (let n = 0; n < 20; n++) signaller.enqueue(answered(`c${n}`, 1));
  await signaller.close(10);
  const sent = log.length;
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
  expect(log).toHaveLength(sent);
  expect(signaller.pendingCalls).toBe(20);
});

test('who waits for the end of a call waits until its workflow knows it, and no longer than that is worth', async () => {
  const { signaller } = setUp(() => 'delivered');
  let told = false;
  void signaller.toldEnd('c', 500).then(() => (told = true));
  signaller.enqueue(answered('c', 1));
  await signaller.close(1_000);
  expect(told).toBe(false);
  await signaller.toldEnd('never ends', 20);

  const other = setUp(() => 'delivered').signaller;
  const end = other.toldEnd('c', 60_000).then(() => (told = true));
  other.enqueue(ended('c', 1));
  await other.close(1_000);
  await end;
  expect(told).toBe(true);
});

test('how far behind: the age of the oldest event, but for those of a few calls that may be stuck', async () => {
  let nowMs = 0;
  const answers: (() => void)[] = [];
  const signaller = new StateSignaller({
    nodeId: 'n1',
    bootId: 'b1',
    signal: () => new Promise((resolve) => answers.push(() => resolve('delivered'))),
    flush: () => Promise.resolve(true),
    isUnplaced: () => false,
    onWorkflowLost: () => undefined,
    logger: createLogger({ name: 'test', level: 'silent' }),
    nowMs: () => nowMs,
  });
  for (let n = 0; n < STUCK; n++) signaller.enqueue(answered(`stuck${n}`, 1));
  nowMs = 5_000;
  expect(signaller.behindMs).toBe(0);
  signaller.enqueue(answered('c', 1));
  signaller.enqueue(answered('d', 1));
  nowMs = 5_300;
  expect(signaller.behindMs).toBe(300);
  await new Promise((resolve) => setImmediate(resolve));
  for (const answer of answers.slice(STUCK)) answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(signaller.behindMs).toBe(0);
  await signaller.close(0);
});
