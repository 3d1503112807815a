import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiServer } from './support/api-server';

describe('numbers that are not called', () => {
  let api: ApiServer;
  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it('are listed, found by their number, and taken away, each with a note', async () => {
    const { status, body } = await api.post('/phone/dnc', { phone_number: '+1 555 000 0001', reason: 'Letter' });
    expect([status, body.phone_number, body.reason, body.source]).toEqual([201, '+15550000001', 'Letter', 'api']);
    const again = await api.post('/phone/dnc', { phone_number: '+15550000001', reason: 'Another' });
    expect(again.body).toEqual(body);
    expect((await api.get('/phone/dnc?phone_number=+15550000001')).body.items).toEqual([body]);
    expect((await api.get('/phone/dnc?phone_number=x')).body.items).toEqual([]);
    expect((await api.delete(`/phone/dnc/${body.id}`)).body).toEqual({ id: body.id, deleted: true });
    expect((await api.delete(`/phone/dnc/${body.id}`)).body.code).toBe('dnc_entry_not_found');
    const { items } = (await api.get('/audit-log?resource=dnc_entry')).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['delete', 'create']);
    expect(items[0].before).toMatchObject({ phone_number: '+15550000001' });
  });

  it("of the whole server are the operator's alone", async () => {
    const { key } = await api.createTenant();
    const { body } = await api.post('/phone/dnc?list=global', { phone_number: '+15550000002' });
    for (const answer of [
      await api.get('/phone/dnc?list=global', { key }),
      await api.post('/phone/dnc?list=global', { phone_number: '+15550000003' }, { key }),
      await api.delete(`/phone/dnc/${body.id}?list=global`, { key }),
      await api.post('/phone/dnc/import?list=global', { entries: [{ phone_number: '+15550000003' }] }, { key }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'operator_only']);
    }
    expect((await api.get('/phone/dnc', { key })).body.items).toEqual([]);
    expect((await api.get('/phone/dnc?list=global')).body.items).toEqual([body]);
    expect((await api.delete(`/phone/dnc/${body.id}`)).status).toBe(404);
    expect((await api.delete(`/phone/dnc/${body.id}?list=global`)).status).toBe(200);
    const { items } = (await api.get('/audit-log?resource=global_dnc_entry')).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['delete', 'create']);
  });

  it('come as CSV or JSON, each row by itself', async () => {
    const { key } = await api.createTenant();
    const csv = '\u{feff}Phone_Number;Reason\r\n+15550000001;Letter\r\n+15550000001;\r\n12;\r\n"+15550000002;\r\n';
    const headers = { 'Content-Type': 'text/csv' };
    const { status, body } = await api.post('/phone/dnc/import', csv, { key, headers });
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 1, duplicates: 1, invalid: 2 });
    expect(body.rows.map(({ row, result }: { row: number; result: string }) => [row, result])).toEqual([
      [3, 'duplicate'],
      [4, 'invalid'],
      [5, 'invalid'],
    ]);
    const entries = [{ phone_number: '+15550000001' }, { phone_number: '+15550000003', reason: 'x' }];
    const json = await api.post('/phone/dnc/import', { entries }, { key });
    expect(json.body).toMatchObject({ accepted: 1, duplicates: 1, rows: [{ row: 1 }] });
    const refused = await api.post('/phone/dnc/import', 'number\n+1', { key, headers });
    expect([refused.status, refused.body.code]).toEqual([422, 'missing_column']);
    const many = Array.from({ length: 5000 }, (_, n) => `+1555${1_000_000 + n}`).join('\n');
    const bulk = await api.post('/phone/dnc/import', `phone_number\n${many}`, { key, headers });
    expect(bulk.body).toMatchObject({ accepted: 5000, duplicates: 0, invalid: 0 });
    const first = (await api.get('/phone/dnc?limit=1', { key })).body.items[0];
    expect(first.source).toBe('import');
  });

  it('of an import are in the audit log with its numbers, also where it stops half-way', async () => {
    const { key } = await api.createTenant();
    const headers = { 'Content-Type': 'text/csv' };
    const audited = async (): Promise<{ action: string; after: { status: string; accepted: number } }[]> =>
      (await api.get('/audit-log?resource=dnc_entry', { key })).body.items;
    await api.post('/phone/dnc/import', 'phone_number\n+15550000001\n12\n', { key, headers });
    const completed = { action: 'import', after: { status: 'completed', accepted: 1, duplicates: 0, invalid: 1 } };
    expect(await audited()).toMatchObject([completed]);
    // Nothing of it was stored.
    await api.post('/phone/dnc/import', 'number\n+1', { key, headers });
    expect(await audited()).toHaveLength(1);

    const sent = request(`${api.url}/phone/dnc/import`, {
      method: 'POST',
      headers: { ...headers, Authorization: `Bearer ${key}` },
    });
    sent.on('error', () => {});
    const numbers = Array.from({ length: 5000 }, (_, n) => `+1555${2_000_000 + n}`).join('\n');
    await new Promise((resolve) => void sent.write(`phone_number\n${numbers}\n`, resolve));
    const listed = async (): Promise<number> => (await api.get('/phone/dnc?limit=100', { key })).body.items.length;
    for (let n = 0; n < 100 && (await listed()) < 100; n++) await sleep(50);
    sent.destroy();
    for (let n = 0; n < 100 && (await audited()).length < 2; n++) await sleep(50);
    const [aborted] = await audited();
    expect(aborted).toMatchObject({ action: 'import', after: { status: 'aborted', duplicates: 0, invalid: 0 } });
    const [{ stored }] = await api.dataSource.query(
      `SELECT count(*)::int AS stored FROM dnc_entries WHERE phone_number LIKE '+15552%'`,
    );
    expect(stored).toBeGreaterThan(0);
    expect(aborted?.after.accepted).toBe(stored);
  });
});
