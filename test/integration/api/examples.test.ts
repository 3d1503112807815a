/** Every operation's own example, sent as a client would that copies it: with the ids that it was given. */
import { ApiServer } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';
import { keyedOperations } from './support/document-operations';
import type { KeyedOperation } from './support/document-operations';
import { exampleRequest, makeAll } from './support/things';
import type { Ids } from './support/things';

/** The numbers that the examples name. */
const NUMBER = '+15551234567';
const FURTHER_NUMBER = '+15552223333';

/** What has to be done to a campaign before. */
const CAMPAIGN_STEPS: Readonly<Record<string, readonly string[]>> = {
  startCampaign: [],
  pauseCampaign: ['start'],
  resumeCampaign: ['start', 'pause'],
  cancelCampaign: ['start'],
  redialCampaign: ['start'],
};

describe('the example of every operation', () => {
  let api: ApiServer;
  let operations: readonly KeyedOperation[];
  let kinds: readonly string[];

  beforeAll(async () => {
    api = await ApiServer.start();
    await api.seeNode();
    operations = keyedOperations(api.openapi);
    kinds = [...new Set(operations.flatMap(({ resource }) => resource ?? []))];
  });
  afterAll(() => api.stop());

  /** What stands before the request: one of each, an agent that can call, and of the example's things those it does not make. */
  async function prepare(owner: Tenant, operationId: string): Promise<Ids> {
    const { key } = owner;
    const own = await makeAll(api, owner, kinds);
    await api.put(`/phone/sip/agents/${own['agent']}/outbound-trunk`, { trunk_id: own['outbound_trunk'] }, { key });
    const assigned = { destination_id: own['transfer_destination'] };
    const campaign = `/phone/campaigns/${own['campaign']}`;
    const steps = CAMPAIGN_STEPS[operationId];
    if (steps !== undefined) await api.patch(campaign, { phone_agent_id: own['agent'] }, { key });
    for (const step of steps ?? []) await api.post(`${campaign}/${step}`, undefined, { key });
    if (operationId === 'unassignDestination') {
      await api.post(`/phone/sip/agents/${own['agent']}/transfer-destinations`, assigned, { key });
    }
    if (operationId === 'rescheduleCall' || operationId === 'cancelCall') {
      await api.dataSource.query(`UPDATE calls SET status = 'scheduled' WHERE id = $1`, [own['call']]);
    }
    for (const phone_number of [NUMBER, FURTHER_NUMBER]) {
      if (operationId === 'createNumber') break;
      await api.post('/phone/numbers', { phone_number, method: 'attest' }, { key });
    }
    if (operationId !== 'createInboundTrunk') {
      await api.post(
        '/phone/sip/inbound-trunk',
        { phone_numbers: operationId === 'createNumber' ? [] : [NUMBER] },
        { key },
      );
    }
    return own;
  }

  /** Each in an organisation of its own: none finds what another has left or taken away. */
  async function sendExample(operation: KeyedOperation): Promise<Answer> {
    const owner = await api.createTenant({ operator: true });
    const own = await prepare(owner, operation.operationId);
    const { path, body } = exampleRequest(operation, own);
    const answer = await api.request(operation.method, path, { key: owner.key, ...(body === null ? {} : { body }) });
    expect((await api.delete(`/orgs/${owner.orgId}?force=true`)).status).toBe(200);
    return answer;
  }

  it('is answered by its success, in the shape that the document gives it', async () => {
    const failed: unknown[] = [];
    for (const operation of operations) {
      const { status, body } = await sendExample(operation);
      const success = `${operation.operationId} ${status}`;
      // `ApiServer` has compared the answer with the schema of its status.
      if (status >= 300 || !api.contract.seen.has(success)) failed.push([success, body]);
    }
    expect(failed).toEqual([]);
    expect(operations.length).toBeGreaterThan(50);
    process.stdout.write(`examples: ${operations.length} operations, every one answered by its success\n`);
    // Each in an organisation of its own.
  }, 240_000);

  it('is there for every request that has a body', () => {
    const bodies = Object.values(api.openapi.paths).flatMap((methods) =>
      Object.values(methods).filter(({ requestBody }) => requestBody !== undefined),
    );
    expect(bodies).toHaveLength(operations.filter(({ body }) => body !== null).length);
  });
});
