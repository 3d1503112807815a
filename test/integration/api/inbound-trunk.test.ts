import { setTimeout as sleep } from 'node:timers/promises';

import { RegistrationRepository } from '../../../store/repositories/registration-repository';
import { uuidV7 } from '../../../store/ids';
import { BINDING } from '../../fakes/media/sip/registers';
import { ApiServer } from './support/api-server';
import { openCall } from './support/open-call';
import { readConfig } from '../../support/config-since';

describe('the inbound trunk', () => {
  let api: ApiServer;

  beforeEach(async () => {
    api = await ApiServer.start();
  });
  afterEach(() => api.stop());

  it("vouches for the numbers in the body of a server's only organisation", async () => {
    const { status, body } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    expect(status).toBe(200);
    expect(body).toMatchObject({ phone_numbers: ['+15551234567'], krisp_enabled: true, auth: 'digest' });
    expect(body.media_timeout_seconds).toBe(30);
    const { body: numbers } = await api.get('/phone/numbers');
    expect(numbers.items).toMatchObject([{ phone_number: '+15551234567', status: 'verified', method: 'attest' }]);
    expect((await api.get('/phone/sip/inbound-trunk')).body).toEqual({ ...body, registrations: [] });
  });

  it('shows who is registered with it, without passwords, and to nobody else', async () => {
    const { body: trunk } = await api.post('/phone/sip/inbound-trunk');
    const other = await api.createTenant();
    await api.post('/phone/sip/inbound-trunk', undefined, { key: other.key });
    const times = { registeredAtMs: Date.now() - 5_000, refreshedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
    const binding = { ...BINDING, id: uuidV7(), contact: 'sip:pbx:hunter2@[2001:db8::1]:5060', ...times };
    const source = { transport: 'tcp', address: '2001:db8::1', port: 5061 } as const;
    await new RegistrationRepository(api.dataSource).update({ trunkId: trunk.id, orgId: api.tenant.orgId }, () => [
      { ...binding, source, userAgent: 'FPBX' },
    ]);
    expect((await api.get('/phone/sip/inbound-trunk')).body.registrations).toEqual([
      {
        contact: 'sip:pbx@[2001:db8::1]:5060',
        transport: 'tcp',
        source: '[2001:db8::1]:5061',
        path: [],
        user_agent: 'FPBX',
        registered_at: new Date(times.registeredAtMs).toISOString(),
        refreshed_at: new Date(times.refreshedAtMs).toISOString(),
        expires_at: new Date(times.expiresAtMs).toISOString(),
      },
    ]);
    expect((await api.get('/phone/sip/inbound-trunk', { key: other.key })).body.registrations).toEqual([]);
  });

  it('takes listed numbers only when they are verified, once there are two organisations', async () => {
    await api.createTenant();
    const { status, body } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    expect([status, body.code]).toEqual([422, 'number_not_verified']);
    expect((await api.get('/phone/sip/inbound-trunk')).status).toBe(404);
    await api.post('/phone/numbers', { phone_number: '+15551234567', method: 'attest' });
    expect((await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] })).status).toBe(200);
    const another = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15559999999'] });
    expect([another.status, another.body.code]).toEqual([409, 'inbound_trunk_exists']);
  });

  it('takes all verified numbers when none are listed, and none when the list is empty', async () => {
    await api.post('/phone/numbers', { phone_number: '+15550100001', method: 'attest' });
    await api.post('/phone/numbers', { phone_number: '+15550100002', method: 'attest' });
    const { body } = await api.post('/phone/sip/inbound-trunk');
    expect(new Set(body.phone_numbers)).toEqual(new Set(['+15550100001', '+15550100002']));
    await api.delete('/phone/sip/inbound-trunk');
    expect((await api.post('/phone/sip/inbound-trunk', { phone_numbers: [] })).body.phone_numbers).toEqual([]);
  });

  it('exists once per organisation', async () => {
    await api.post('/phone/sip/inbound-trunk', {});
    const { status, body } = await api.post('/phone/sip/inbound-trunk', {});
    expect([status, body.code]).toEqual([409, 'inbound_trunk_exists']);
  });

  it('is not deleted under active calls unless forced', async () => {
    const { body: trunk } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    await openCall(api, api.tenant, trunk.id);
    const refused = await api.delete('/phone/sip/inbound-trunk');
    expect([refused.status, refused.body.code, refused.body.active_calls]).toEqual([409, 'trunk_has_active_calls', 1]);
    const gone = await api.delete('/phone/sip/inbound-trunk?force=true');
    expect(gone.body).toEqual({ id: trunk.id, deleted: true, detached: { phone_numbers: ['+15551234567'] } });
    expect((await api.delete('/phone/sip/inbound-trunk')).body.code).toBe('inbound_trunk_not_found');
  });

  it('shows its password on its own routes and nowhere else', async () => {
    const { body: trunk } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    await api.delete('/phone/sip/inbound-trunk');
    const dump = JSON.stringify(await api.dataSource.query('SELECT * FROM audit_log'));
    expect(dump).toContain(trunk.auth_username);
    expect(dump).not.toContain(trunk.auth_password);
    expect(api.logs.join('')).not.toContain(trunk.auth_password);
  });

  it('replays its creation with the same Idempotency-Key', async () => {
    const headers = { 'Idempotency-Key': 'trunk-1' };
    const body = { phone_numbers: ['+15551234567'], krisp_enabled: false };
    const first = await api.post('/phone/sip/inbound-trunk', body, { headers });
    const reordered = { krisp_enabled: false, phone_numbers: ['+15551234567'] };
    const again = await api.post('/phone/sip/inbound-trunk', reordered, { headers });
    expect(again.body).toEqual(first.body);
    expect([first, again].map((a) => a.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
    const other = await api.post('/phone/sip/inbound-trunk', {}, { headers });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
    const rows = await api.dataSource.query('SELECT * FROM idempotency_keys');
    expect(JSON.stringify(rows)).not.toContain(first.body.auth_password);
  });
});

