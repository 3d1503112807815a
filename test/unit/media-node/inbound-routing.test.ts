import type { InboundRequest } from '../../../contract/directory';
import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import { routeInbound } from '../../../media-node/inbound-routing';
import { delta, newAgent, newNumber } from './config-fixture';

const ORG = 'org-1';

function snapshot(changes: Parameters<typeof delta>[0] = {}): ConfigSnapshot {
  const config = new ConfigSnapshot();
  config.apply(
    delta({
      agents: [
        newAgent({ id: 'young', createdAtMs: 3_000 }),
        newAgent({ id: 'old', createdAtMs: 2_000 }),
        newAgent({ id: 'outbound', type: 'outbound', createdAtMs: 1_000 }),
        newAgent({ id: 'foreign', orgId: 'org-2', createdAtMs: 500 }),
      ],
      inboundTrunks: [
        {
          id: 'trunk',
          orgId: ORG,
          authUsername: 'user',
          authPassword: 'password',
          previousPassword: null,
          phoneNumbers: ['+15551234567', '+15550000009'],
          mediaTimeoutSeconds: 40,
        },
      ],
      phoneNumbers: [newNumber({ id: 'p1', phoneNumber: '+15550000009', agentId: 'outbound' })],
      ...changes,
    }),
  );
  return config;
}

const request = (changes: Partial<InboundRequest> = {}): InboundRequest => ({
  trunkId: 'trunk',
  orgId: ORG,
  sipCallId: 'sip',
  fromTag: 'tag',
  cseq: 1,
  dialedUser: '+15551234567',
  callerUser: '+15557654321',
  privacy: [],
  agentIdHeader: null,
  ...changes,
});

describe('the order of routing', () => {
  test.each([
    ['the header names an agent of either type', { agentIdHeader: 'outbound' }, 'outbound', 'header'],
    ['the header wins over the assignment', { agentIdHeader: 'young', dialedUser: '+15550000009' }, 'young', 'header'],
    ['the number is assigned', { dialedUser: '+15550000009' }, 'outbound', 'number_assignment'],
    ['the number is on the trunk: the oldest inbound agent', {}, 'old', 'trunk_number'],
    ['an unknown number: the oldest inbound agent', { dialedUser: '+15559990000' }, 'old', 'fallback'],
    ['a foreign id in the header is skipped', { agentIdHeader: 'foreign' }, 'old', 'trunk_number'],
    ['an unknown id in the header is skipped', { agentIdHeader: '__proto__' }, 'old', 'trunk_number'],
  ] as const)('%s', (_, changes, agentId, rule) => {
    expect(routeInbound(snapshot(), request(changes))).toMatchObject({ ok: true, rule, agent: { id: agentId } });
  });

  test('a number that is not verified is not assigned', () => {
    const phoneNumbers = [newNumber({ id: 'p1', phoneNumber: '+15550000009', agentId: 'outbound', status: 'pending' })];
    const decision = routeInbound(snapshot({ phoneNumbers }), request({ dialedUser: '+15550000009' }));
    expect(decision).toMatchObject({ rule: 'trunk_number', agent: { id: 'old' } });
  });

  test('404 only without a usable user part, 480 only without an inbound agent', () => {
    expect(routeInbound(snapshot(), request({ dialedUser: ' ' }))).toMatchObject({ ok: false, status: 404 });
    expect(routeInbound(snapshot({ agents: [] }), request())).toMatchObject({ ok: false, status: 480 });
  });

  test('every rule that was looked at is a step with a reason, and none names a number', () => {
    const decision = routeInbound(snapshot(), request({ agentIdHeader: 'nobody', dialedUser: '+15559990000' }));
    expect(decision.steps.map(({ rule, matched }) => [rule, matched])).toEqual([
      ['header', false],
      ['number_assignment', false],
      ['trunk_number', false],
      ['fallback', true],
    ]);
    expect(decision.steps.map(({ reason }) => reason).join(' ')).not.toMatch(/\d{5}/);
  });

  test('a refusal says what it looked for', () => {
    expect(routeInbound(snapshot({ agents: [] }), request()).steps).toMatchObject([
      { rule: 'header', matched: false },
      { rule: 'number_assignment', matched: false },
      { rule: 'trunk_number', matched: false, reason: expect.stringContaining('no agent is of type inbound') },
      { rule: 'fallback', matched: false },
    ]);
    expect(routeInbound(snapshot(), request({ dialedUser: ' ' })).steps).toMatchObject([{ rule: 'request_uri' }]);
  });
});

test('a carrier that we have registered with calls by its outbound trunk, with what that says', () => {
  const carrier = {
    id: 'carrier',
    orgId: ORG,
    host: 'carrier.example',
    port: null,
    transport: null,
    username: 'user',
    password: 'password',
    callerNumber: '+15551234567',
    mediaTimeoutSeconds: 77,
    register: true,
    optionsPing: true,
  };
  const decision = routeInbound(snapshot({ outboundTrunks: [carrier] }), request({ trunkId: 'carrier' }));
  expect(decision).toMatchObject({ ok: true, rule: 'trunk_number', mediaTimeoutSeconds: 77 });
});

describe('the number that is recorded', () => {
  test.each([
    ['15551234567', '+15551234567'],
    ['5551234567', '+15551234567'],
    ['0015551234567', '+15551234567'],
    // verified, and on no trunk
    ['15550000009', '+15550000009'],
    ['01115551234567', '+15551234567'],
    // nobody's of ours, and in the country of all that are
    ['15559990000', '+15559990000'],
    ['01133123456789', '+33123456789'],
    ['alice', 'alice'],
    ['4711', '4711'],
  ])('%s is %s', (dialedUser, dialedNumber) => {
    expect(routeInbound(snapshot(), request({ dialedUser }))).toMatchObject({ ok: true, dialedNumber });
    expect(routeInbound(snapshot(), request({ dialedUser, agentIdHeader: 'young' }))).toMatchObject({ dialedNumber });
  });

  test.each([
    ['15557654321', '+15557654321'],
    ['5557654321', '+15557654321'],
    ['442079460000', '+442079460000'],
    ['anonymous', 'anonymous'],
    ['204', '204'],
    ['', ''],
  ])('a caller %j is %j', (callerUser, callerNumber) => {
    expect(routeInbound(snapshot(), request({ callerUser }))).toMatchObject({ callerNumber });
  });
});
