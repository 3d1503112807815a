import type { InboundRequest, Overload, RoutingDecision } from '../../../contract/directory';
import type { VerificationRound } from '../../../contract/number-verification';
import { NodeCallDirectory } from '../../../media-node/call-directory';
import { InboundStarts } from '../../../media-node/inbound-starts';
import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import type { Standing } from '../../../media-node/node-standing';
import { OutageClock } from '../../../media-node/outage-clock';
import { openDetails } from '../../../store/call-details';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import type { InboundCallInput } from '../../../workflows/call/input';
import { delta, newAgent, newNumber } from './config-fixture';

const request: InboundRequest = {
  trunkId: 'trunk',
  orgId: 'org-1',
  sipCallId: 'sip',
  fromTag: 'tag',
  cseq: 1,
  dialedUser: '+15551234567',
  callerUser: '+15557654321',
  privacy: [],
  agentIdHeader: null,
};

function setUp(outcome: 'started' | 'foreign' | 'unavailable' = 'started') {
  const snapshot = new ConfigSnapshot();
  snapshot.apply(delta({ agents: [newAgent({ maxCallDurationSeconds: 77 })] }));
  let nowMs = 0;
  const started: InboundCallInput[] = [];
  const awaited: VerificationRound[] = [];
  const unsure: string[] = [];
  const begun: [callId: string, to: string][] = [];
  const secrets = new SecretBox(newMasterKey());
  const temporalOutage = new OutageClock(() => nowMs);
  const storeOutage = new OutageClock(() => nowMs);
  const standing = { current: 'good' as Standing };
  const writes = { failing: [] as string[] };
  const load = { overload: null as Overload | null };
  const starts: Pick<InboundStarts, 'run'> = new InboundStarts();
  const directory = new NodeCallDirectory({
    nodeId: 'n1',
    bootId: 'b1',
    snapshot,
    registrations: { contacts: () => null },
    secrets,
    temporalOutage,
    storeOutage,
    standing,
    writes,
    onStarted: ({ callId }, { to }) => void begun.push([callId, to]),
    onUnsure: (callId) => void unsure.push(callId),
    load,
    starts,
    onAwaited: (round) => void awaited.push(round),
    workflows: {
      start: (input) => {
        started.push(input);
        if (outcome === 'unavailable') return Promise.reject(new Error('away'));
        return Promise.resolve(outcome === 'started' ? 'started' : 'exists');
      },
      describe: () => Promise.resolve({ running: true, memo: { nodeId: 'n2', bootId: 'b1' } }),
    },
  });
  const decision = directory.routeInbound(request) as RoutingDecision & { ok: true };
  return {
    snapshot,
    awaited,
    unsure,
    begun,
    directory,
    decision,
    started,
    secrets,
    standing,
    temporalOutage,
    storeOutage,
    writes,
    load,
    starts,
    pass: (ms: number) => (nowMs += ms),
  };
}

test('a repeated INVITE has the same call, one with new credentials another', async () => {
  const { directory, decision, started } = setUp();
  const first = await directory.startInbound(request, decision);
  await directory.startInbound(request, decision);
  await directory.startInbound({ ...request, cseq: 2 }, decision);
  expect(first).toMatchObject({ ok: true, callId: started[0]?.callId });
  expect(started[1]?.callId).toBe(started[0]?.callId);
  expect(started[1]?.sessionId).toBe(started[0]?.sessionId);
  expect(started[2]?.callId).not.toBe(started[0]?.callId);
});

test('numbers travel sealed, and the call begins on this boot with its agent’s limits', async () => {
  const { directory, decision, started, secrets } = setUp();
  await directory.startInbound(request, decision);
  const input = started[0] as InboundCallInput;
  expect(input).toMatchObject({ nodeId: 'n1', bootId: 'b1', routingRule: 'fallback', maxDurationSeconds: 77 });
  expect(JSON.stringify(input)).not.toContain('1555');
  const details = openDetails(secrets, input);
  expect(details).toMatchObject({ from: '+15557654321', to: '+15551234567' });
  expect(details.routing).toEqual({ steps: decision.steps, agentId: 'agent' });
});

