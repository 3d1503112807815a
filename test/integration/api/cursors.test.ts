/** Each list of the document, asked with the cursor of another. */
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
});
