import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiServer } from './support/api-server';

describe('every request', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it('needs a valid key', async () => {
    for (const key of [null, 'tl_live_unknownunknownunknown', 'short']) {
      const { status, body, headers } = await api.get('/phone', { key });
      expect([status, body.code, headers.get('www-authenticate')]).toEqual([401, 'unauthorized', 'Bearer']);
    }
    const basic = await api.get('/phone', { key: null, headers: { Authorization: 'Basic dTpw' } });
    expect(basic.status).toBe(401);
  });

  it('is refused with a revoked or expired key', async () => {
    const revoked = await api.createKey(api.tenant.orgId);
    await api.dataSource.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [revoked.keyId]);
    const expired = await api.createKey(api.tenant.orgId);
    await api.dataSource.query(`UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = $1`, [
      expired.keyId,
    ]);
    expect((await api.get('/phone', { key: revoked.key })).status).toBe(401);
    expect((await api.get('/phone', { key: expired.key })).status).toBe(401);
  });

  it('needs the scope of its route; writing includes reading', async () => {
    const read = await api.createKey(api.tenant.orgId, { scopes: ['phone:read'] });
    const write = await api.createKey(api.tenant.orgId, { scopes: ['phone:write'] });
    expect((await api.get('/phone', { key: read.key })).status).toBe(200);
    const refused = await api.post('/phone', { name: 'x' }, { key: read.key });
    expect(refused.body).toMatchObject({ statusCode: 403, code: 'missing_scope', required_scope: 'phone:write' });
    expect((await api.get('/phone', { key: write.key })).status).toBe(200);
    expect((await api.get('/phone/sip/inbound-trunk', { key: write.key })).status).toBe(403);
  });

  it('remembers when its key was used', async () => {
    const key = await api.createKey(api.tenant.orgId);
    await api.get('/phone', { key: key.key });
    const lastUse = async (): Promise<unknown> =>
      (await api.dataSource.query('SELECT last_used_at FROM api_keys WHERE id = $1', [key.keyId]))[0].last_used_at;
    for (let tries = 0; tries < 50 && (await lastUse()) === null; tries += 1) await sleep(20);
    expect(await lastUse()).toBeInstanceOf(Date);
  });

  it('gets its request id back when it is harmless', async () => {
    const given = await api.get('/phone', { headers: { 'X-Request-Id': 'abc-123' } });
    expect(given.headers.get('x-request-id')).toBe('abc-123');
    const odd = await api.get('/nowhere', { headers: { 'X-Request-Id': 'a b' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(odd.body).toMatchObject({ statusCode: 404, error: 'Not Found', code: 'route_not_found' });
  });

  it('with a method that the path does not take is told which it takes', async () => {
    const { status, body, headers } = await api.put('/phone', {});
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET, HEAD, POST']);
    const { headers: fixed } = await api.put('/phone/numbers', {});
    expect(fixed.get('allow')).toBe('GET, HEAD, POST');
  });

  it.each([
    ['PATCH', '/phone/calls', 'GET, HEAD'],
    ['PATCH', '/phone/numbers', 'GET, HEAD, POST'],
    ['DELETE', '/phone/outbound-call', 'POST'],
    ['PUT', '/phone/voices', 'GET, HEAD'],
  ])('%s %s is not taken for an agent of that name', async (method, path, allow) => {
    const { status, body, headers } = await api.request(method, path, { body: {} });
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', allow]);
  });

  it.each([
    ['text that is no JSON', '{"name": ', 'application/json', 400, 'malformed_json'],
    ['JSON that is no object', '[1, 2]', 'application/json', 400, 'validation_failed'],
    ['a bare value', '"text"', 'application/json', 400, 'malformed_json'],
    ['a form', 'name=x', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['another charset', '{"name":"x"}', 'application/json; charset=utf-16', 415, 'unsupported_media_type'],
    ['a body over the limit', `{"name":"${'x'.repeat(300_000)}"}`, 'application/json', 413, 'body_too_large'],
  ])('with %s is refused', async (_, body, type, status, code) => {
    const answer = await api.post('/phone', body, { headers: { 'Content-Type': type } });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('may name any JSON type for its body', async () => {
    const { body: agent } = await api.post('/phone', { name: 'Before' });
    for (const type of ['application/merge-patch+json', 'application/json; charset=UTF-8']) {
      const sent = { body: { name: type }, headers: { 'Content-Type': type } };
      expect((await api.request('PATCH', `/phone/${agent.id}`, sent)).body.name).toBe(type);
    }
  });

  it('cannot smuggle prototype keys into what is stored', async () => {
    const body = '{"name":"proto","__proto__":{"type":"outbound"},"llm":{"provider":"x","__proto__":{"a":1}}}';
    const { status, body: refused } = await api.post('/phone', body);
    expect([status, refused.code]).toEqual([400, 'validation_failed']);
    expect(refused.issues).toMatchObject([{ message: expect.stringContaining('__proto__') as string }]);
    expect(({} as { a?: number }).a).toBeUndefined();
  });

  it('with a text that no table can hold is refused, not failed at', async () => {
    const answers = [
      await api.post('/phone', { name: 'a\0b' }),
      await api.post('/phone', { name: 'x', llm: { provider: 'half \ud83d' } }),
      await api.post('/phone', `{"name":"x","unknown":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
      await api.get('/phone/calls?phone_number=%00'),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      answers.map(() => [400, 'validation_failed']),
    );
  });

  it('may carry anything in a query that its route does not read', async () => {
    expect((await api.get('/phone?x=%00')).status).toBe(200);
  });

  it('treats an id that is no UUID as unknown', async () => {
    const answers = await Promise.all([
      api.get('/phone/not-an-id'),
      api.get('/phone/calls/1'),
      api.get('/phone/sip/outbound-trunks/%27%3B--'),
      api.delete('/phone/numbers/x'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(answers.map(({ body }) => body.code)).toEqual([
      'agent_not_found',
      'call_not_found',
      'outbound_trunk_not_found',
      'phone_number_not_found',
    ]);
  });

  it('counts towards the limit of its key', async () => {
    const limited = await ApiServer.start({ rateLimitPerMinute: 3 });
    try {
      const answers = [];
      for (let n = 0; n < 4; n += 1) answers.push(await limited.get('/phone'));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
      expect(answers.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual(['2', '1', '0', '0']);
      const last = answers[3]!;
      expect(last.headers.get('ratelimit-limit')).toBe('3');
      expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(last.body.code).toBe('rate_limited');
      const other = await limited.createKey(limited.tenant.orgId);
      expect((await limited.get('/phone', { key: other.key })).status).toBe(200);
    } finally {
      await limited.stop();
    }
  });
});

describe('an Idempotency-Key', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
  });
  afterAll(() => api.stop());

  it('makes one agent of many simultaneous requests', async () => {
    const headers = { 'Idempotency-Key': 'agents-1' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.post('/phone', { name: 'Once' }, { headers })),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 200 || status === 409)).toBe(true);
    const again = await api.post('/phone', { name: 'Once' }, { headers });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const agents = (await api.get('/phone')).body as { name: string; id: string }[];
    expect(agents.filter(({ name }) => name === 'Once').map(({ id }) => id)).toEqual([again.body.id]);
  });

  it('is free again after a refusal', async () => {
    const headers = { 'Idempotency-Key': 'agents-2' };
    expect((await api.post('/phone', { name: '' }, { headers })).status).toBe(400);
    const made = await api.post('/phone', { name: 'Corrected' }, { headers });
    expect([made.status, made.headers.get('idempotent-replayed')]).toEqual([200, null]);
  });

  it('counts per organisation and per route', async () => {
    const headers = { 'Idempotency-Key': 'shared' };
    const other = await api.createTenant({ operator: true });
    const mine = await api.post('/phone', { name: 'Same' }, { headers });
    const theirs = await api.post('/phone', { name: 'Same' }, { headers, key: other.key });
    const number = await api.post('/phone/numbers', { phone_number: '+15550100900', method: 'attest' }, { headers });
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect([number.status, number.headers.get('idempotent-replayed')]).toEqual([201, null]);
    const replay = await api.post('/phone/numbers', { method: 'attest', phone_number: '+15550100900' }, { headers });
    expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  });

  it.each(['x'.repeat(256), '', ' ', 'schlüssel'])('takes 1 to 255 printable characters, not %j', async (key) => {
    const headers = { 'Idempotency-Key': key };
    const { status, body } = await api.post('/phone', { name: 'x' }, { headers });
    expect([status, body.code]).toEqual([400, 'invalid_idempotency_key']);
  });

  it.each([
    ['two of them', ['a', 'b']],
    ['one twice', ['a', 'a']],
    ['one beside an empty one', ['', 'a']],
  ])('stands in one header: %s are none', async (_, keys) => {
    const headers = {
      Authorization: `Bearer ${api.tenant.key}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': keys,
    };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${api.url}/phone`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end(JSON.stringify({ name: 'x' }));
    });
    expect(status).toBe(400);
  });
});
