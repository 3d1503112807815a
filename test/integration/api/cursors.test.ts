/** Each list of the document, asked with the cursor of another. */
import { uuidV7 } from '../../../store/ids';
import { EventRepository } from '../../../store/repositories/event-repository';
import { ApiServer } from './support/api-server';
import { keyedOperations } from './support/document-operations';
import type { KeyedOperation } from './support/document-operations';
import { makeAll } from './support/things';

describe('cursors', () => {
  let api: ApiServer;
  let lists: readonly KeyedOperation[];
  let paths: Readonly<Record<string, string>>;

  beforeAll(async () => {
    api = await ApiServer.start();
    const paged = (path: string): boolean => /"name":"cursor"/.test(JSON.stringify(api.openapi.paths[path]?.['get']));
    lists = keyedOperations(api.openapi).filter(({ method, path }) => method === 'GET' && paged(path));
    const kinds = [...new Set(lists.flatMap(({ resource }) => resource ?? []))];
    const ids = await makeAll(api, api.tenant, kinds);
    paths = Object.fromEntries(
      lists.map(({ operationId, path, resource }) => [operationId, path.replace('{id}', ids[resource ?? ''] ?? '')]),
    );
    for (const name of ['A', 'B']) await api.post('/contacts', { contact: { name } });
    const base = { callId: ids['call'] ?? '', orgId: api.tenant.orgId, type: 'ringing', status: 180 } as const;
    await new EventRepository(api.dataSource, api.secrets).insertBatch([
      { ...base, seq: 1, atMs: 1 },
      { ...base, seq: 2, atMs: 2 },
    ]);
  });
  afterAll(() => api.stop());

  it.each(['listContacts', 'listCallEvents'])('of %s lead on there, and nowhere else', async (of) => {
    const { next } = (await api.get(`${paths[of]}?limit=1`)).body;
    const answers = await Promise.all(
      lists.map(async ({ operationId }) => {
        const { status, body } = await api.get(`${paths[operationId]}?cursor=${next}`);
        return [operationId, status, body.code];
      }),
    );
    expect(lists.length).toBeGreaterThan(9);
    expect(answers).toEqual(
      lists.map(({ operationId }) =>
        operationId === of ? [of, 200, undefined] : [operationId, 422, 'cursor_of_another_list'],
      ),
    );
  });

  it.each(['contacts', 'imports', 'events'])('of one campaign’s %s lead on there, not in another’s', async (list) => {
    const { body: agent } = await api.post('/phone', { name: 'Caller' });
    const campaigns: string[] = [];
    for (const name of ['one', 'other']) {
      const { id } = (await api.post('/phone/campaigns', { name, phone_agent_id: agent.id })).body;
      for (const n of [1, 2]) {
        await api.post(`/phone/campaigns/${id}/contacts`, { contacts: [{ phone_number: `+1555000000${n}` }] });
        await api.dataSource.query(
          `INSERT INTO campaign_events (id, org_id, campaign_id, type) VALUES ($1, $2, $3, 'changed')`,
          [uuidV7(), api.tenant.orgId, id],
        );
      }
      campaigns.push(id);
    }
    const page = (campaign: string, query: string) => api.get(`/phone/campaigns/${campaign}/${list}?${query}`);
    const [one = '', other = ''] = campaigns;
    const first = (await page(one, 'limit=1')).body;
    const { status, body } = await page(other, `cursor=${first.next}`);
    expect([status, body.code]).toEqual([422, 'cursor_of_another_list']);
    // Clients may write a UUID in capitals.
    const second = (await page(one.toUpperCase(), `cursor=${first.next}`)).body;
    expect(second.items).toHaveLength(1);
    expect(second.items[0].id).not.toBe(first.items[0].id);
  });
});
