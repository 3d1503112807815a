/** Generated from the OpenAPI document: each operation that takes an Idempotency-Key, with two API processes. */
import { setTimeout as sleep } from 'node:timers/promises';

import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { FakeCallRequests } from '../../fakes/fake-call-requests';
import { ApiServer } from './support/api-server';
import type { Answer, ApiServerOptions, Tenant } from './support/api-server';
import { keyedOperations } from './support/document-operations';
import type { KeyedOperation } from './support/document-operations';

/** All go the same way through `Changes`, but for calls; these two stand for them with the load of a broken client. */
const MANY: Readonly<Record<string, number>> = { createAgent: 200, placeOutboundCall: 200 };
const SOME = 24;
/** POSTs that make nothing: once more is the same again. */
const MAKE_NOTHING = [
  'cancelCall',
  // Of campaigns: a state that is there already is not entered again.
  'cancelCampaign',
  'checkInboundTrunk',
  'checkOutboundTrunk',
  'confirmNumber',
  'hangUpCall',
  'holdCall',
  // Imports: a row that is there already makes nothing.
  'importCampaignContacts',
  'importDncEntries',
  'instructCall',
  'muteCall',
  'pauseCampaign',
  'pressKeysInCall',
  'previewCampaign',
  'previewRoute',
  'resumeCampaign',
  'sayInCall',
  'startCampaign',
  'superviseCall',
  'syncInboundTrunkNumbers',
  'unholdCall',
  'unmuteCall',
];

interface Prepared {
  readonly path: string;
  readonly body: object;
}

