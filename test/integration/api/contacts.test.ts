import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';

describe('contacts', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  const create = async (contact: object): Promise<string> => (await api.post('/contacts', { contact })).body.id;

  it('are created in their wrapper, answered by id alone, and read as a whole', async () => {
    const given = {
      name: 'Ada',
      phone: '+1 (555) 987-6543',
      email: 'ada@example.com',
      custom_data: { plan: ['gold'] },
    };
    const { status, body } = await api.post('/contacts', { contact: given });
    expect([status, Object.keys(body)]).toEqual([201, ['id']]);
    expect((await api.get(`/contacts/${body.id}`)).body).toEqual({
      id: body.id,
      name: 'Ada',
      phone_number: '+15559876543',
      email: 'ada@example.com',
      custom_data: { plan: ['gold'] },
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
  });

  it('are changed in part; custom data as a whole', async () => {
    const id = await create({ name: 'Bob', custom_data: { a: 1, b: 2 } });
    const { body } = await api.patch(`/contacts/${id}`, {
      contact: { email: 'bob@example.com', custom_data: { c: 3 } },
    });
    expect(body).toMatchObject({ name: 'Bob', email: 'bob@example.com', phone_number: null, custom_data: { c: 3 } });
    expect((await api.patch(`/contacts/${id}`, { contact: { name: null } })).body.name).toBeNull();
  });

  it('are listed newest first, page by page', async () => {
    const ids = [await create({ name: 'c1' }), await create({ name: 'c2' }), await create({ name: 'c3' })];
    const first = (await api.get('/contacts?limit=2')).body;
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]]);
    expect((await api.get(`/contacts?limit=1&cursor=${first.next}`)).body.items[0].id).toBe(ids[0]);
  });

  it('are found by the times of their creation and their change', async () => {
    const old = await create({ name: 'old' });
    await api.dataSource.query(
      `UPDATE contacts SET created_at = '2020-01-01', updated_at = '2020-01-02' WHERE id = $1`,
      [old],
    );
    const idsOf = async (query: string): Promise<string[]> =>
      (await api.get(`/contacts?${query}`)).body.items.map(({ id }: { id: string }) => id);
    expect(await idsOf('created_before=2021-01-01T00:00:00Z')).toEqual([old]);
    expect(await idsOf('updated_after=2020-01-02T00:00:00Z&updated_before=2020-01-03T00:00:00Z')).toEqual([old]);
    expect(await idsOf('created_after=2021-01-01T00:00:00Z&created_before=2021-01-02T00:00:00Z')).toEqual([]);
    expect(await idsOf('updated_after=2021-01-01T00:00:00Z')).not.toContain(old);
    await api.patch(`/contacts/${old}`, { contact: { name: 'new' } });
    expect(await idsOf('updated_after=2021-01-01T00:00:00Z')).toContain(old);
  });

  it('are deleted once', async () => {
    const id = await create({ name: 'Gone' });
    expect((await api.delete(`/contacts/${id}`)).body).toEqual({ id, deleted: true });
    for (const answer of [
      await api.delete(`/contacts/${id}`),
      await api.get(`/contacts/${id}`),
      await api.patch(`/contacts/${uuidV7()}`, { contact: {} }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'contact_not_found']);
    }
  });

  it.each([
    ['no wrapper', { name: 'Ada' }, 400],
    ['an address that is none', { contact: { email: 'ada' } }, 400],
    ['a number that is none', { contact: { phone: 'ada' } }, 400],
    ['an emergency number', { contact: { phone: '112' } }, 422],
    ['data that is a list', { contact: { custom_data: [] } }, 400],
    ['a name of 256 characters', { contact: { name: 'x'.repeat(256) } }, 400],
  ])('are refused with %s', async (_, body, status) => {
    expect((await api.post('/contacts', body)).status).toBe(status);
  });

  it("are their organisation's, and take a key with their scope", async () => {
    const id = await create({ name: 'Mine' });
    const { key } = await api.createTenant();
    expect((await api.get('/contacts', { key })).body.items).toEqual([]);
    expect((await api.get(`/contacts/${id}`, { key })).status).toBe(404);
    expect((await api.patch(`/contacts/${id}`, { contact: { name: 'Taken' } }, { key })).status).toBe(404);
    expect((await api.delete(`/contacts/${id}`, { key })).status).toBe(404);
    const phoneOnly = (await api.createTenant({ scopes: ['phone:read', 'phone:write'] })).key;
    expect((await api.get('/contacts', { key: phoneOnly })).status).toBe(403);
  });
});
