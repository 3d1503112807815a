import { ApiServer } from './support/api-server';

/** `ApiServer` proves every answer of every test against the document; here each operation is asked once. */
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

  it('describes the real answer of every operation', async () => {
    const agent = (await api.post('/phone', { name: 'A' })).body;
    const number = (await api.post('/phone/numbers', { phone_number: '+15551234567', method: 'attest' })).body;
    await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551234567'] });
    await api.post('/phone/sip/inbound-trunk/route-preview', { dialed_number: '15551234567' });
    const trunk = (
      await api.post('/phone/sip/outbound-trunks', {
        name: 'Carrier',
        host: 'sip.provider.com',
        username: 'u',
        password: 'p',
        caller_number: '+15551234567',
      })
    ).body;
    const config = `/phone/sip/agents/${agent.id}`;
    await api.put(`${config}/inbound-numbers`, { phone_number_ids: [number.id] });
    await api.put(`${config}/outbound-trunk`, { trunk_id: trunk.id });
    await api.get(`${config}/config`);
    await api.patch('/phone/sip/inbound-trunk', { media_timeout_seconds: 60 });
    await api.post('/phone/sip/inbound-trunk/sync');
    await api.post('/phone/sip/inbound-trunk/rotate-credentials', {});
    await api.post('/phone/sip/inbound-trunk/phone-numbers', { phone_numbers: ['+15551234567'] });
    await api.delete('/phone/sip/inbound-trunk/phone-numbers/+15551234567');
    await api.put(`/phone/sip/outbound-trunks/${trunk.id}`, { name: 'Renamed' });
    await api.patch(`/phone/sip/outbound-trunks/${trunk.id}`, { port: 5080 });
    const target = { name: 'Support', type: 'phone', value: '+15559999999' };
    const destination = (await api.post('/phone/sip/transfer-destinations', target)).body;
    await api.get('/phone/sip/transfer-destinations');
    await api.put(`/phone/sip/transfer-destinations/${destination.id}`, { name: 'Sales' });
    await api.post(`${config}/transfer-destinations`, { destination_id: destination.id });
    await api.get(`${config}/transfer-destinations`);
    await api.delete(`${config}/transfer-destinations/${destination.id}`);
    await api.delete(`/phone/sip/transfer-destinations/${destination.id}`);
    const contact = (await api.post('/contacts', { contact: { name: 'Ada' } })).body;
    await api.get('/contacts');
    await api.get(`/contacts/${contact.id}`);
    await api.patch(`/contacts/${contact.id}`, { contact: { email: 'ada@example.com' } });
    await api.delete(`/contacts/${contact.id}`);
    const call = (await api.post('/phone/outbound-call', { phone_agent_id: agent.id, phone_number: '+15559876543' }))
      .body;
    for (const path of ['', '/events', '/transcript']) await api.get(`/phone/calls/${call.id}${path}`);
    await api.post(`/phone/calls/${call.id}/hangup`);
    await api.dataSource.query(`UPDATE calls SET status = 'completed', disposition = 'failed', ended_at = now()`);
    for (const path of [
      '/phone',
      `/phone/${agent.id}`,
      '/phone/voices',
      '/phone/numbers',
      `/phone/numbers/${number.id}`,
      '/phone/sip/inbound-trunk',
      '/phone/sip/outbound-trunks',
      `/phone/sip/outbound-trunks/${trunk.id}`,
      '/phone/calls',
      '/health',
      '/ready',
      '/metrics',
    ]) {
      expect((await api.get(path)).status).toBe(200);
    }
    await api.patch(`/phone/${agent.id}`, { name: 'B' });
    for (const path of [
      `/phone/numbers/${number.id}`,
      '/phone/sip/inbound-trunk',
      `/phone/sip/outbound-trunks/${trunk.id}`,
      `/phone/${agent.id}`,
    ]) {
      expect((await api.delete(path)).status).toBe(200);
    }
    const key = (await api.post('/api-keys', { name: 'K', scopes: ['phone:read'] })).body;
    const org = (await api.post('/orgs', { name: 'O', limits: { daily_minutes: 60 } })).body;
    await api.patch(`/orgs/${org.id}`, { suspended: true });
    for (const path of ['/api-keys', '/audit-log', '/orgs', `/orgs/${org.id}`]) {
      expect((await api.get(path)).status).toBe(200);
    }
    for (const path of [`/api-keys/${key.id}`, `/orgs/${org.id}`]) expect((await api.delete(path)).status).toBe(200);
    const missing = api.contract
      .operations()
      .filter(({ operationId, statuses }) => !api.contract.seen.has(`${operationId} ${statuses[0] ?? ''}`));
    expect(missing.map(({ operationId }) => operationId)).toEqual(['getMetrics']);
  });

  it('and the metrics name routes by their template', async () => {
    const { body } = await api.get('/metrics', { key: null });
    expect(body).toContain('trunkline_http_requests_total{method="GET",route="/phone/{id}",status="200"}');
    expect(body).not.toMatch(/route="[^"]*[0-9a-f]{8}-/);
  });
});