describe('many POSTs with one Idempotency-Key, over two API processes', () => {
  let servers: readonly ApiServer[];
  let api: ApiServer;
  let operations: readonly KeyedOperation[];
  let tables: readonly string[];
  let nextNumber = 1_000_000;

  beforeAll(async () => {
    let workflows: FakeCallRequests | undefined;
    const shared: ApiServerOptions = {
      workflows: ({ dataSource, secrets }) => (workflows ??= new FakeCallRequests(dataSource, secrets)),
    };
    api = await ApiServer.start(shared);
    servers = [api, await api.sibling(shared)];
    await api.seeNode();
    operations = keyedOperations(api.openapi).filter(({ method }) => method === 'POST');
    const rows: { name: string }[] = await api.dataSource.query(
      `SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public'
         AND (column_name = 'org_id' AND table_name NOT IN ('api_key_rates', 'idempotency_keys') OR table_name = 'organisations')
       GROUP BY 1`,
    );
    tables = rows.map(({ name }) => name);
  });
  afterAll(async () => {
    for (const server of [...servers].reverse()) await server.stop();
  });

  const count = async (): Promise<Record<string, number>> => {
    const counts = tables.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
    return (await api.dataSource.query(`SELECT ${counts.join(', ')}`))[0];
  };
  /** What `work` adds to each table. */
  async function added(work: () => Promise<void>): Promise<Record<string, number>> {
    const before = await count();
    await work();
    const after = await count();
    return Object.fromEntries(tables.map((name) => [name, after[name]! - before[name]!]));
  }

  /** An organisation in which the operation can be done once. */
  async function prepare({ operationId, path, body }: KeyedOperation, { key, orgId }: Tenant): Promise<Prepared> {
    const post = async (to: string, what: object): Promise<string> => (await api.post(to, what, { key })).body.id;
    const phone_number = `+1555${(nextNumber += 1)}`;
    /** An agent with a trunk to call by. */
    const calling = async (): Promise<string> => {
      const phone_agent_id = await post('/phone', { name: 'A' });
      const carrier = { name: 'C', host: 'sip.provider.com', username: 'u', password: 'p' };
      const trunk_id = await post('/phone/sip/outbound-trunks', { ...carrier, caller_number: phone_number });
      await api.put(`/phone/sip/agents/${phone_agent_id}/outbound-trunk`, { trunk_id }, { key });
      return phone_agent_id;
    };
    switch (operationId) {
      case 'createNumber':
        return { path, body: { phone_number, method: 'attest' } };
      case 'createInboundTrunk':
      case 'addInboundTrunkNumbers':
        if (operationId === 'addInboundTrunkNumbers') await post('/phone/sip/inbound-trunk', {});
        await post('/phone/numbers', { phone_number, method: 'attest' });
        return { path, body: { phone_numbers: [phone_number] } };
      case 'rotateInboundTrunkCredentials':
        await post('/phone/sip/inbound-trunk', {});
        return { path, body: body ?? {} };
      case 'assignDestination':
        return { path: path.replace('{id}', await post('/phone', { name: 'A' })), body: body ?? {} };
      case 'transferCall': {
        const id = uuidV7();
        await new CallRepository(api.dataSource).insertCall({
          id,
          orgId,
          agentId: await post('/phone', { name: 'A' }),
          trunkId: uuidV7(),
          sessionId: uuidV7(),
          direction: 'inbound',
          from: phone_number,
          to: '+15551234567',
          status: 'in_progress',
          createdAtMs: Date.now(),
        });
        return { path: path.replace('{id}', id), body: { type: 'sip', value: 'sip:sales@pbx.example.com' } };
      }
      case 'createCampaign':
        return { path, body: { name: 'C', phone_agent_id: await post('/phone', { name: 'A' }) } };
      case 'placeOutboundCall':
        return { path, body: { phone_agent_id: await calling(), phone_number: '+15559876543' } };
      case 'redialCampaign': {
        const id = await post('/phone/campaigns', { name: 'C', phone_agent_id: await calling() });
        await post(`/phone/campaigns/${id}/contacts`, {
          contacts: [{ phone_number: '+15559876543', consent_id: 'c' }],
        });
        const over = `UPDATE campaigns SET status = 'completed', running_since = now() WHERE id = $1`;
        await api.dataSource.query(over, [id]);
        return { path: path.replace('{id}', id), body: body ?? {} };
      }
      default:
        return { path, body: body ?? {} };
    }
  }

  it('is refused by no POST that makes something', () => {
    const without = operations.filter(({ idempotent }) => !idempotent).map(({ operationId }) => operationId);
    expect(without.sort()).toEqual(MAKE_NOTHING);
  });

  it('make one thing, and all get its answer', async () => {
    const creating = operations.filter(({ idempotent }) => idempotent);
    expect(creating.length).toBeGreaterThan(9);
    for (const operation of creating) await repeatAtOnce(operation);
  }, 300_000);

  async function repeatAtOnce(operation: KeyedOperation): Promise<void> {
    const { operationId } = operation;
    const alone = await api.createTenant({ operator: true });
    const single = await prepare(operation, alone);
    const once = await added(async () => {
      const answer = await api.post(single.path, single.body, { key: alone.key });
      expect([operationId, answer.status]).toEqual([operationId, operation.successStatus]);
    });

    const tenant = await api.createTenant({ operator: true });
    const { path, body } = await prepare(operation, tenant);
    const options = { key: tenant.key, headers: { 'Idempotency-Key': uuidV7() } };
    let answers: Answer[] = [];
    const many = await added(async () => {
      answers = await Promise.all(
        Array.from({ length: MANY[operationId] ?? SOME }, (_, n) => settled(servers[n % 2]!, path, body, options)),
      );
    });
    expect([operationId, many]).toEqual([operationId, once]);
    const [first, ...others] = answers;
    for (const { status, body: again } of others) {
      expect([operationId, status, again]).toEqual([operationId, operation.successStatus, first?.body]);
    }
    const firsthand = answers.filter(({ headers }) => headers.get('idempotent-replayed') === null);
    // None when a process that was too busy hid the first answer.
    expect(firsthand.length).toBeLessThanOrEqual(1);
    const other = await servers[1]!.post(path, { ...body, unknown_field: 1 }, options);
    expect([operationId, other.status, other.body.code]).toEqual([operationId, 422, 'idempotency_mismatch']);
  }

  /** What a client does: while the first is in flight, or the server too busy, it asks again. */
  async function settled(
    server: ApiServer,
    path: string,
    body: object,
    options: { readonly key: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    for (;;) {
      const answer = await server.post(path, body, options);
      if (answer.status !== 409 && answer.status !== 503) return answer;
      expect(['idempotency_in_flight', 'database_unavailable']).toContain(answer.body.code);
      await sleep(Number(answer.headers.get('retry-after')) * 500);
    }
  }
});
