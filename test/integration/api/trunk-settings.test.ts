/** What trunks are told beyond their credentials: taken, shown, refused, and known to the nodes. */
import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import { ApiServer, CALLER } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';
import { readConfig } from '../../support/config-since';

const INBOUND = '/phone/sip/inbound-trunk';
const OUTBOUND = '/phone/sip/outbound-trunks';
const carrier = { name: 'Carrier', host: 'sip.provider.com', username: 'u', password: 'p', caller_number: CALLER };

let api: ApiServer;

beforeAll(async () => {
  api = await ApiServer.start();
  await api.seeNode();
});
afterAll(() => api.stop());

/** As a node holds it. */
async function snapshot(): Promise<ConfigSnapshot> {
  const config = new ConfigSnapshot();
  config.apply(await readConfig(api));
  return config;
}

const paths = ({ body }: Answer): string[] =>
  ((body.warnings ?? []) as { path: string }[]).map(({ path }) => path).sort();

describe('settings of an inbound trunk', () => {
  let tenant: Tenant;
  let other: Tenant;

  beforeEach(async () => {
    [tenant, other] = [await api.createTenant(), await api.createTenant()];
    for (const { key } of [tenant, other]) await api.post(INBOUND, { krisp_enabled: false }, { key });
  });

  const patch = (body: unknown, { key }: Tenant = tenant): Promise<Answer> => api.patch(INBOUND, body, { key });

  it('are what they were until they are set', async () => {
    const { body } = await api.get(INBOUND, { key: tenant.key });
    expect(body).toMatchObject({
      auth: 'digest',
      ip_allowlist: [],
      media_source: 'same_host',
      codecs: null,
      dtmf_mode: 'auto',
      srtp: 'off',
      max_concurrent_calls: null,
      max_calls_per_second: null,
    });
    expect(body).not.toHaveProperty('warnings');
  });

  it('are stored, shown, noted and given to the nodes', async () => {
    const settings = {
      auth: 'ip',
      ip_allowlist: ['192.0.2.0/24', '2001:db8::/32'],
      media_source: 'any',
      codecs: ['PCMA', 'PCMU'],
      dtmf_mode: 'info',
      srtp: 'off',
      max_concurrent_calls: 30,
      max_calls_per_second: 2.5,
    };
    const answer = await patch({ ...settings, ip_allowlist: ['192.0.2.9/24', '2001:DB8::/32'] });
    expect(answer).toMatchObject({ status: 200, body: settings });
    expect(paths(answer)).toEqual(['max_calls_per_second', 'max_concurrent_calls']);
    expect((await api.get(INBOUND, { key: tenant.key })).body).toMatchObject(settings);
    const profile = (await snapshot()).inboundTrunkAt('192.0.2.200');
    expect(profile).toMatchObject({
      orgId: tenant.orgId,
      auth: 'ip',
      mediaSource: 'any',
      codecs: ['PCMA', 'PCMU'],
      dtmfMode: 'info',
      maxConcurrentCalls: 30,
      maxCallsPerSecond: 2.5,
    });
    expect([profile?.sources?.has('192.0.2.1'), profile?.sources?.has('198.51.100.1')]).toEqual([true, false]);
    const audit = await api.get('/audit-log?resource=inbound_trunk&action=update', { key: tenant.key });
    expect(audit.body.items[0]).toMatchObject({ before: { auth: 'digest' }, after: settings });
    // One of them alone leaves the others.
    const back = await patch({ auth: 'digest', max_concurrent_calls: null });
    expect(back.body).toMatchObject({ ...settings, auth: 'digest', max_concurrent_calls: null });
    expect((await snapshot()).inboundTrunkAt('192.0.2.200')).toBeUndefined();
  });

  it.each([
    [{ auth: 'none' }, 400],
    [{ ip_allowlist: ['0.0.0.0/0'] }, 400],
    [{ ip_allowlist: ['sip.example.com'] }, 400],
    [{ ip_allowlist: '192.0.2.1' }, 400],
    [{ media_source: 'all' }, 400],
    [{ codecs: ['G729'] }, 400],
    [{ codecs: [] }, 400],
    [{ dtmf_mode: 'inband' }, 400],
    [{ max_concurrent_calls: 0 }, 400],
    [{ max_calls_per_second: 0 }, 400],
    [{ srtp: 'maybe' }, 400],
    [{ srtp: 'required' }, 422, 'srtp_unavailable'],
    [{ auth: 'ip' }, 422, 'ip_allowlist_empty'],
  ] as const)('refuse %j with %i', async (body, status, code: string = 'validation_failed') => {
    const before = await api.get(INBOUND, { key: tenant.key });
    expect(await patch(body)).toMatchObject({ status, body: { code } });
    expect((await api.get(INBOUND, { key: tenant.key })).body).toEqual(before.body);
  });

  it('do not empty the list of a trunk that is known by it', async () => {
    await patch({ auth: 'ip', ip_allowlist: ['198.51.100.1'] });
    expect(await patch({ ip_allowlist: [] })).toMatchObject({ status: 422, body: { code: 'ip_allowlist_empty' } });
    expect((await api.get(INBOUND, { key: tenant.key })).body.ip_allowlist).toEqual(['198.51.100.1/32']);
  });

  describe('name networks', () => {
    const taken = { status: 409, body: { code: 'ip_allowlist_taken' } };

    it.each([
      ['203.0.113.0/28', '203.0.113.0/28'],
      ['203.0.113.16/28', '203.0.113.17'],
      ['203.0.113.33', '203.0.113.32/28'],
      ['2001:db8:1::/48', '2001:db8:1:2::/64'],
    ])('by which another organisation is not known too: %s and %s', async (theirs, ours) => {
      expect(await patch({ auth: 'ip', ip_allowlist: [theirs] }, other)).toMatchObject({ status: 200 });
      const refused = await patch({ auth: 'ip', ip_allowlist: ['10.99.0.0/16', ours] });
      expect(refused).toMatchObject(taken);
      expect(JSON.stringify(refused.body)).not.toContain(other.orgId);
      expect((await api.get(INBOUND, { key: tenant.key })).body).toMatchObject({ auth: 'digest', ip_allowlist: [] });
      // To restrict a password's holder is another matter.
      expect(await patch({ ip_allowlist: [ours] })).toMatchObject({ status: 200 });
      expect(await patch({ auth: 'ip' })).toMatchObject(taken);
      await patch({ auth: 'digest' }, other);
      expect(await patch({ auth: 'ip' })).toMatchObject({ status: 200 });
      await api.delete(INBOUND, { key: tenant.key });
      expect(await patch({ auth: 'ip' }, other)).toMatchObject({ status: 200 });
      await api.delete(INBOUND, { key: other.key });
    });

    it('that may hold each other in one list', async () => {
      const list = ['10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32', '10.2.0.0/16'];
      expect(await patch({ auth: 'ip', ip_allowlist: list })).toMatchObject({
        status: 200,
        body: { ip_allowlist: list },
      });
      expect(await patch({ ip_allowlist: list.slice(1) })).toMatchObject({ status: 200 });
      expect(await patch({ auth: 'ip', ip_allowlist: ['10.1.3.0/24'] }, other)).toMatchObject({ status: 200 });
      expect(await patch({ ip_allowlist: list })).toMatchObject(taken);
      for (const { key } of [tenant, other]) await api.delete(INBOUND, { key });
    });

    it('of which two that ask at once do not both get the same', async () => {
      const ask = (who: Tenant) => patch({ auth: 'ip', ip_allowlist: ['10.50.0.0/16'] }, who);
      const answers = await Promise.all([ask(tenant), ask(other)]);
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409]);
      for (const { key } of [tenant, other]) await api.delete(INBOUND, { key });
    });
  });
});

