import { CallRepository } from '../../../store/repositories/call-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';
import type { Tenant } from './support/api-server';

describe('two organisations', () => {
  let api: ApiServer;
  let stranger: Tenant;
  let ids: { agent: string; number: string; trunk: string; call: string };

  beforeAll(async () => {
    api = await ApiServer.start();
    const { body: agent } = await api.post('/phone', { name: 'Mine' });
    const { body: number } = await api.post('/phone/numbers', { phone_number: '+15550100001', method: 'attest' });
    await api.post('/phone/sip/inbound-trunk', {});
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', {
      name: 'Mine',
      host: 'sip.provider.com',
      username: 'u',
      password: 'p',
      caller_number: '+15551234567',
    });
    const call = uuidV7();
    await new CallRepository(api.dataSource).insertCall({
      id: call,
      orgId: api.tenant.orgId,
      agentId: agent.id,
      trunkId: trunk.id,
      sessionId: uuidV7(),
      direction: 'outbound',
      from: '+15551234567',
      to: '+15559876543',
      status: 'in_progress',
      createdAtMs: Date.now(),
    });
    await new EventRepository(api.dataSource, api.secrets).insertBatch([
      { callId: call, orgId: api.tenant.orgId, seq: 1, atMs: Date.now(), type: 'ringing', status: 180 },
    ]);
    ids = { agent: agent.id, number: number.id, trunk: trunk.id, call };
    stranger = await api.createTenant();
  });
  afterAll(() => api.stop());

  it("see nothing of each other's in lists", async () => {
    const { key } = stranger;
    expect((await api.get('/phone', { key })).body).toEqual([]);
    expect((await api.get('/phone/sip/outbound-trunks', { key })).body).toEqual([]);
    expect((await api.get('/phone/numbers', { key })).body.items).toEqual([]);
    expect((await api.get('/phone/calls', { key })).body.items).toEqual([]);
    expect((await api.get('/phone/sip/inbound-trunk', { key })).status).toBe(404);
  });

  it("get the answer of an unknown id for each other's", async () => {
    const { key } = stranger;
    const requests: [string, string, unknown?][] = [
      ['GET', '/phone/AGENT'],
      ['PATCH', '/phone/AGENT', { name: 'Taken' }],
      ['DELETE', '/phone/AGENT'],
      ['GET', '/phone/numbers/NUMBER'],
      ['DELETE', '/phone/numbers/NUMBER'],
      ['GET', '/phone/sip/outbound-trunks/TRUNK'],
      ['DELETE', '/phone/sip/outbound-trunks/TRUNK'],
      ['DELETE', '/phone/sip/outbound-trunks/TRUNK?force=true'],
      ['GET', '/phone/sip/agents/AGENT/config'],
      ['PUT', '/phone/sip/agents/AGENT/inbound-numbers', { phone_number_ids: [] }],
      ['PUT', '/phone/sip/agents/AGENT/outbound-trunk', { trunk_id: null }],
      ['GET', '/phone/calls/CALL'],
      ['GET', '/phone/calls/CALL/events'],
      ['GET', '/phone/calls/CALL/transcript'],
      ['POST', '/phone/calls/CALL/hangup'],
    ];
    for (const [method, template, body] of requests) {
      const at = (own: typeof ids): string =>
        template
          .replace('AGENT', own.agent)
          .replace('NUMBER', own.number)
          .replace('TRUNK', own.trunk)
          .replace('CALL', own.call);
      const none = { agent: uuidV7(), number: uuidV7(), trunk: uuidV7(), call: uuidV7() };
      const options = { key, ...(body === undefined ? {} : { body }) };
      const foreign = await api.request(method, at(ids), options);
      const unknown = await api.request(method, at(none), options);
      const { requestId: _, ...foreignBody } = foreign.body;
      const { requestId: __, ...unknownBody } = unknown.body;
      expect([template, foreign.status, foreignBody]).toEqual([template, 404, unknownBody]);
    }
    expect((await api.get(`/phone/${ids.agent}`)).body.name).toBe('Mine');
    expect((await api.get(`/phone/calls/${ids.call}/events`)).body.items).toHaveLength(2);
  });

  it("cannot use each other's trunk, number or agent", async () => {
    const { key } = stranger;
    const { body: agent } = await api.post('/phone', { name: 'Theirs' }, { key });
    const trunk = await api.put(`/phone/sip/agents/${agent.id}/outbound-trunk`, { trunk_id: ids.trunk }, { key });
    expect(trunk.body.code).toBe('outbound_trunk_not_found');
    const number = await api.put(
      `/phone/sip/agents/${agent.id}/inbound-numbers`,
      { phone_number_ids: [ids.number] },
      { key },
    );
    expect(number.body.code).toBe('phone_number_not_found');
    const dial = (body: object) => api.post('/phone/outbound-call', { phone_number: '+15559876543', ...body }, { key });
    expect((await dial({ phone_agent_id: ids.agent })).body.code).toBe('agent_not_found');
    expect((await dial({ phone_agent_id: agent.id, trunk_id: ids.trunk })).body.code).toBe('outbound_trunk_not_found');
  });
});
