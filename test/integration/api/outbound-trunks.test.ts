import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';
import { openCall } from './support/open-call';
import { readConfig } from '../../support/config-since';

const outboundTrunk = {
  name: 'Carrier',
  host: 'sip.provider.com',
  username: 'user',
  password: 'carrier-secret-1',
  caller_number: '+15551234567',
};

describe('outbound trunks', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it('answers name and times on creation and everything but the password by id', async () => {
    const { body } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    expect(Object.keys(body).sort()).toEqual(['created_at', 'id', 'name', 'updated_at']);
    const { body: full } = await api.get(`/phone/sip/outbound-trunks/${body.id}`);
    expect(full).toEqual({
      ...body,
      host: 'sip.provider.com',
      port: 5060,
      transport: 'udp',
      username: 'user',
      has_password: true,
      caller_number: '+15551234567',
      media_timeout_seconds: 30,
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
      register: false,
      options_ping: true,
      health: {
        state: 'unknown',
        since: expect.any(String),
        checked_at: null,
        reasons: [],
        rtt_ms: null,
        node: null,
        registration: null,
      },
      agents: [],
    });
    expect((await api.get('/phone/sip/outbound-trunks')).body).toContainEqual(body);
  });

  it('keeps the media timeout that it is given', async () => {
    const { body } = await api.post('/phone/sip/outbound-trunks', { ...outboundTrunk, media_timeout_seconds: 90 });
    expect((await api.get(`/phone/sip/outbound-trunks/${body.id}`)).body.media_timeout_seconds).toBe(90);
    const inbound = await api.post('/phone/sip/inbound-trunk', { media_timeout_seconds: 3600 });
    expect(inbound.body.media_timeout_seconds).toBe(3600);
    await api.delete('/phone/sip/inbound-trunk');
  });

  it('leaves port and transport to the records of the host where they are null', async () => {
    const byName = { ...outboundTrunk, port: null, transport: null };
    const { status, body } = await api.post('/phone/sip/outbound-trunks', byName);
    expect(status).toBe(200);
    const { body: full } = await api.get(`/phone/sip/outbound-trunks/${body.id}`);
    expect(full).toMatchObject({ host: 'sip.provider.com', port: null, transport: null });
  });

  it('keeps the password out of answers, logs and audit rows', async () => {
    const dump = JSON.stringify([
      await api.dataSource.query('SELECT * FROM audit_log'),
      await api.dataSource.query('SELECT * FROM outbound_trunks'),
      (await api.get('/phone/sip/outbound-trunks')).body,
    ]);
    expect(dump + api.logs.join('')).not.toContain('carrier-secret-1');
  });

  it('leaves its agents without a trunk when it is deleted', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Dialler' });
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    await api.put(`/phone/sip/agents/${agent.id}/outbound-trunk`, { trunk_id: trunk.id });
    const users = [{ id: agent.id, name: 'Dialler' }];
    expect((await api.get(`/phone/sip/outbound-trunks/${trunk.id}`)).body.agents).toEqual(users);
    await openCall(api, api.tenant, trunk.id);
    expect((await api.delete(`/phone/sip/outbound-trunks/${trunk.id}`)).status).toBe(409);
    const gone = await api.delete(`/phone/sip/outbound-trunks/${trunk.id}?force=true`);
    expect(gone.body).toEqual({ id: trunk.id, deleted: true, detached: { agents: users, campaigns: [] } });
    expect((await api.get(`/phone/sip/agents/${agent.id}/config`)).body.outbound_trunk).toBeNull();
    expect((await api.delete(`/phone/sip/outbound-trunks/${trunk.id}`)).body.code).toBe('outbound_trunk_not_found');
  });

  it.each([
    ['a host with a scheme', { host: 'sip:carrier.example' }, 'host'],
    ['a host with a port', { host: 'carrier.example:5060' }, 'host'],
    ['line breaks in the user name', { username: 'user\r\nX: y' }, 'username'],
    ['a port out of range', { port: 70_000 }, 'port'],
    ['an unknown transport', { transport: 'ws' }, 'transport'],
    ['a caller number that is none', { caller_number: 'me' }, 'caller_number'],
    ['a media timeout below 5 s', { media_timeout_seconds: 4 }, 'media_timeout_seconds'],
    ['a media timeout beyond an hour', { media_timeout_seconds: 3601 }, 'media_timeout_seconds'],
  ])('refuses %s', async (_, change, path) => {
    const { status, body } = await api.post('/phone/sip/outbound-trunks', { ...outboundTrunk, ...change });
    expect(status).toBe(400);
    expect(body.issues.map((issue: { path: string }) => issue.path)).toEqual([path]);
  });

  it('sets and clears the trunk of an agent', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Switcher' });
    const path = `/phone/sip/agents/${agent.id}/outbound-trunk`;
    const unknown = await api.put(path, { trunk_id: uuidV7() });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'outbound_trunk_not_found']);
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    expect((await api.put(path, { trunk_id: trunk.id })).body.outbound_trunk).toEqual({
      id: trunk.id,
      name: 'Carrier',
    });
    expect((await api.put(path, { trunk_id: null })).body.outbound_trunk).toBeNull();
    expect((await api.put(path, {})).status).toBe(400);
  });
});