describe('the SIP endpoint of the inbound trunk', () => {
  const sip = { hosts: ['192.0.2.1'], port: 5060, publicHost: null };
  let api: ApiServer;

  afterEach(() => api.stop());

  it('is that of the media node, on whatever host the API runs', async () => {
    api = await ApiServer.start({ options: { sip } });
    await api.seeNode('media.other.example:5070');
    const { body } = await api.post('/phone/sip/inbound-trunk');
    expect(body.sip_endpoint).toBe('media.other.example:5070');
    expect((await api.get('/phone/sip/inbound-trunk')).body).toEqual({ ...body, registrations: [] });
  });

  it("is the public host of the API's environment where one is set", async () => {
    api = await ApiServer.start({ options: { sip: { ...sip, publicHost: 'sip.example.com' } } });
    await api.seeNode('media.other.example:5070');
    expect((await api.post('/phone/sip/inbound-trunk')).body.sip_endpoint).toBe('sip.example.com');
  });

  it('is no longer that of a node that is lost', async () => {
    api = await ApiServer.start({ options: { sip } });
    await api.seeNode('media.other.example:5070');
    await api.loseNode();
    expect((await api.post('/phone/sip/inbound-trunk')).body.sip_endpoint).toBe('192.0.2.1');
    await api.seeNode('media.third.example');
    expect((await api.get('/phone/sip/inbound-trunk')).body.sip_endpoint).toBe('media.third.example');
  });
});

describe('two deletions at once', () => {
  it('are one that deletes and one that finds nothing', async () => {
    const api = await ApiServer.start();
    try {
      const { body: number } = await api.post('/phone/numbers', { phone_number: '+15550100700', method: 'attest' });
      await api.post('/phone/sip/inbound-trunk', { phone_numbers: [] });
      const deleteTwice = async (path: string, table: string): Promise<number[]> => {
        const runner = api.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.query(`SELECT 1 FROM ${table} FOR UPDATE`);
        const answers = Promise.all([api.delete(path), api.delete(path)]);
        await sleep(300); // Both have found the row by now and wait for it.
        await runner.commitTransaction();
        await runner.release();
        return (await answers).map(({ status }) => status);
      };
      for (const [path, table] of [
        [`/phone/numbers/${number.id}`, 'phone_numbers'],
        ['/phone/sip/inbound-trunk', 'inbound_trunks'],
      ] as const) {
        expect(new Set(await deleteTwice(path, table))).toEqual(new Set([200, 404]));
      }
    } finally {
      await api.stop();
    }
  });
});

describe('a change of the inbound trunk', () => {
  const PATH = '/phone/sip/inbound-trunk';

  it('says so when a media node does not act on it in time, until the node does', async () => {
    const api = await ApiServer.start();
    try {
      await api.seeNode('media.example', 0);
      const { body } = await api.post(PATH, { phone_numbers: ['+15551234567'] });
      expect([body.propagating, body.phone_numbers]).toEqual([true, ['+15551234567']]);
      expect((await api.get(PATH)).body.propagating).toBe(true);
      await api.dataSource.query('UPDATE media_nodes SET config_version = 1000');
      expect((await api.get(PATH)).body).not.toHaveProperty('propagating');
    } finally {
      await api.stop();
    }
  });

  it('waits for no node that is lost', async () => {
    const api = await ApiServer.start();
    try {
      await api.seeNode('media.example', 0);
      await api.loseNode();
      expect((await api.post(PATH, {})).body).not.toHaveProperty('propagating');
      expect((await api.delete(PATH)).body).not.toHaveProperty('propagating');
    } finally {
      await api.stop();
    }
  });
});