describe('settings of an outbound trunk', () => {
  const SETTINGS = {
    caller_numbers: ['+15551234568', '+442079460958'],
    gateways: [
      { host: 'gw1.provider.com', port: 5061, transport: 'tcp', priority: 1, weight: 3 },
      { host: '198.51.100.9', port: null, transport: null, priority: 2, weight: 0 },
    ],
    codecs: ['PCMA'],
    dtmf_mode: 'info',
    srtp: 'off',
    max_concurrent_calls: 30,
    max_calls_per_second: 2.5,
    number_format: 'prefix',
    number_prefix: '99#',
    from_host: 'acme.example',
    headers: { 'X-Account': '4711' },
    pass_caller_id: true,
    transport_strict: true,
    allowed_countries: ['US', 'GB'],
  };
  const create = (more: object = {}): Promise<Answer> => api.post(OUTBOUND, { ...carrier, ...more });

  it('are those of a small account, and E.164, until they are set', async () => {
    const made = await create();
    expect(Object.keys(made.body).sort()).toEqual(['created_at', 'id', 'name', 'updated_at']);
    expect((await api.get(`${OUTBOUND}/${made.body.id}`)).body).toMatchObject({
      caller_numbers: [],
      gateways: [],
      codecs: null,
      dtmf_mode: 'auto',
      srtp: 'off',
      max_concurrent_calls: 10,
      max_calls_per_second: 1,
      number_format: 'e164',
      number_prefix: '',
      from_host: null,
      headers: {},
      pass_caller_id: false,
      transport_strict: false,
      allowed_countries: null,
    });
  });

  it('are taken by POST and PATCH, shown, and given to the nodes', async () => {
    const made = await create(SETTINGS);
    expect(Object.keys(made.body).sort()).toEqual(['created_at', 'id', 'name', 'updated_at']);
    const { id } = made.body;
    expect((await api.get(`${OUTBOUND}/${id}`)).body).toMatchObject(SETTINGS);
    const plain = await create();
    const patched = await api.patch(`${OUTBOUND}/${plain.body.id}`, SETTINGS);
    expect(patched).toMatchObject({ status: 200, body: SETTINGS });
    const config = await snapshot();
    for (const trunk of [id, plain.body.id]) {
      expect(config.outboundTrunk(trunk)).toMatchObject({
        gateways: SETTINGS.gateways,
        codecs: ['PCMA'],
        dtmfMode: 'info',
        maxConcurrentCalls: 30,
        maxCallsPerSecond: 2.5,
        numberFormat: 'prefix',
        numberPrefix: '99#',
        fromHost: 'acme.example',
        headers: { 'X-Account': '4711' },
        passCallerId: true,
        transportStrict: true,
      });
    }
    const back = await api.patch(`${OUTBOUND}/${id}`, { number_format: 'national', pass_caller_id: false });
    expect(back.body).toMatchObject({ ...SETTINGS, number_format: 'national', pass_caller_id: false });
    expect(paths(back)).toEqual(['number_prefix']);
    const unlimited = await api.patch(`${OUTBOUND}/${id}`, { max_concurrent_calls: null, max_calls_per_second: null });
    expect(unlimited.body).toMatchObject({ max_concurrent_calls: null, max_calls_per_second: null });
  });

  it.each([
    [{ caller_numbers: ['555'] }, 422, 'emergency_number'],
    [{ gateways: [{ host: 'sip:gw.example' }] }, 400],
    [{ gateways: [{ host: 'gw.example', port: 0 }] }, 400],
    [{ gateways: [{ host: 'gw.example', transport: 'tls' }] }, 400],
    [{ gateways: Array.from({ length: 11 }, () => ({ host: 'gw.example' })) }, 400],
    [{ codecs: ['opus'] }, 400],
    [{ srtp: 'optional' }, 422, 'srtp_unavailable'],
    [{ max_calls_per_second: -1 }, 400],
    [{ number_format: 'e163' }, 400],
    [{ number_format: 'prefix' }, 400],
    [{ number_prefix: 'a' }, 400],
    [{ from_host: 'acme.example:5060' }, 400],
    [{ headers: { Via: 'x' } }, 400],
    [{ headers: { 'X-A': 'x\r\nVia: y' } }, 400],
    [{ allowed_countries: ['XX'] }, 400],
  ] as const)('refuse %j with %i', async (body, status, code: string = 'validation_failed') => {
    expect(await create(body)).toMatchObject({ status, body: { code } });
    const { id } = (await create()).body;
    expect(await api.patch(`${OUTBOUND}/${id}`, body)).toMatchObject({ status, body: { code } });
  });

  it('do not take the prefix from a trunk that needs it', async () => {
    const { id } = (await create({ number_format: 'prefix', number_prefix: '9' })).body;
    const answer = await api.patch(`${OUTBOUND}/${id}`, { number_prefix: '' });
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ path: 'number_prefix' }] } });
  });

  it('name no gateway at a private address where that is not allowed', async () => {
    const strict = await ApiServer.start({ options: { allowPrivateTargets: false } });
    try {
      const gateways = [{ host: 'gw.example' }, { host: '10.0.0.1' }];
      const refused = await strict.post(OUTBOUND, { ...carrier, gateways });
      expect(refused).toMatchObject({ status: 422, body: { code: 'private_target' } });
      expect(refused.body.message).toContain('gateways.1.host');
    } finally {
      await strict.stop();
    }
  });

  describe('decide about calls', () => {
    const call = (more: object): Promise<Answer> => api.post('/phone/outbound-call', more);

    it('which may come from each of its numbers, and from no other', async () => {
      const trunk = (await create({ caller_numbers: ['+15551234568'] })).body;
      const agent = (await api.post('/phone', { name: 'A' })).body;
      const to = { phone_agent_id: agent.id, trunk_id: trunk.id, phone_number: '+15559876543' };
      expect((await call({ ...to, caller_number: '+15551234568' })).body).toMatchObject({ from: '+15551234568' });
      expect((await call(to)).body).toMatchObject({ from: CALLER });
      const refused = await call({ ...to, caller_number: '+15551234569' });
      expect(refused).toMatchObject({ status: 422, body: { code: 'caller_number_not_owned' } });
    });

    it('which go to its countries alone, and to none that is not allowed anyway', async () => {
      const trunk = (await create({ caller_numbers: ['+442079460958'], allowed_countries: ['GB', 'FR'] })).body;
      const agent = (await api.post('/phone', { name: 'A' })).body;
      const to = (phone_number: string) => call({ phone_agent_id: agent.id, trunk_id: trunk.id, phone_number });
      expect((await to('+442079460000')).status).toBe(200);
      const refused = { status: 422, body: { code: 'destination_not_allowed' } };
      const american = await to('+15559876543');
      expect(american).toMatchObject(refused);
      expect(american.body.message).toContain('allowed_countries of the trunk');
      expect(await to('+33123456789')).toMatchObject(refused);
    });
  });
});
