import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

/** `ApiServer` proves every answer of every test against the document; `examples.test.ts` asks each operation once. */
describe('the OpenAPI document', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
  });
  afterAll(() => api.stop());

  it('is served as it was declared, together with an offline Swagger UI', async () => {
    const served = await api.get('/openapi.json', { key: null });
    expect(served.body).toEqual(JSON.parse(JSON.stringify(api.openapi)));
    expect(served.body.openapi).toBe('3.1.0');
    const page = await api.get('/docs', { key: null });
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const links = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThanOrEqual(4);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      expect((await api.get(link, { key: null })).status).toBe(200);
    }
    expect((await api.get('/docs/package.json', { key: null })).status).toBe(404);
  });

  it('is sent again only when it is another', async () => {
    const { headers } = await api.get('/openapi.json', { key: null });
    expect(headers.get('cache-control')).toBe('no-cache');
    const again = async (tag: string): Promise<number> => {
      // Without the second, Node's client would ask for a whole answer.
      const asked = { 'If-None-Match': tag, 'Cache-Control': 'max-age=0' };
      return (await api.get('/openapi.json', { key: null, headers: asked })).status;
    };
    expect([await again(headers.get('etag') ?? ''), await again('"another"')]).toEqual([304, 200]);
  });

  it('has an example of every answer, and each fits its schema', () => {
    expect(api.contract.wrongExamples()).toEqual([]);
  });

  it('lists the errors that every operation with a key can give', () => {
    for (const { operationId, statuses } of api.contract.operations()) {
      if (/^get(Health|Readiness|Metrics)$/.test(operationId)) continue;
      expect([operationId, statuses]).toEqual([
        operationId,
        expect.arrayContaining(['401', '403', '429', '500', '503']),
      ]);
    }
  });

  it('describes the real answers that need no key', async () => {
    for (const path of ['/health', '/ready', '/metrics']) expect((await api.get(path, { key: null })).status).toBe(200);
    expect(api.contract.seen).toEqual(new Set(['getHealth 200', 'getReadiness 200']));
  });

  it('and the metrics name routes by their template', async () => {
    const { body: agent } = await api.post('/phone', { name: 'A' });
    await api.get(`/phone/${agent.id}`);
    const { body } = await api.get('/metrics', { key: null });
    expect(body).toContain('trunkline_http_requests_total{method="GET",route="/phone/{id}",status="200"}');
    expect(body).not.toMatch(/route="[^"]*[0-9a-f]{8}-/);
  });

  it.each([
    ['an array', '/phone'],
    ['a page', '/phone/calls?limit=20'],
  ])('tells of %s whether it still is what the client has kept', async (_, path) => {
    const { headers, body } = await api.get(path);
    const tag = headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['private, no-cache', 'Authorization']);
    expect(body).not.toBe('');
    // Without the second, Node's client would ask for a whole answer.
    const asked = (etag: string, key?: string): Promise<Answer> =>
      api.get(path, {
        headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' },
        ...(key === undefined ? {} : { key }),
      });
    const same = await asked(`W/"another", ${tag}`);
    expect([same.status, same.body, same.headers.get('etag')]).toEqual([304, '', tag]);
    expect(same.headers.get('content-type')).toBeNull();
    expect(same.headers.get('ratelimit-limit')).not.toBeNull();
    expect((await asked('"another"')).body).toEqual(body);
    // Whoever may not see it is not told that it is the same.
    expect((await asked(tag, 'tl_live_unknown')).status).toBe(401);
  });

  it('tells of another list as soon as it is one, and another organisation of its own', async () => {
    await api.post('/phone', { name: 'Before' });
    const { headers } = await api.get('/phone');
    const asked = { 'If-None-Match': headers.get('etag') ?? '', 'Cache-Control': 'max-age=0' };
    const { key } = await api.createTenant();
    expect((await api.get('/phone', { key, headers: asked })).body).toEqual([]);
    await api.post('/phone', { name: 'After' });
    const after = await api.get('/phone', { headers: asked });
    expect([after.status, after.body.at(-1).name]).toEqual([200, 'After']);
  });

  it('lets nobody keep what is no list, or shows a secret', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Kept by nobody' });
    const created = await api.post('/phone/sip/inbound-trunk', {});
    const answers = [created, await api.get(`/phone/${agent.id}`), await api.get('/phone/sip/inbound-trunk')];
    for (const { status, headers } of [...answers, await api.get('/phone', { key: 'tl_live_unknown' })]) {
      expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([status, 'no-store', null]);
    }
  });
});
