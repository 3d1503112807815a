import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';

const PATH = '/phone/sip/transfer-destinations';
const support = { name: 'Support Team', type: 'phone', value: '+1 555 999-9999' };
const sales = { name: 'Sales', type: 'sip', value: 'sip:sales@pbx.example.com;transport=tcp' };

describe('transfer destinations', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.createTenant();
  });
  afterAll(() => api.stop());

  const newAgent = async (name = 'Agent'): Promise<string> => (await api.post('/phone', { name })).body.id;
  const newDestination = async (body: object = support): Promise<string> => (await api.post(PATH, body)).body.id;

  it('are created with a normalised number, and listed oldest first', async () => {
    const { status, body } = await api.post(PATH, support);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'Support Team',
      type: 'phone',
      value: '+15559999999',
      mode: 'auto',
      ring_timeout_seconds: 30,
      announce: null,
      username: null,
      has_password: false,
    });
    const { body: second } = await api.post(PATH, sales);
    const listed = (await api.get(PATH)).body as { id: string }[];
    expect(listed.map(({ id }) => id).slice(-2)).toEqual([body.id, second.id]);
  });

  it('say on every write what of them is not done yet', async () => {
    const { body } = await api.post(PATH, support);
    expect(body.warnings).toEqual([]);
    const path = (warnings: { path: string }[]): string[] => warnings.map((warning) => warning.path);
    const warm = await api.put(`${PATH}/${body.id}`, { mode: 'warm', announce: 'A caller for you.' });
    expect(path(warm.body.warnings)).toEqual([]);
    const said = await api.put(`${PATH}/${body.id}`, { mode: 'bridge', username: 'u' });
    expect(path(said.body.warnings)).toEqual(['username']);
    const secure = await api.post(PATH, {
      ...sales,
      value: 'sips:sales@pbx.example.com',
      username: 'u',
      password: 'p',
    });
    expect(path(secure.body.warnings)).toEqual(['value']);
    const nameless = await api.post(PATH, { ...sales, password: 'p' });
    expect(path(nameless.body.warnings)).toEqual(['password']);
    expect((await api.get(PATH)).body.at(-1)).not.toHaveProperty('warnings');
  });

  it.each([
    ['a number that is none', { ...support, value: 'sales' }, 400],
    ['an emergency number', { ...support, value: '+1 911' }, 422],
    ['a SIP URI for a number', { ...support, value: sales.value }, 400],
    ['a number for a SIP URI', { ...sales, value: support.value }, 400],
    ['another scheme', { ...sales, value: 'https://pbx.example.com' }, 400],
    ['a password in the URI', { ...sales, value: 'sip:sales:secret@pbx.example.com' }, 400],
    ['headers in the URI', { ...sales, value: 'sip:sales@pbx.example.com?Replaces=x' }, 400],
    ['a line break in the URI', { ...sales, value: 'sip:sales@pbx.example.com\r\nX: y' }, 400],
    ['port 0 in the URI', { ...sales, value: 'sip:sales@pbx.example.com:0' }, 400],
    ['a port that is none in the URI', { ...sales, value: 'sip:sales@pbx.example.com:65536' }, 400],
    ['angle brackets', { ...sales, value: '<sip:sales@pbx.example.com>' }, 400],
    ['a letter that SIP does not have', { ...sales, value: 'sip:s\u010ales@pbx.example.com' }, 400],
    ['no name', { ...support, name: ' ' }, 400],
    ['a name of 256 characters', { ...support, name: 'x'.repeat(256) }, 400],
    ['a value of 501 characters', { ...sales, value: `sip:${'x'.repeat(497)}` }, 400],
    ['a type of its own', { ...support, type: 'fax' }, 400],
    ['a mode of its own', { ...support, mode: 'cold' }, 400],
    ['no time to ring', { ...support, ring_timeout_seconds: 0 }, 400],
  ])('refuse %s', async (_, body, status) => {
    expect((await api.post(PATH, body)).status).toBe(status);
  });

  it.each([
    'sip:100@10.0.0.5:5080',
    'SIP:pbx.example.com',
    'sip:+15551234567@[2001:db8::1]:5070;transport=udp;user=phone',
    'sips:sales@pbx.example.com',
    'sip:a%20b@pbx.example.com',
  ])('take %s', async (value) => {
    expect((await api.post(PATH, { ...sales, value })).body.value).toBe(value);
  });

  it('are changed in part', async () => {
    const id = await newDestination();
    const renamed = await api.put(`${PATH}/${id}`, { name: 'First floor' });
    expect(renamed.body).toMatchObject({ name: 'First floor', type: 'phone', value: '+15559999999' });
    const moved = await api.put(`${PATH}/${id}`, { type: 'sip', value: sales.value, ring_timeout_seconds: 20 });
    expect(moved.body).toMatchObject({ name: 'First floor', type: 'sip', value: sales.value });
    expect(moved.body.ring_timeout_seconds).toBe(20);
    expect(moved.body.created_at).toBe(renamed.body.created_at);
  });

  it('are not left with a value of another type', async () => {
    const id = await newDestination();
    const typed = await api.put(`${PATH}/${id}`, { type: 'sip' });
    expect([typed.status, typed.body.issues[0].path]).toEqual([400, 'type']);
    const valued = await api.put(`${PATH}/${id}`, { value: sales.value });
    expect([valued.status, valued.body.issues[0].path]).toEqual([400, 'value']);
    expect((await api.put(`${PATH}/${uuidV7()}`, { name: 'x' })).body.code).toBe('transfer_destination_not_found');
  });

  it('never show their password again', async () => {
    const credentials = { username: 'sales', password: 'very-secret-9' };
    const { body } = await api.post(PATH, { ...sales, ...credentials });
    expect(body).toMatchObject({ username: 'sales', has_password: true });
    await api.put(`${PATH}/${body.id}`, { password: 'very-secret-9b' });
    const kept = [
      (await api.get(PATH)).body,
      await api.dataSource.query('SELECT * FROM audit_log'),
      await api.dataSource.query('SELECT * FROM transfer_destinations'),
      api.logs,
    ];
    expect(JSON.stringify(kept)).not.toContain('very-secret-9');
    expect((await api.put(`${PATH}/${body.id}`, { password: null })).body.has_password).toBe(false);
  });

  it('have a key of the agent each, which is no other destination of it', async () => {
    const agent = await newAgent();
    const path = `/phone/sip/agents/${agent}/transfer-destinations`;
    const first = await newDestination();
    const second = await newDestination(sales);
    const keys = async (): Promise<unknown> =>
      ((await api.get(path)).body as { keypad: string | null }[]).map(({ keypad }) => keypad);
    expect((await api.post(path, { destination_id: first, keypad: '1' })).body).toMatchObject({ keypad: '1' });
    expect((await api.post(path, { destination_id: second })).body).toMatchObject({ keypad: null });
    const taken = await api.post(path, { destination_id: second, keypad: '1' });
    expect([taken.status, taken.body.code]).toEqual([409, 'key_taken']);
    expect((await api.post(path, { destination_id: first })).body).toMatchObject({ keypad: '1' });
    expect(await keys()).toEqual(['1', null]);
    await api.post(path, { destination_id: first, keypad: null });
    expect((await api.post(path, { destination_id: second, keypad: '1' })).status).toBe(200);
    expect(await keys()).toEqual([null, '1']);
    for (const keypad of ['#', '12', '', 1]) {
      expect((await api.post(path, { destination_id: first, keypad })).status).toBe(400);
    }
    const other = `/phone/sip/agents/${await newAgent('Other')}/transfer-destinations`;
    expect((await api.post(other, { create: sales, keypad: '1' })).body).toMatchObject({ keypad: '1' });
  });

  it('are assigned, once or again, and listed with the agent', async () => {
    const agent = await newAgent();
    const path = `/phone/sip/agents/${agent}/transfer-destinations`;
    const first = await newDestination();
    expect((await api.post(path, { destination_id: first })).body).toMatchObject({ destination_id: first });
    expect((await api.post(path, { destination_id: first })).status).toBe(200);
    const { body: made } = await api.post(path, { create: sales });
    const listed = (await api.get(path)).body as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual([first, made.destination_id]);
    const config = (await api.get(`/phone/sip/agents/${agent}/config`)).body;
    expect(config.transfer_destinations).toEqual([
      { id: first, name: 'Support Team', type: 'phone', value: '+15559999999', keypad: null },
      { id: made.destination_id, ...sales, keypad: null },
    ]);
    expect((await api.delete(`${path}/${first}`)).body).toEqual({ id: first, deleted: true });
    expect((await api.delete(`${path}/${first}`)).body.code).toBe('transfer_destination_not_found');
    expect(((await api.get(path)).body as { id: string }[]).map(({ id }) => id)).toEqual([made.destination_id]);
    expect((await api.get(PATH)).body).toContainEqual(expect.objectContaining({ id: first }));
  });

  it.each([
    ['neither', {}],
    ['both', { destination_id: uuidV7(), create: sales }],
  ])('are not assigned with %s of id and creation', async (_, body) => {
    const agent = await newAgent();
    expect((await api.post(`/phone/sip/agents/${agent}/transfer-destinations`, body)).status).toBe(400);
  });

  it('are not created for an agent that is not there', async () => {
    const before = (await api.get(PATH)).body;
    const answer = await api.post(`/phone/sip/agents/${uuidV7()}/transfer-destinations`, { create: sales });
    expect([answer.status, answer.body.code]).toEqual([404, 'agent_not_found']);
    expect((await api.get(PATH)).body).toEqual(before);
  });

  it("are nobody else's to see, change, assign or fall back to", async () => {
    const stranger = (await api.createTenant()).key;
    const id = await newDestination();
    const theirs = (await api.post('/phone', { name: 'Theirs' }, { key: stranger })).body.id;
    expect((await api.get(PATH, { key: stranger })).body).toEqual([]);
    for (const [method, path, body] of [
      ['put', `${PATH}/${id}`, { name: 'Taken' }],
      ['delete', `${PATH}/${id}`, undefined],
      ['post', `/phone/sip/agents/${theirs}/transfer-destinations`, { destination_id: id }],
      ['patch', `/phone/${theirs}`, { failover_transfer_destination_id: id }],
    ] as const) {
      const answer =
        method === 'delete'
          ? await api.delete(path, { key: stranger })
          : await api[method](path, body, { key: stranger });
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'transfer_destination_not_found']);
    }
  });

  it('leave their agents when they are deleted, also those that fell back to them', async () => {
    const id = await newDestination();
    const assigned = await newAgent('Assigned');
    await api.post(`/phone/sip/agents/${assigned}/transfer-destinations`, { destination_id: id });
    const fallen = await api.post('/phone', { name: 'Fallen', failover_transfer_destination_id: id });
    expect(fallen.body.failover_transfer_destination_id).toBe(id);
    const gone = await api.delete(`${PATH}/${id}`);
    expect(gone.body).toEqual({
      id,
      deleted: true,
      detached: {
        agents: [
          { id: assigned, name: 'Assigned' },
          { id: fallen.body.id, name: 'Fallen' },
        ],
      },
    });
    expect((await api.get(`/phone/${fallen.body.id}`)).body.failover_transfer_destination_id).toBeNull();
    expect((await api.get(`/phone/sip/agents/${assigned}/transfer-destinations`)).body).toEqual([]);
  });

  it('stay when an agent that had them is deleted', async () => {
    const id = await newDestination();
    const agent = await newAgent();
    await api.post(`/phone/sip/agents/${agent}/transfer-destinations`, { destination_id: id });
    expect((await api.delete(`/phone/${agent}`)).status).toBe(200);
    expect((await api.get(PATH)).body).toContainEqual(expect.objectContaining({ id }));
  });

  it('are one for one Idempotency-Key, and another agent with it is another request', async () => {
    const headers = { 'Idempotency-Key': 'destination-1' };
    const [one, other] = [await newAgent('One'), await newAgent('Other')];
    const path = (agent: string): string => `/phone/sip/agents/${agent}/transfer-destinations`;
    const first = await api.post(path(one), { create: sales }, { headers });
    const again = await api.post(path(one), { create: sales }, { headers });
    expect(again.body).toEqual(first.body);
    expect((await api.get(path(one))).body).toHaveLength(1);
    const elsewhere = await api.post(path(other), { create: sales }, { headers });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([422, 'idempotency_mismatch']);
  });
});

it('no private SIP target where they are not allowed', async () => {
  const api = await ApiServer.start({ options: { allowPrivateTargets: false } });
  try {
    for (const host of ['10.0.0.5', '[::1]', '127.1', 'localhost']) {
      const answer = await api.post(PATH, { ...sales, value: `sip:sales@${host}:5060` });
      expect([host, answer.status, answer.body.code]).toEqual([host, 422, 'private_target']);
      const instead = await api.post(PATH, { ...sales, value: `sip:sales@pbx.example.com;lr;MADDR=${host}` });
      expect([host, instead.status, instead.body.code]).toEqual([host, 422, 'private_target']);
    }
  } finally {
    await api.stop();
  }
});