describe('many changes of trunks at once', () => {
  it('need no more than one database connection each', async () => {
    const api = await ApiServer.start();
    try {
      const headers = (n: number): Record<string, string> => ({ 'Idempotency-Key': `many-${n}` });
      const made = await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          api.post('/phone/sip/inbound-trunk', { phone_numbers: [`+155501008${n + 10}`] }, { headers: headers(n) }),
        ),
      );
      expect(made.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(made.filter(({ status }) => status === 409)).toHaveLength(11);
      const trunks = await Promise.all(
        Array.from({ length: 12 }, () => api.post('/phone/sip/outbound-trunks', outboundTrunk)),
      );
      const gone = await Promise.all(trunks.map(({ body }) => api.delete(`/phone/sip/outbound-trunks/${body.id}`)));
      expect(gone.map(({ status }) => status)).toEqual(gone.map(() => 200));
    } finally {
      await api.stop();
    }
  });
});

describe('private targets where they are not allowed', () => {
  it('refuses private hosts and URLs', async () => {
    const api = await ApiServer.start({ options: { allowPrivateTargets: false } });
    try {
      const trunk = await api.post('/phone/sip/outbound-trunks', { ...outboundTrunk, host: '10.0.0.5' });
      expect([trunk.status, trunk.body.code]).toEqual([422, 'private_target']);
      for (const host of ['127.1', '2130706433', '0x7f.1', '[64:ff9b::7f00:1]']) {
        const spelled = await api.post('/phone/sip/outbound-trunks', { ...outboundTrunk, host });
        expect([host, spelled.status, spelled.body.code]).toEqual([host, 422, 'private_target']);
      }
      const plain = await api.post('/phone', { name: 'x', custom_llm: 'http://example.com/v1' });
      expect([plain.status, plain.body.issues[0].path]).toEqual([400, 'custom_llm']);
      const local = await api.post('/phone', { name: 'x', data_collection_webhook_url: 'https://[::1]/hook' });
      expect(local.body.code).toBe('private_target');
    } finally {
      await api.stop();
    }
  });
});

describe('an outbound trunk', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it.each(['put', 'patch'] as const)('is renamed by %s', async (method) => {
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    const { status, body } = await api[method](`/phone/sip/outbound-trunks/${trunk.id}`, { name: 'Renamed' });
    expect([status, body]).toEqual([200, expect.objectContaining({ id: trunk.id, name: 'Renamed' })]);
    expect((await api.get(`/phone/sip/outbound-trunks/${trunk.id}`)).body).toMatchObject({
      name: 'Renamed',
      host: 'sip.provider.com',
    });
  });

  it('is changed in part, and its new password is the one that nodes are given', async () => {
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    const path = `/phone/sip/outbound-trunks/${trunk.id}`;
    const { body } = await api.patch(path, { port: null, transport: null, password: 'carrier-secret-2' });
    expect(body).toMatchObject({ name: 'Carrier', port: null, transport: null, username: 'user', has_password: true });
    const known = async (): Promise<unknown> =>
      (await readConfig(api)).outboundTrunks.find(({ id }) => id === trunk.id);
    expect(await known()).toMatchObject({ password: 'carrier-secret-2', port: null });
    await api.patch(path, { media_timeout_seconds: 60 });
    expect(await known()).toMatchObject({ password: 'carrier-secret-2', mediaTimeoutSeconds: 60 });
    const kept = JSON.stringify([await api.dataSource.query('SELECT * FROM audit_log'), api.logs]);
    expect(kept).toContain('"password_changed":true');
    expect(kept).not.toContain('carrier-secret-2');
  });

  it.each([
    ['a name that is empty', 'put', { name: ' ' }],
    ['no name', 'put', {}],
    ['a host with a port', 'patch', { host: 'carrier.example:5060' }],
    ['a password of nothing', 'patch', { password: '' }],
  ] as const)('is not given %s', async (_, method, body) => {
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', outboundTrunk);
    expect((await api[method](`/phone/sip/outbound-trunks/${trunk.id}`, body)).status).toBe(400);
  });
});
