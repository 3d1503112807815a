import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import { delta, newAgent, newNumber } from './config-fixture';

const inbound = (authUsername: string, phoneNumbers: readonly string[] = []) => ({
  id: 't1',
  orgId: 'org-1',
  authUsername,
  authPassword: 'password',
  phoneNumbers,
  previousPassword: null,
  mediaTimeoutSeconds: 40,
});

test('a delta replaces rows by id and removes what was deleted', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ agents: [newAgent({ id: 'a' }), newAgent({ id: 'b' })], inboundTrunks: [inbound('first')] }));
  expect(config.organisation('org-1').oldestInboundAgent()?.id).toBe('a');
  config.apply(
    delta({
      version: 2,
      full: false,
      agents: [newAgent({ id: 'b', name: 'Renamed' })],
      inboundTrunks: [inbound('second')],
      deleted: [{ kind: 'agent', id: 'a' }],
    }),
  );
  expect(config.version).toBe(2);
  expect(config.organisation('org-1').oldestInboundAgent()?.name).toBe('Renamed');
  expect(config.organisation('org-1').agent('a')).toBeUndefined();
  // Rotated credentials: the old name is gone.
  expect(config.inboundTrunk('first')).toBeUndefined();
  expect(config.inboundTrunk('second')).toMatchObject({ id: 't1', password: 'password' });
});

test('a full load forgets everything it does not contain', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ agents: [newAgent()], phoneNumbers: [newNumber()], inboundTrunks: [inbound('user')] }));
  config.apply(delta({ version: 1 }));
  expect(config.agent('agent')).toBeUndefined();
  expect(config.organisation('org-1').dialed('+15551234567')?.own).toBeNull();
  expect(config.inboundTrunk('user')).toBeUndefined();
});

const outbound = {
  id: 't2',
  orgId: 'org-1',
  host: 'carrier.example',
  port: 5060,
  transport: 'udp' as const,
  username: 'user',
  password: 'secret',
  callerNumber: '+15550000001',
  mediaTimeoutSeconds: 50,
  register: false,
  optionsPing: true,
};

test('trunks are given with all their settings', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ inboundTrunks: [inbound('user')], outboundTrunks: [outbound] }));
  expect(config.inboundTrunk('user')).toEqual({
    id: 't1',
    orgId: 'org-1',
    username: 'user',
    password: 'password',
    previousPassword: null,
    phoneNumbers: [],
    mediaTimeoutSeconds: 40,
  });
  expect(config.outboundTrunk('t2')).toEqual(outbound);
});

describe('trunks that are known by their address', () => {
  const known = (id: string, ipAllowlist: string[], auth: 'ip' | 'digest' = 'ip') => ({
    ...inbound(`user-${id}`),
    id,
    orgId: `org-${id}`,
    auth,
    ipAllowlist,
  });
  const at = (config: ConfigSnapshot, address: string) => config.inboundTrunkAt(address)?.id;

  test('are found by every address of their networks, and restrict their calls to them', () => {
    const config = new ConfigSnapshot();
    const trunks = [known('a', ['192.0.2.0/24', '2001:db8::/32']), known('b', ['198.51.100.7/32']), known('c', [])];
    config.apply(delta({ inboundTrunks: [...trunks, known('d', ['203.0.113.0/24'], 'digest')] }));
    expect(
      ['192.0.2.9', '2001:db8::5', '198.51.100.7', '198.51.100.8', '203.0.113.1'].map((a) => at(config, a)),
    ).toEqual(['a', 'a', 'b', undefined, undefined]);
    const sources = ['a', 'c', 'd'].map((id) => config.inboundTrunk(`user-${id}`)?.sources);
    expect(sources.map((set) => set?.has('203.0.113.1'))).toEqual([false, undefined, true]);
  });

  test('follow each change: other networks, another way of authentication, deletion, a network that moves', () => {
    const config = new ConfigSnapshot();
    let version = 1;
    const change = (...trunks: ReturnType<typeof known>[]) =>
      config.apply(delta({ version: ++version, full: false, inboundTrunks: trunks }));
    change(known('a', ['192.0.2.0/24']), known('b', ['198.51.100.0/24']));
    change(known('a', ['192.0.3.0/24']));
    expect([at(config, '192.0.2.1'), at(config, '192.0.3.1')]).toEqual([undefined, 'a']);
    // Each takes what was the other's.
    change(known('a', ['198.51.100.0/24']), known('b', ['192.0.3.0/24']));
    expect([at(config, '198.51.100.1'), at(config, '192.0.3.1')]).toEqual(['a', 'b']);
    change(known('b', ['192.0.3.0/24'], 'digest'));
    expect(at(config, '192.0.3.1')).toBeUndefined();
    config.apply(delta({ version: ++version, full: false, deleted: [{ kind: 'inbound_trunk', id: 'a' }] }));
    expect(at(config, '198.51.100.1')).toBeUndefined();
    change(known('a', ['192.0.2.0/24']));
    config.apply(delta({ version: ++version }));
    expect(at(config, '192.0.2.1')).toBeUndefined();
  });
});

