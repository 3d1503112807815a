import type { InboundRequest } from '../../../contract/directory';
import { ConfigSnapshot } from '../../../media-node/config-snapshot';
import { routeInbound } from '../../../media-node/inbound-routing';
import { uuidV7 } from '../../../store/ids';
import { ApiServer } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';
import { readConfig } from '../../support/config-since';

const PATH = '/phone/sip/inbound-trunk/route-preview';
const HEADER = 'X-OPENCX-AGENT-ID';
const ASSIGNED = '+15551234567';
const ON_TRUNK = '+442079460000';
const OF_NOBODY = '+15559990000';

describe('route-preview', () => {
  let api: ApiServer;
  let other: Tenant;
  let young: string;
  let outbound: string;
  let oldest: string;
  let foreign: string;
  let trunkId: string;

  beforeAll(async () => {
    api = await ApiServer.start();
    const agent = async (body: object, key?: string): Promise<string> => {
      const created = await api.post('/phone', body, key === undefined ? {} : { key });
      return created.body.id;
    };
    outbound = await agent({ name: 'Outbound', type: 'outbound' });
    oldest = await agent({ name: 'Oldest' });
    young = await agent({ name: 'Young' });
    const trunk = await api.post('/phone/sip/inbound-trunk', { phone_numbers: [ASSIGNED, ON_TRUNK] });
    trunkId = trunk.body.id;
    const numbers = (await api.get('/phone/numbers')).body.items;
    const { id } = numbers.find((number: { phone_number: string }) => number.phone_number === ASSIGNED);
    await api.put(`/phone/sip/agents/${outbound}/inbound-numbers`, { phone_number_ids: [id] });
    other = await api.createTenant({ operator: true });
    foreign = await agent({ name: 'Foreign' }, other.key);
  });
  afterAll(() => api.stop());

  const preview = (dialed: string, headers?: Record<string, string>): Promise<Answer> =>
    api.post(PATH, headers === undefined ? { dialed_number: dialed } : { dialed_number: dialed, headers });

  it('answers with the agent, the rule and every step on the way', async () => {
    expect((await preview(ASSIGNED)).body).toEqual({
      steps: [
        { rule: 'header', matched: false, reason: `No agent is named by ${HEADER}.` },
        { rule: 'number_assignment', matched: true, reason: `The number is assigned to the agent ${outbound}.` },
      ],
      agent_id: outbound,
      rule: 'number_assignment',
      dialed_number: ASSIGNED,
      sip_status: null,
    });
  });

  it('takes the header in any case, and only an agent of the organisation', async () => {
    const named = await preview(ASSIGNED, { [HEADER.toLowerCase()]: young.toUpperCase() });
    expect(named.body).toMatchObject({ rule: 'header', agent_id: young });
    for (const id of [foreign, uuidV7(), 'nobody', '__proto__', '']) {
      const skipped = (await preview(ON_TRUNK, { [HEADER]: id })).body;
      expect(skipped).toMatchObject({ rule: 'trunk_number', agent_id: oldest });
      expect(skipped.steps[0].matched).toBe(false);
    }
    const reasons = await Promise.all([foreign, uuidV7()].map((id) => preview(ON_TRUNK, { [HEADER]: id })));
    expect(reasons[0]?.body).toEqual(reasons[1]?.body);
  });

  it('is what a media node decides, for every spelling and header', async () => {
    const config = new ConfigSnapshot();
    config.apply(await readConfig(api));
    const spellings = ['+15551234567', '15551234567', '0015551234567', '01115551234567', '5551234567'];
    const british = ['+442079460000', '442079460000', '00442079460000', '02079460000', '2079460000'];
    const others = [OF_NOBODY, '15559990000', '5559990000', '02079460123', '9460000', '100', 'alice', '', ' ', '+'];
    for (const dialedUser of [...spellings, ...british, ...others]) {
      for (const agentIdHeader of [null, young, outbound, foreign, 'x']) {
        const decision = routeInbound(config, request({ dialedUser, agentIdHeader }));
        const { body } = await preview(dialedUser, agentIdHeader === null ? {} : { [HEADER]: agentIdHeader });
        expect(body).toEqual({
          steps: decision.steps,
          agent_id: decision.ok ? decision.agent.id : null,
          rule: decision.ok ? decision.rule : null,
          dialed_number: decision.ok ? decision.dialedNumber : null,
          sip_status: decision.ok ? null : decision.status,
        });
      }
    }
  });

  function request(changes: Partial<InboundRequest>): InboundRequest {
    return {
      trunkId,
      orgId: api.tenant.orgId,
      sipCallId: 'sip',
      fromTag: 'tag',
      cseq: 1,
      dialedUser: ASSIGNED,
      callerUser: '',
      privacy: [],
      agentIdHeader: null,
      ...changes,
    };
  }

  it('of an organisation without a trunk is 404, without an inbound agent 480', async () => {
    const options = { key: other.key };
    const ask = (): Promise<Answer> => api.post(PATH, { dialed_number: ASSIGNED }, options);
    expect((await ask()).body.code).toBe('inbound_trunk_not_found');
    await api.post('/phone/sip/inbound-trunk', {}, options);
    // Whose number it is elsewhere is not told: here it is unknown.
    expect((await ask()).body).toMatchObject({ rule: 'fallback', agent_id: foreign });
    await api.patch(`/phone/${foreign}`, { type: 'outbound' }, options);
    expect((await ask()).body).toMatchObject({ rule: null, agent_id: null, sip_status: 480 });
    expect((await ask()).body.steps).toHaveLength(4);
    await api.patch(`/phone/${foreign}`, { type: 'inbound' }, options);
  });

  it('of a number that two organisations claim needs no guess: the second one is refused', async () => {
    const options = { key: other.key };
    const taken = await api.post('/phone/numbers', { phone_number: ASSIGNED, method: 'attest' }, options);
    expect([taken.status, taken.body.code]).toEqual([409, 'number_taken']);
  });

  it('says 400 to what is no request, and keeps numbers out of the log', async () => {
    expect((await api.post(PATH, {})).status).toBe(400);
    expect((await api.post(PATH, { dialed_number: ASSIGNED, headers: { [HEADER]: 7 } })).status).toBe(400);
    await preview('15559998877');
    expect(api.logs.join('')).not.toContain('15559998877');
  });
});
