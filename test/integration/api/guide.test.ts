import { ApiServer } from './support/api-server';

/** The sequence of the user guide, request by request. */
describe('the guide from zero to a call', () => {
  let api: ApiServer;

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
  });
  afterAll(() => api.stop());

  it('creates an agent, both trunks and a call with the bodies of the guide', async () => {
    const agent = await api.post('/phone', {
      name: 'Support Agent',
      type: 'inbound',
      language: 'en',
      first_message: 'Hello, how can I help?',
      use_org_knowledgebase: true,
    });
    expect(agent.status).toBe(200);
    expect(agent.body).toMatchObject({ name: 'Support Agent', language: ['en'], use_org_knowledgebase: true });

    const trunk = await api.post('/phone/sip/inbound-trunk', { krisp_enabled: true });
    expect(trunk.status).toBe(200);
    expect(trunk.body).toMatchObject({
      sip_endpoint: 'sip.test.example:5070',
      phone_numbers: [],
      krisp_enabled: true,
      agent_id_header: 'X-OPENCX-AGENT-ID',
    });
    expect(trunk.body.auth_password).toHaveLength(32);

    const outbound = await api.post('/phone/sip/outbound-trunks', {
      name: 'My SIP Provider',
      host: 'sip.provider.com',
      username: 'user',
      password: 'pass',
      caller_number: '+15551234567',
    });
    expect(outbound.status).toBe(200);
    expect(Object.keys(outbound.body).sort()).toEqual(['created_at', 'id', 'name', 'updated_at']);

    const config = await api.put(`/phone/sip/agents/${agent.body.id}/outbound-trunk`, { trunk_id: outbound.body.id });
    expect(config.body).toEqual({
      phone_agent_id: agent.body.id,
      inbound_numbers: [],
      outbound_trunk: { id: outbound.body.id, name: 'My SIP Provider' },
      transfer_destinations: [],
    });

    const call = await api.post('/phone/outbound-call', {
      phone_agent_id: agent.body.id,
      phone_number: '+15559876543',
    });
    expect(call.status).toBe(200);
    expect(call.body).toMatchObject({ status: 'queued', from: '+15551234567', to: '+15559876543' });
    expect((await api.get(`/phone/calls/${call.body.id}`)).body).toEqual(call.body);
  });
});
