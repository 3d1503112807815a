import { ConfigRepository } from '../../../store/repositories/config-repository';
import { uuidV7 } from '../../../store/ids';
import { ApiServer, CALLER } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';
import { readConfig } from '../../support/config-since';

describe('keys, organisations and the audit log', () => {
  let api: ApiServer;
  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
  });
  afterAll(() => api.stop());

  const newOrg = async (limits?: object): Promise<{ id: string; key: string }> => {
    const { status, body } = await api.post('/orgs', { name: 'Customer', ...(limits && { limits }) });
    expect([
      status,
      Object.keys(body)
        .sort()
        .filter((name) => name !== 'warnings'),
    ]).toEqual([201, ['api_key', 'created_at', 'id', 'name']]);
    return { id: body.id, key: body.api_key };
  };

  describe('API keys', () => {
    it('are shown once, listed without what they open with, and work', async () => {
      const made = await api.post('/api-keys', { name: 'CRM', scopes: ['phone:read'] });
      expect(made).toMatchObject({ status: 201, body: { name: 'CRM', scopes: ['phone:read'], expires_at: null } });
      const { id, key } = made.body;
      expect(key).toMatch(/^tl_live_[\w-]{32}$/);
      expect((await api.get('/phone', { key })).status).toBe(200);
      const list = await api.get('/api-keys');
      expect(list.body.items[0]).toMatchObject({ id, prefix: 'tl_live_', last4: key.slice(-4), revoked_at: null });
      expect(JSON.stringify(list.body)).not.toContain(key);
      const audit = await api.get('/audit-log?resource=api_key');
      expect(audit.body.items[0]).toMatchObject({ action: 'create', resource_id: id, key_id: api.tenant.keyId });
      const rows = await api.dataSource.query('SELECT * FROM api_keys');
      expect(JSON.stringify([audit.body, rows]) + api.logs.join('')).not.toContain(key);
    });

    it('open what their scopes name, writing includes reading', async () => {
      const { key } = (await api.post('/api-keys', { name: 'k', scopes: ['phone:write', 'org:read'] })).body;
      expect((await api.get('/phone', { key })).status).toBe(200);
      expect((await api.post('/phone', { name: 'A' }, { key })).status).toBe(200);
      expect((await api.get('/audit-log', { key })).status).toBe(200);
      const refused = await api.get('/phone/sip/outbound-trunks', { key });
      expect(refused).toMatchObject({ status: 403, body: { code: 'missing_scope', required_scope: 'sip:read' } });
      expect((await api.post('/api-keys', { name: 'k', scopes: ['phone:read'] }, { key })).status).toBe(403);
    });

    it('cannot give scopes they lack', async () => {
      const { key } = (await api.post('/api-keys', { name: 'k', scopes: ['org:write', 'phone:write'] })).body;
      const give = (scopes: unknown) => api.post('/api-keys', { name: 'child', scopes }, { key });
      expect((await give(['phone:read', 'org:read'])).status).toBe(201);
      for (const scopes of ['full', ['sip:read'], ['phone:read', 'sip:write']]) {
        expect(await give(scopes)).toMatchObject({ status: 403, body: { code: 'missing_scope' } });
      }
      for (const scopes of [[], ['phone'], ['phone:delete'], 'all', null])
        expect((await give(scopes)).status).toBe(400);
    });

    it("are not the last one of the server's operator when they are revoked, by whomever", async () => {
      const first = await api.createTenant({ operator: true });
      const second = await api.createKey(first.orgId, { operator: true });
      const lapsed = await api.createKey(first.orgId, { operator: true });
      await api.dataSource.query("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = $1", [
        lapsed.keyId,
      ]);
      const revoke = ({ keyId }: Tenant, { key }: Tenant): Promise<Answer> => api.delete(`/api-keys/${keyId}`, { key });
      const both = await Promise.all([revoke(second, first), revoke(first, second)]);
      // Whose own key is gone by then may be refused for that.
      expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
      const left = both[0].status === 200 ? first : second;
      const refused = await revoke(left, left);
      expect([refused.status, refused.body.code]).toEqual([409, 'last_operator_key']);
      expect((await api.get('/orgs', { key: left.key })).status).toBe(200);
    });

    it('are refused from the next request on when they are revoked, by another process too', async () => {
      const other = await ApiServer.start({ database: { dataSource: api.dataSource, secrets: api.secrets } });
      const { id, key } = (await api.post('/api-keys', { name: 'k', scopes: 'full' })).body;
      expect((await api.get('/phone', { key })).status).toBe(200);
      expect((await other.get('/phone', { key })).status).toBe(200);
      expect(await api.delete(`/api-keys/${id}`)).toMatchObject({ status: 200, body: { id, deleted: true } });
      expect((await api.get('/phone', { key })).status).toBe(401);
      expect((await other.get('/phone', { key })).status).toBe(401);
      expect((await api.delete(`/api-keys/${id}`)).body.code).toBe('api_key_not_found');
      const listed = (await api.get('/api-keys')).body.items.find((item: { id: string }) => item.id === id);
      expect(listed.revoked_at).not.toBeNull();
      await other.stop();
    });

    it('expire, and their last use is written', async () => {
      const past = new Date(Date.now() - 1000).toISOString();
      const refused = await api.post('/api-keys', { name: 'k', scopes: 'full', expires_at: past });
      expect(refused).toMatchObject({ status: 400, body: { issues: [{ path: 'expires_at' }] } });
      const later = new Date(Date.now() + 3_600_000).toISOString();
      const { id, key } = (await api.post('/api-keys', { name: 'k', scopes: 'full', expires_at: later })).body;
      expect((await api.get('/phone', { key })).status).toBe(200);
      const used = async (): Promise<unknown> =>
        (await api.dataSource.query('SELECT last_used_at FROM api_keys WHERE id = $1', [id]))[0].last_used_at;
      while ((await used()) === null) await new Promise((resolve) => setTimeout(resolve, 10));
      await api.dataSource.query(`UPDATE api_keys SET expires_at = now() WHERE id = $1`, [id]);
      expect((await api.get('/phone', { key })).status).toBe(401);
    });

    it('that end make none that lives longer', async () => {
      const at = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
      const make = (body: object, key?: string): Promise<Answer> =>
        api.post('/api-keys', { name: 'k', scopes: ['phone:read'], ...body }, key === undefined ? {} : { key });
      const ends = at(2);
      const { key } = (await api.post('/api-keys', { name: 'k', scopes: 'full', expires_at: ends })).body;
      expect(await make({ expires_at: at(1) }, key)).toMatchObject({ status: 201 });
      expect(await make({ expires_at: ends }, key)).toMatchObject({ status: 201, body: { expires_at: ends } });
      for (const expires_at of [at(3), null]) {
        expect(await make({ expires_at }, key)).toMatchObject({ status: 403, body: { code: 'outlives_key' } });
      }
      expect(await make({}, key)).toMatchObject({ status: 201, body: { expires_at: ends } });
      expect(await make({})).toMatchObject({ status: 201, body: { expires_at: null } });
      expect(await make({ expires_at: null })).toMatchObject({ status: 201, body: { expires_at: null } });
    });

    it('are answered again also when their time has passed', async () => {
      const body = { name: 'short', scopes: 'full', expires_at: new Date(Date.now() + 2_000).toISOString() };
      const make = (): Promise<Answer> => api.post('/api-keys', body, { headers: { 'Idempotency-Key': 'short' } });
      const first = await make();
      expect(first.status).toBe(201);
      await new Promise((resolve) => setTimeout(resolve, 2_050));
      expect(await make()).toMatchObject({ status: 201, body: first.body });
    });

    it('are made once with one Idempotency-Key', async () => {
      const headers = { 'Idempotency-Key': uuidV7() };
      const first = await api.post('/api-keys', { name: 'once', scopes: 'full' }, { headers });
      const again = await api.post('/api-keys', { name: 'once', scopes: 'full' }, { headers });
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.body).toEqual(first.body);
    });
  });

  describe('organisations', () => {
    it("are the operator's alone", async () => {
      const { key, id } = await newOrg();
      const body = { name: 'x' };
      expect((await api.post('/orgs', body, { key })).body.code).toBe('operator_only');
      expect((await api.get('/orgs', { key })).body.code).toBe('operator_only');
      expect((await api.get(`/orgs/${id}`, { key })).body.code).toBe('operator_only');
      expect((await api.patch(`/orgs/${id}`, body, { key })).body.code).toBe('operator_only');
      expect((await api.delete(`/orgs/${id}`, { key })).body.code).toBe('operator_only');
    });

    it('begin with a key of their own and nothing else', async () => {
      const { id, key } = await newOrg();
      expect((await api.get('/phone', { key })).body).toEqual([]);
      const agent = await api.post('/phone', { name: 'Theirs' }, { key });
      expect(agent.body.org_id).toBe(id);
      expect((await api.get(`/phone/${agent.body.id}`)).status).toBe(404);
      expect((await api.get('/orgs?limit=1')).body).toMatchObject({ items: [{ id }], next: expect.any(String) });
      expect((await api.get(`/orgs/${id}`)).body).toMatchObject({ id, name: 'Customer', suspended: false });
      const { items } = (await api.get(`/audit-log?resource=organisation&resource_id=${id}`)).body;
      expect(items).toMatchObject([{ action: 'create', key_id: api.tenant.keyId, after: { name: 'Customer' } }]);
      expect(JSON.stringify(items)).not.toContain(key);
    });

    it('are made once with one Idempotency-Key', async () => {
      const headers = { 'Idempotency-Key': uuidV7() };
      const first = await api.post('/orgs', { name: 'Once' }, { headers });
      expect((await api.post('/orgs', { name: 'Once' }, { headers })).body).toEqual(first.body);
    });

    it('say which limits nothing acts on yet, and keep those left out', async () => {
      const made = await api.post('/orgs', { name: 'L', limits: { concurrent_calls: 5, allowed_countries: ['us'] } });
      expect(made.body).not.toHaveProperty('warnings');
      const changed = await api.patch(`/orgs/${made.body.id}`, {
        name: 'M',
        limits: { concurrent_calls: null, daily_minutes: 10 },
      });
      expect(changed.body).toMatchObject({
        name: 'M',
        limits: { concurrent_calls: null, calls_per_second: null, daily_minutes: 10, allowed_countries: ['US'] },
        warnings: [{ path: 'limits.daily_minutes' }],
      });
      expect((await api.patch(`/orgs/${made.body.id}`, { limits: { allowed_countries: ['XX'] } })).status).toBe(400);
    });

    it('call no country beyond their limits', async () => {
      const { id, key } = await newOrg({ allowed_countries: ['DE'] });
      const agent = (await api.post('/phone', { name: 'A' }, { key })).body;
      const carrier = { name: 'C', host: 'sip.provider.com', username: 'u', password: 'p', caller_number: CALLER };
      const trunk = (await api.post('/phone/sip/outbound-trunks', carrier, { key })).body;
      await api.put(`/phone/sip/agents/${agent.id}/outbound-trunk`, { trunk_id: trunk.id }, { key });
      const call = { phone_agent_id: agent.id, phone_number: '+15559876543' };
      const refused = await api.post('/phone/outbound-call', call, { key });
      expect(refused).toMatchObject({ status: 422, body: { code: 'destination_not_allowed', country: 'US' } });
      await api.patch(`/orgs/${id}`, { limits: { allowed_countries: null } });
      expect((await api.post('/phone/outbound-call', call, { key })).status).toBe(200);
    });

    it('suspended: their keys get 403 and nodes lose their trunks, until they are resumed', async () => {
      const { id, key } = await newOrg();
      const trunk = (await api.post('/phone/sip/inbound-trunk', {}, { key })).body;
      const config = new ConfigRepository(api.dataSource);
      const before = await config.currentVersion();
      expect((await api.patch(`/orgs/${id}`, { suspended: true })).body.suspended).toBe(true);
      expect((await api.get('/phone', { key })).body.code).toBe('organisation_suspended');
      const seen = await readConfig(api, before);
      expect(seen).toMatchObject({ inboundTrunks: [], suspended: [{ kind: 'inbound_trunk', id: trunk.id }] });
      expect((await api.patch(`/orgs/${id}`, { suspended: false })).body.suspended).toBe(false);
      expect((await api.get('/phone', { key })).status).toBe(200);
      expect((await readConfig(api, seen.version)).inboundTrunks).toMatchObject([{ id: trunk.id }]);
      const own = await api.patch(`/orgs/${api.tenant.orgId}`, { suspended: true });
      expect(own).toMatchObject({ status: 409, body: { code: 'own_organisation' } });
    });

    it('deleted: all they have set up is gone, and nodes are told', async () => {
      const { id, key } = await newOrg();
      await api.post('/phone', { name: 'A' }, { key });
      const trunk = (await api.post('/phone/sip/inbound-trunk', {}, { key })).body;
      await api.dataSource.query(
        `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at)
         VALUES ($1, $2, $1, 'inbound', '+1', '+2', 'in_progress', now())`,
        [uuidV7(), id],
      );
      const config = new ConfigRepository(api.dataSource);
      const before = await config.currentVersion();
      expect((await api.delete(`/orgs/${id}`)).body).toMatchObject({ statusCode: 409, active_calls: 1 });
      expect((await api.delete(`/orgs/${id}?force=true`)).body).toEqual({ id, deleted: true });
      expect((await api.get('/phone', { key })).status).toBe(401);
      expect((await api.delete(`/orgs/${id}`)).body.code).toBe('organisation_not_found');
      const { deleted } = await readConfig(api, before);
      expect(deleted).toContainEqual({ kind: 'inbound_trunk', id: trunk.id });
      const own = await api.delete(`/orgs/${api.tenant.orgId}?force=true`);
      expect(own).toMatchObject({ status: 409, body: { code: 'own_organisation' } });
    });

    it('more than one: none vouches for its numbers any more by listing them', async () => {
      const { key } = await newOrg();
      const refused = await api.post('/phone/sip/inbound-trunk', { phone_numbers: [CALLER] }, { key });
      expect(refused).toMatchObject({ status: 422, body: { code: 'number_not_verified' } });
    });
  });

  describe('the audit log', () => {
    let tenant: Tenant;
    let password: string;
    beforeAll(async () => {
      tenant = await api.createTenant();
      const { key } = tenant;
      const { body: agent } = await api.post('/phone', { name: 'One' }, { key, headers: { 'X-Request-Id': 'req-1' } });
      await api.patch(`/phone/${agent.id}`, { name: 'Two' }, { key });
      ({ auth_password: password } = (await api.post('/phone/sip/inbound-trunk', {}, { key })).body);
    });

    it('tells who changed what, newest first, in pages', async () => {
      const { key, keyId } = tenant;
      const all = (await api.get('/audit-log', { key })).body.items;
      expect(all.map(({ action, resource }: { action: string; resource: string }) => `${action} ${resource}`)).toEqual([
        'create inbound_trunk',
        'update agent',
        'create agent',
      ]);
      expect(all[1]).toMatchObject({ key_id: keyId, before: { name: 'One' }, after: { name: 'Two' } });
      expect(all[2]).toMatchObject({ request_id: 'req-1', before: null });
      const first = (await api.get('/audit-log?limit=2', { key })).body;
      const rest = (await api.get(`/audit-log?limit=2&cursor=${first.next}`, { key })).body;
      expect([...first.items, ...rest.items]).toEqual(all);
      expect(rest.next).toBeNull();
      expect(password).toHaveLength(32);
      expect(JSON.stringify(all)).not.toContain(password);
    });

    it('is filtered by resource, action and time', async () => {
      const { key } = tenant;
      const count = async (query: string): Promise<number> =>
        (await api.get(`/audit-log?${query}`, { key })).body.items.length;
      const all = (await api.get('/audit-log', { key })).body.items;
      expect(await count('resource=agent')).toBe(2);
      expect(await count('resource=agent&action=update')).toBe(1);
      expect(await count(`resource_id=${all[0].resource_id}`)).toBe(1);
      expect(await count(`created_after=${all[1].at}`)).toBe(2);
      expect(await count(`created_before=${all[1].at}`)).toBe(1);
      expect((await api.get('/audit-log?created_after=yesterday', { key })).status).toBe(400);
      expect((await api.get('/audit-log', { key: (await api.createTenant()).key })).body.items).toEqual([]);
    });
  });
});