test('of a call that has begun here the row is owed, and of no other', async () => {
  const own = setUp();
  await own.directory.startInbound(request, own.decision);
  expect(own.begun).toEqual([[own.started[0]?.callId, '+15551234567']]);
  for (const outcome of ['unavailable', 'foreign'] as const) {
    const other = setUp(outcome);
    await other.directory.startInbound(request, other.decision);
    expect(other.begun).toEqual([]);
  }
});

test.each([
  ['unavailable', 'unavailable'],
  ['foreign', 'duplicate'],
] as const)('a start that is %s is answered as %s', async (outcome, reason) => {
  const { directory, decision } = setUp(outcome);
  expect(await directory.startInbound(request, decision)).toEqual({ ok: false, reason });
});

test('where there are too many starts a call is refused, and nothing was started', async () => {
  const { directory, decision, started, starts } = setUp();
  starts.run = () => Promise.resolve('busy');
  expect(await directory.startInbound(request, decision)).toEqual({ ok: false, reason: 'busy' });
  expect(started).toEqual([]);
});

test.each(['doubtful', 'lost'] as const)('a node whose standing is %s takes no new calls', async (current) => {
  const { directory, decision, started, standing } = setUp();
  standing.current = current;
  expect(await directory.startInbound(request, decision)).toEqual({ ok: false, reason: 'unavailable' });
  expect(started).toEqual([]);
  expect(directory.availability()).toMatchObject({ available: false, reason: `node_${current}` });
  standing.current = 'good';
  expect(directory.availability()).toMatchObject({ available: true });
  expect(await directory.startInbound(request, decision)).toMatchObject({ ok: true });
});

test('what the node’s surroundings are behind with is told, and such a node is available', () => {
  const { directory, load } = setUp();
  expect(directory.overload()).toBeNull();
  load.overload = { reason: 'records', share: 0.5 };
  expect(directory.overload()).toEqual({ reason: 'records', share: 0.5 });
  expect(directory.availability()).toMatchObject({ available: true });
});

test('new calls are refused after 5 s without Temporal and after 10 minutes without PostgreSQL', () => {
  const { directory, temporalOutage, storeOutage, pass } = setUp();
  pass(5_000);
  expect(directory.availability()).toMatchObject({ available: true });
  pass(1);
  expect(directory.availability()).toEqual({
    available: false,
    retryAfterSeconds: 5,
    reason: 'temporal_unreachable',
  });
  temporalOutage.answered();
  expect(directory.availability()).toMatchObject({ available: true });
  pass(600_000);
  temporalOutage.answered();
  expect(directory.availability()).toMatchObject({ available: false, reason: 'store_unreachable' });
  storeOutage.answered();
  expect(directory.availability()).toMatchObject({ available: true });
});

test('no call is taken while something takes no writes', () => {
  const { directory, writes } = setUp();
  expect(directory.availability().available).toBe(true);
  writes.failing.push('spool', 'temporal');
  expect(directory.availability()).toMatchObject({ available: false, reason: 'spool_refuses_writes' });
});

test.each(['+15557770001', '15557770001', '0015557770001', '01115557770001', '5557770001'])(
  'a call to %s tells that a number was called which waits for it, and is routed as any other',
  (dialedUser) => {
    const { directory, snapshot, awaited } = setUp();
    const waiting = { status: 'pending', method: 'inbound_call', round: 3, codeExpiresAt: new Date(5_000) } as const;
    const number = { id: 'n', phoneNumber: '+15557770001', trunkId: null };
    const row = newNumber({ ...number, ...waiting });
    snapshot.apply(delta({ full: false, version: 2, phoneNumbers: [row] }));
    expect(directory.routeInbound({ ...request, dialedUser })).toMatchObject({ ok: true, rule: 'fallback' });
    const round = { numberId: 'n', orgId: 'org-1', n: 3, method: 'inbound_call', trunkId: null, expiresAtMs: 5_000 };
    expect(awaited).toEqual([round]);
    // Another organisation's call proves nothing, nor does one to another number.
    directory.routeInbound({ ...request, orgId: 'org-2', dialedUser });
    directory.routeInbound({ ...request, dialedUser: '+15557770002' });
    snapshot.apply(delta({ full: false, version: 3, phoneNumbers: [newNumber(number)] }));
    directory.routeInbound({ ...request, dialedUser });
    expect(awaited).toHaveLength(1);
  },
);