describe("the rotation of the trunk's credentials", () => {
  const PATH = '/phone/sip/inbound-trunk';
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  const configured = async (): Promise<unknown> => (await readConfig(api)).inboundTrunks[0];

  it('gives another password, and nodes the old one with its end', async () => {
    const { body: before } = await api.post(PATH, {});
    expect(before.previous_password_valid_until).toBeNull();
    const { status, body } = await api.post(`${PATH}/rotate-credentials`, { grace_seconds: 600 });
    expect([status, body.auth_username]).toEqual([200, before.auth_username]);
    expect(body.auth_password).toHaveLength(32);
    expect(body.auth_password).not.toBe(before.auth_password);
    const validUntilMs = Date.parse(body.previous_password_valid_until);
    expect(Math.abs(validUntilMs - Date.now() - 600_000)).toBeLessThan(30_000);
    expect(await configured()).toMatchObject({
      authPassword: body.auth_password,
      previousPassword: { password: before.auth_password, validUntilMs },
    });
    expect((await api.get(PATH)).body).toEqual({ ...body, registrations: [] });
    const kept = JSON.stringify([
      await api.dataSource.query('SELECT * FROM audit_log'),
      await api.dataSource.query('SELECT * FROM inbound_trunks'),
      api.logs,
    ]);
    for (const password of [before.auth_password, body.auth_password]) expect(kept).not.toContain(password);
  });

  it('without grace leaves nothing of the old one', async () => {
    const { body } = await api.post(`${PATH}/rotate-credentials`, { grace_seconds: 0 });
    expect(body.previous_password_valid_until).toBeNull();
    expect(await configured()).toMatchObject({ authPassword: body.auth_password, previousPassword: null });
  });

  it.each([-1, 604_801, 1.5, '60'])('takes no grace of %p', async (grace_seconds) => {
    expect((await api.post(`${PATH}/rotate-credentials`, { grace_seconds })).status).toBe(400);
  });
});

describe('the numbers and settings of the inbound trunk', () => {
  const PATH = '/phone/sip/inbound-trunk';
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.createTenant();
    for (const n of [1, 2, 3]) await api.post('/phone/numbers', { phone_number: `+1555010000${n}`, method: 'attest' });
  });
  beforeEach(async () => {
    await api.delete(PATH);
    await api.post(PATH, { phone_numbers: ['+15550100001'] });
  });
  afterAll(() => api.stop());

  it('are added, each once, in the order of their coming', async () => {
    const { status, body } = await api.post(`${PATH}/phone-numbers`, {
      phone_numbers: ['+15550100002', '+15550100001'],
    });
    expect(status).toBe(200);
    expect(body.phone_numbers).toEqual(['+15550100001', '+15550100002']);
    expect(body.auth_password).toHaveLength(32);
  });

  it('are added all or none, and only verified ones', async () => {
    const numbers = ['+15550100002', '+15550199999'];
    const { status, body } = await api.post(`${PATH}/phone-numbers`, { phone_numbers: numbers });
    expect([status, body.code, body.phone_numbers]).toEqual([422, 'number_not_verified', ['+15550199999']]);
    expect((await api.get(PATH)).body.phone_numbers).toEqual(['+15550100001']);
  });

  it.each(['+15550100001', '%2B15550100001'])('are removed as %s', async (spelling) => {
    expect((await api.delete(`${PATH}/phone-numbers/${spelling}`)).body.phone_numbers).toEqual([]);
    const again = await api.delete(`${PATH}/phone-numbers/${spelling}`);
    expect([again.status, again.body.code]).toEqual([404, 'phone_number_not_found']);
    expect((await api.get('/phone/numbers')).body.items).toHaveLength(3);
  });

  it('are those that are verified after a sync, at many syncs at once too', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.post(`${PATH}/sync`)));
    for (const { status, body } of answers) {
      expect([status, body.phone_numbers]).toEqual([200, ['+15550100001', '+15550100002', '+15550100003']]);
    }
  });

  it('lose none when many are added at once', async () => {
    const add = (n: number): Promise<{ status: number }> =>
      api.post(`${PATH}/phone-numbers`, { phone_numbers: [`+1555010000${n}`] });
    await Promise.all([2, 3, 2, 3].map(add));
    const listed = new Set((await api.get(PATH)).body.phone_numbers);
    expect(listed).toEqual(new Set(['+15550100001', '+15550100002', '+15550100003']));
  });

  it('are changed in part, and the credentials stay', async () => {
    const { body: before } = await api.get(PATH);
    const { body } = await api.patch(PATH, { media_timeout_seconds: 90 });
    const changed = { ...before, media_timeout_seconds: 90, updated_at: body.updated_at };
    expect({ ...body, registrations: [] }).toEqual(changed);
    const quiet = (await api.patch(PATH, { krisp_enabled: false })).body;
    expect([quiet.krisp_enabled, quiet.media_timeout_seconds, quiet.warnings]).toEqual([false, 90, undefined]);
    expect((await api.patch(PATH, { media_timeout_seconds: 1 })).status).toBe(400);
  });

  it('are told apart from those of no trunk', async () => {
    await api.delete(PATH);
    const answers = [
      await api.post(`${PATH}/sync`),
      await api.post(`${PATH}/phone-numbers`, { phone_numbers: ['+15550100001'] }),
      await api.delete(`${PATH}/phone-numbers/+15550100001`),
      await api.patch(PATH, { krisp_enabled: false }),
    ];
    for (const { status, body } of answers) expect([status, body.code]).toEqual([404, 'inbound_trunk_not_found']);
  });
});
