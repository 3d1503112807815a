/** Changes that meet each other, each from another API process: one wins, or both do, and nothing is left in between. */
import { waitFor } from '../../support/wait-for';
import { ApiServer } from './support/api-server';
import type { Answer, Tenant } from './support/api-server';

const ROUNDS = 15;

describe('changes at the same moment, over two API processes', () => {
  let servers: readonly [ApiServer, ApiServer];
  let api: ApiServer;
  let tenant: Tenant;
  let nextNumber = 2_000_000;

  beforeAll(async () => {
    api = await ApiServer.start();
    servers = [api, await api.sibling()];
  });
  afterAll(async () => {
    for (const server of [...servers].reverse()) await server.stop();
  });
  beforeEach(async () => {
    tenant = await api.createTenant({ operator: true });
  });

  const call = (n: number, method: string, path: string, body?: object): Promise<Answer> =>
    servers[n % 2]!.request(method, path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
  const post = async (path: string, body: object): Promise<string> => (await call(0, 'POST', path, body)).body.id;
  const agent = (fields: object = {}): Promise<string> => post('/phone', { name: 'A', ...fields });
  const aNumber = (): string => `+1555${(nextNumber += 1)}`;
  const number = (): Promise<string> => post('/phone/numbers', { phone_number: aNumber(), method: 'attest' });
  const destination = (): Promise<string> =>
    post('/phone/sip/transfer-destinations', { name: 'D', type: 'phone', value: '+15559999999' });
  const trunk = (): Promise<string> =>
    post('/phone/sip/outbound-trunks', {
      name: 'T',
      host: 'sip.provider.com',
      username: 'u',
      password: 'p',
      caller_number: '+15551234567',
    });
  const putNumbers = (n: number, id: string, phone_number_ids: readonly string[]): Promise<Answer> =>
    call(n, 'PUT', `/phone/sip/agents/${id}/inbound-numbers`, { phone_number_ids });
  const config = async (id: string): Promise<Answer['body']> =>
    (await call(0, 'GET', `/phone/sip/agents/${id}/config`)).body;
  const numbersOf = async (id: string): Promise<string[]> =>
    (await config(id)).inbound_numbers.map((item: { id: string }) => item.id);
  const outcome = ({ status, body }: Answer): string => (status === 200 ? 'done' : `${status} ${body.code}`);
  const outcomes = async (requests: readonly Promise<Answer>[]): Promise<string[]> =>
    (await Promise.all(requests)).map(outcome).sort();

  it('two PUTs of the same numbers give them to one agent, in whatever order they are listed', async () => {
    const [a, b] = [await agent(), await agent()];
    const numbers = [await number(), await number(), await number()];
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await outcomes([putNumbers(0, a, numbers), putNumbers(1, b, [...numbers].reverse())]);
      expect(answers).toEqual(['409 number_assigned', 'done']);
      const held = [await numbersOf(a), await numbersOf(b)].sort((x, y) => x.length - y.length);
      expect([held[0], [...held[1]!].sort()]).toEqual([[], [...numbers].sort()]);
      for (const id of [a, b]) await putNumbers(0, id, []);
    }
  }, 60_000);

  it('an agent that changes its number while another asks for both', async () => {
    const [a, b] = [await agent(), await agent()];
    const [one, two] = [await number(), await number()];
    for (let round = 0; round < ROUNDS; round += 1) {
      await putNumbers(0, a, [one]);
      const answers = await outcomes([putNumbers(0, a, [two]), putNumbers(1, b, [one, two])]);
      expect(answers).toEqual(['409 number_assigned', 'done']);
      expect(await numbersOf(a)).toEqual([two]);
      for (const id of [a, b]) await putNumbers(0, id, []);
    }
  }, 60_000);

  it('many agents ask for one number', async () => {
    const agents = await Promise.all(Array.from({ length: 8 }, () => agent()));
    const wanted = await number();
    const answers = await outcomes(agents.map((id, n) => putNumbers(n, id, [wanted])));
    expect(answers).toEqual([...Array<string>(7).fill('409 number_assigned'), 'done']);
    const held = await Promise.all(agents.map(numbersOf));
    expect(held.flat()).toEqual([wanted]);
  });

  it('a number that is given to an agent and deleted, synchronised and deleted', async () => {
    await call(0, 'POST', '/phone/sip/inbound-trunk', {});
    const a = await agent();
    for (let round = 0; round < ROUNDS; round += 1) {
      const [kept, gone] = [await number(), await number()];
      await putNumbers(0, a, [kept]);
      const [assigned, deleted, synchronised] = await Promise.all([
        putNumbers(0, a, [gone]),
        call(1, 'DELETE', `/phone/numbers/${gone}`),
        call(0, 'POST', '/phone/sip/inbound-trunk/sync'),
      ]);
      expect(['done', '404 phone_number_not_found']).toContain(outcome(assigned));
      expect([outcome(deleted), outcome(synchronised)]).toEqual(['done', 'done']);
      expect(await numbersOf(a)).toEqual(assigned.status === 200 ? [] : [kept]);
      const listed: string[] = (await call(0, 'GET', '/phone/sip/inbound-trunk')).body.phone_numbers;
      expect(listed).not.toContain(deleted.body.phone_number);
      expect(listed).toHaveLength(round + 1);
      await putNumbers(0, a, []);
    }
  }, 60_000);

  it('an agent that is deleted while it gets numbers, a destination and a trunk', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [id, numbers, target, carrier] = [
        await agent(),
        [await number(), await number()],
        await destination(),
        await trunk(),
      ];
      const path = `/phone/sip/agents/${id}`;
      const answers = await Promise.all([
        putNumbers(0, id, numbers),
        call(1, 'POST', `${path}/transfer-destinations`, { destination_id: target }),
        call(0, 'PUT', `${path}/outbound-trunk`, { trunk_id: carrier }),
        call(1, 'DELETE', `/phone/${id}`),
      ]);
      for (const answer of answers) expect(['done', '404 agent_not_found']).toContain(outcome(answer));
      expect(outcome(answers[3]!)).toBe('done');
      // They stay, and are nobody's.
      const other = await agent();
      expect(outcome(await putNumbers(0, other, numbers))).toBe('done');
      await call(0, 'DELETE', `/phone/${other}`);
    }
  }, 60_000);

  it('a destination that is deleted while agents get it, to transfer to and to fall back to', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const target = await destination();
      const falling = { failover_transfer_destination_id: target };
      const [a, b] = [await agent(falling), await agent()];
      const answers = await Promise.all([
        call(0, 'POST', `/phone/sip/agents/${a}/transfer-destinations`, { destination_id: target }),
        call(0, 'PATCH', `/phone/${b}`, falling),
        call(1, 'DELETE', `/phone/sip/transfer-destinations/${target}`),
        call(1, 'PATCH', `/phone/${a}`, { name: 'B' }),
      ]);
      for (const answer of answers) expect(['done', '404 transfer_destination_not_found']).toContain(outcome(answer));
      expect([outcome(answers[2]!), outcome(answers[3]!)]).toEqual(['done', 'done']);
      for (const id of [a, b]) {
        expect((await call(0, 'GET', `/phone/${id}`)).body.failover_transfer_destination_id).toBeNull();
        expect((await config(id)).transfer_destinations).toEqual([]);
      }
    }
  }, 60_000);

  it('trunks that are deleted while agents get them', async () => {
    const agents = await Promise.all(Array.from({ length: 4 }, () => agent()));
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = [await trunk(), await trunk()];
      const give = (n: number, id: string, trunk_id: string): Promise<Answer> =>
        call(n, 'PUT', `/phone/sip/agents/${id}/outbound-trunk`, { trunk_id });
      await Promise.all(agents.map((id, n) => give(n, id, one)));
      const answers = await outcomes([
        ...[...agents].reverse().map((id, n) => give(n, id, two)),
        call(0, 'DELETE', `/phone/sip/outbound-trunks/${one}`),
        call(1, 'DELETE', `/phone/sip/outbound-trunks/${two}`),
      ]);
      for (const answer of answers) expect(['done', '404 outbound_trunk_not_found']).toContain(answer);
      for (const id of agents) expect((await config(id)).outbound_trunk).toBeNull();
    }
  }, 60_000);

  it('what there may be once is made once, and the others are told why', async () => {
    const trunks = Array.from({ length: 8 }, (_, n) => call(n, 'POST', '/phone/sip/inbound-trunk', {}));
    expect(await outcomes(trunks)).toEqual([...Array<string>(7).fill('409 inbound_trunk_exists'), 'done']);
    const phone_number = aNumber();
    const attest = (n: number, key: string): Promise<Answer> =>
      servers[n % 2]!.post('/phone/numbers', { phone_number, method: 'attest' }, { key });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => attest(n, tenant.key)));
    const [made] = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ body }) => [body.code, body.phone_number_id])).toEqual(
      Array(7).fill(['number_exists', made?.body.id]),
    );
    const other = await api.createTenant({ operator: true });
    expect((await attest(1, other.key)).body.code).toBe('number_taken');
  });

  it('an organisation that is deleted while its trunk changes', async () => {
    for (let round = 0; round < 4; round += 1) {
      tenant = await api.createTenant({ operator: true });
      await call(0, 'POST', '/phone/sip/inbound-trunk', {});
      const [synchronised, changed, deleted] = await Promise.all([
        call(0, 'POST', '/phone/sip/inbound-trunk/sync'),
        call(0, 'PATCH', '/phone/sip/inbound-trunk', { krisp_enabled: false }),
        servers[1].delete(`/orgs/${tenant.orgId}`),
      ]);
      expect(outcome(deleted)).toBe('done');
      const late = ['done', '401 unauthorized', '404 inbound_trunk_not_found'];
      for (const answer of [synchronised, changed]) expect(late).toContain(outcome(answer));
    }
  }, 60_000);

  it('a suspension while the trunk changes', async () => {
    await call(0, 'POST', '/phone/sip/inbound-trunk', {});
    const operator = api.tenant.key;
    for (let round = 0; round < ROUNDS; round += 1) {
      const suspend = (suspended: boolean): Promise<Answer> =>
        servers[1].patch(`/orgs/${tenant.orgId}`, { suspended }, { key: operator });
      const answers = await outcomes([
        call(0, 'POST', '/phone/sip/inbound-trunk/sync'),
        call(0, 'PATCH', '/phone/sip/inbound-trunk', { krisp_enabled: round % 2 === 0 }),
        suspend(true),
      ]);
      for (const answer of answers) expect(['done', '403 organisation_suspended']).toContain(answer);
      expect((await suspend(false)).status).toBe(200);
    }
  }, 60_000);

  it('that wait for one another keep nobody waiting who only reads', async () => {
    const path = `/contacts/${await post('/contacts', { contact: { name: 'C' } })}`;
    const waiting = async (): Promise<true | undefined> => {
      const [row] = await api.dataSource.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return row.n >= 5 ? true : undefined;
    };
    const changes = await api.dataSource.transaction(async (manager) => {
      await manager.query('SELECT 1 FROM contacts WHERE id = $1 FOR UPDATE', [path.split('/').at(-1)]);
      const asked = Array.from({ length: 20 }, (_, n) => call(0, 'PATCH', path, { contact: { name: `C${n}` } }));
      // Less than a statement may take: nothing has given its connection back by then.
      await waitFor('an answer while changes are in the way of each other', 4_000, async () => {
        const { body } = await call(0, 'GET', path);
        return body.name === 'C' ? waiting() : undefined;
      });
      return asked;
    });
    const answers = await Promise.all(changes);
    // Whose turn or row came too late is told so.
    const known = ['done', '503 database_unavailable', '503 query_timeout'];
    for (const answer of answers) expect(known).toContain(outcome(answer));
  });
});