test('a deleted trunk is named as revoked, by a delta and by a full load that lacks it', () => {
  const config = new ConfigSnapshot();
  const both = { inboundTrunks: [inbound('user')], outboundTrunks: [outbound], agents: [newAgent()] };
  expect(config.apply(delta(both))).toEqual([]);
  expect(config.apply(delta({ ...both, version: 2 }))).toEqual([]);
  const deleted = [
    { kind: 'agent', id: 'agent' },
    { kind: 'inbound_trunk', id: 't1' },
  ] as const;
  expect(config.apply(delta({ version: 3, full: false, deleted }))).toEqual(['t1']);
  expect(config.apply(delta({ version: 4 }))).toEqual(['t2']);
  expect(config.apply(delta({ version: 5 }))).toEqual([]);
});

test('a trunk that was changed or cannot be read is not revoked', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ inboundTrunks: [inbound('user')], outboundTrunks: [outbound] }));
  const unreadable = [
    { kind: 'inbound_trunk', id: 't1' },
    { kind: 'outbound_trunk', id: 't2' },
  ] as const;
  expect(config.apply(delta({ version: 2, full: false, inboundTrunks: [inbound('rotated')] }))).toEqual([]);
  expect(config.apply(delta({ version: 3, full: false, unreadable }))).toEqual([]);
  config.apply(delta({ version: 4, inboundTrunks: [inbound('user')], outboundTrunks: [outbound] }));
  expect(config.apply(delta({ version: 5, unreadable }))).toEqual([]);
});

test('a trunk whose secret does not open any more is not used with the old one', () => {
  const config = new ConfigSnapshot();
  config.apply(delta({ inboundTrunks: [inbound('user')] }));
  config.apply(delta({ version: 2, full: false, unreadable: [{ kind: 'inbound_trunk', id: 't1' }] }));
  expect(config.inboundTrunk('user')).toBeUndefined();
});

describe('the numbers of an organisation', () => {
  const NUMBER = '+15551234567';
  const own = (config: ConfigSnapshot, orgId = 'org-1') => config.organisation(orgId).dialed(NUMBER)?.own;

  test('a number that moves to another record or organisation in one change is only there', () => {
    const config = new ConfigSnapshot();
    config.apply(delta({ phoneNumbers: [newNumber({ id: 'p1', agentId: 'a' })] }));
    expect(own(config)).toMatchObject({ verified: true, agentId: 'a', onTrunk: false });
    for (const phoneNumbers of [
      [newNumber({ id: 'p2', orgId: 'org-2' }), newNumber({ id: 'p1', status: 'expired' })],
      [newNumber({ id: 'p2', orgId: 'org-2', status: 'failed' }), newNumber({ id: 'p1' })],
    ]) {
      config.apply(delta({ full: false, phoneNumbers }));
      const owner = phoneNumbers.find(({ status }) => status === 'verified')?.orgId;
      expect(['org-1', 'org-2'].filter((orgId) => own(config, orgId)?.verified)).toEqual([owner]);
    }
  });

  test('what leaves the trunk stays verified, and what is deleted leaves both', () => {
    const config = new ConfigSnapshot();
    config.apply(delta({ phoneNumbers: [newNumber({ id: 'p1' })], inboundTrunks: [inbound('user', [NUMBER])] }));
    expect(own(config)).toMatchObject({ verified: true, onTrunk: true });
    config.apply(delta({ full: false, inboundTrunks: [inbound('user', [])] }));
    expect(own(config)).toMatchObject({ verified: true, onTrunk: false });
    config.apply(delta({ full: false, deleted: [{ kind: 'phone_number', id: 'p1' }] }));
    expect(own(config)).toBeNull();
  });
});

test('trunks of a suspended organisation carry no new calls; those under way go on', () => {
  const config = new ConfigSnapshot();
  const both = { inboundTrunks: [inbound('user')], outboundTrunks: [outbound] };
  config.apply(delta(both));
  const suspended = [
    { kind: 'inbound_trunk', id: 't1' },
    { kind: 'outbound_trunk', id: 't2' },
  ] as const;
  for (const full of [false, true]) {
    expect(config.apply(delta({ version: 2, full, suspended }))).toEqual([]);
    expect(config.inboundTrunk('user')).toBeUndefined();
    expect(config.outboundTrunk('t2')).toBeUndefined();
    config.apply(delta({ version: 3, full: false, ...both }));
    expect(config.inboundTrunk('user')).toBeDefined();
  }
});
