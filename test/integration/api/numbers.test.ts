import { ApiServer } from './support/api-server';

describe('phone numbers', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  const attest = (phone_number: string, key?: string) =>
    api.post('/phone/numbers', { phone_number, method: 'attest' }, key === undefined ? {} : { key });

  it("are verified at once by an operator's word", async () => {
    const { status, body } = await attest('+1 555 010 0100');
    expect(status).toBe(201);
    expect(body).toMatchObject({ phone_number: '+15550100100', status: 'verified', method: 'attest' });
    expect(body.verified_at).not.toBeNull();
    expect((await api.get(`/phone/numbers/${body.id}`)).body).toEqual(body);
  });

  it('need the key of an operator who may write the organisation', async () => {
    const tenant = await api.createTenant();
    const { status, body } = await attest('+15550100200', tenant.key);
    expect([status, body.code]).toEqual([403, 'operator_only']);
    const narrow = await api.createKey(api.tenant.orgId, { operator: true, scopes: ['phone:write'] });
    expect((await attest('+15550100200', narrow.key)).body.code).toBe('operator_only');
    const wide = await api.createKey(api.tenant.orgId, { operator: true, scopes: ['phone:write', 'org:write'] });
    expect((await attest('+15550100200', wide.key)).status).toBe(201);
  });

  it('belong to one organisation while verified', async () => {
    const { body } = await attest('+15550100300');
    const again = await attest('+15550100300');
    expect([again.status, again.body.code, again.body.phone_number_id]).toEqual([409, 'number_exists', body.id]);
    const other = await api.createTenant({ operator: true });
    const taken = await attest('+15550100300', other.key);
    expect([taken.status, taken.body.code]).toEqual([409, 'number_taken']);
    expect(JSON.stringify(taken.body)).not.toContain(api.tenant.orgId);
  });

  it('belong to one agent; another one is told whose it is', async () => {
    const { body: number } = await attest('+15550100400');
    const { body: first } = await api.post('/phone', { name: 'First' });
    const { body: second } = await api.post('/phone', { name: 'Second' });
    const assign = (agent: { id: string }, ids: string[]) =>
      api.put(`/phone/sip/agents/${agent.id}/inbound-numbers`, { phone_number_ids: ids });
    expect((await assign(first, [number.id])).body.inbound_numbers).toEqual([
      { id: number.id, phone_number: '+15550100400' },
    ]);
    const upperCase = await assign({ id: first.id.toUpperCase() }, [number.id.toUpperCase()]);
    expect([upperCase.status, upperCase.body.phone_agent_id]).toEqual([200, first.id]);
    const refused = await assign(second, [number.id]);
    expect([refused.status, refused.body.code]).toEqual([409, 'number_assigned']);
    expect(refused.body).toMatchObject({ phone_agent_id: first.id, message: expect.stringContaining('First') });
    expect((await assign(first, [])).body.inbound_numbers).toEqual([]);
    expect((await assign(second, [number.id])).body.inbound_numbers).toHaveLength(1);
  });

  it('unknown to the organisation cannot be assigned', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Nobody' });
    const { status, body } = await api.put(`/phone/sip/agents/${agent.id}/inbound-numbers`, {
      phone_number_ids: ['01937f3e-8123-7d4e-a5f6-0718293a4b04'],
    });
    expect([status, body.code]).toEqual([404, 'phone_number_not_found']);
  });

  it('leave their agent and the inbound trunk when given up', async () => {
    const { body: number } = await attest('+15550100500');
    const { body: agent } = await api.post('/phone', { name: 'Holder' });
    await api.put(`/phone/sip/agents/${agent.id}/inbound-numbers`, { phone_number_ids: [number.id] });
    await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15550100500'] });
    const { body } = await api.delete(`/phone/numbers/${number.id}`);
    expect(body.detached).toEqual({ agents: [{ id: agent.id, name: 'Holder' }], inbound_trunk: true });
    expect((await api.get('/phone/sip/inbound-trunk')).body.phone_numbers).toEqual([]);
    expect((await api.delete(`/phone/numbers/${number.id}`)).body.code).toBe('phone_number_not_found');
  });

  it('are listed in pages, newest first', async () => {
    const all = (await api.get('/phone/numbers?limit=100')).body.items;
    const first = await api.get('/phone/numbers?limit=2');
    expect(first.body.items).toEqual(all.slice(0, 2));
    const second = await api.get(`/phone/numbers?limit=2&cursor=${first.body.next}`);
    expect(second.body.items).toEqual(all.slice(2, 4));
    const bad = await api.get('/phone/numbers?cursor=nonsense');
    expect([bad.status, bad.body.issues[0].path]).toEqual([400, 'cursor']);
    expect((await api.get('/phone/numbers?limit=101')).status).toBe(400);
  });
});
