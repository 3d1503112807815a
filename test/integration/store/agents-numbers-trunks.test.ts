import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import type { AgentRecord } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { codeOf, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';
import { readConfig } from '../../support/config-since';

const carrier = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };

describe('agents, numbers and trunks', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let agents: AgentRepository;
  let trunks: OutboundTrunkRepository;
  let inbound: InboundTrunkRepository;
  let numbers: PhoneNumberRepository;
  let orgId: string;
  let otherOrg: string;
  let nextNumber = 15_550_200;
  const number = (): string => `+${nextNumber++}`;
  const newAgent = (org = orgId): Promise<AgentRecord> =>
    config.transaction((tx) => agents.create(tx, org, { name: 'Agent' }));

  beforeAll(async () => {
    store = await openStore();
    const { dataSource, secrets } = store;
    config = new ConfigRepository(dataSource);
    agents = new AgentRepository(dataSource);
    trunks = new OutboundTrunkRepository(dataSource, secrets);
    inbound = new InboundTrunkRepository(dataSource, secrets);
    numbers = new PhoneNumberRepository(dataSource);
    orgId = await store.newOrg();
    otherOrg = await store.newOrg();
  });
  afterAll(() => store.close());

  it('an agent keeps every field it was given and takes the defaults of the others', async () => {
    const agent = await config.transaction((tx) =>
      agents.create(tx, orgId, {
        name: 'Full',
        type: 'outbound',
        language: ['en', 'de'],
        instructions: ['Be brief.', 'a,b "c" {d}'],
        actionIds: [],
        llm: { provider: 'openai', model: 'm', temperature: 0.5 },
        sessionWindowHours: 0.5,
      }),
    );
    expect(await agents.find(orgId, agent.id)).toMatchObject({
      language: ['en', 'de'],
      instructions: ['Be brief.', 'a,b "c" {d}'],
      actionIds: [],
      llm: { provider: 'openai', model: 'm', temperature: 0.5 },
      stt: null,
      sessionWindowHours: 0.5,
      maxCallDurationSeconds: 3600,
      phoneNumber: null,
    });
    const patched = await config.transaction((tx) =>
      agents.update(tx, orgId, agent.id, { actionIds: null, llm: null }),
    );
    expect(patched).toMatchObject({ name: 'Full', actionIds: null, llm: null, language: ['en', 'de'] });
    expect(patched.updatedAt.getTime()).toBeGreaterThanOrEqual(agent.updatedAt.getTime());
  });

  it("another organisation's agent, trunk or number is as unknown as any other id", async () => {
    const agent = await newAgent();
    const [owned] = await config.transaction((tx) => numbers.attest(tx, orgId, [number()]));
    const trunk = await config.transaction((tx) => trunks.create(tx, orgId, carrier));
    for (const id of [agent.id, uuidV7(), 'no-uuid']) {
      expect(await agents.find(otherOrg, id)).toBeNull();
      expect(await config.transaction((tx) => agents.delete(tx, otherOrg, id))).toBeNull();
      expect(await codeOf(config.transaction((tx) => agents.update(tx, otherOrg, id, { name: 'x' })))).toBe(
        'not_found',
      );
      expect(await codeOf(config.transaction((tx) => numbers.assignToAgent(tx, otherOrg, id, [])))).toBe('not_found');
    }
    const foreign = await newAgent(otherOrg);
    const steal = config.transaction((tx) => numbers.assignToAgent(tx, otherOrg, foreign.id, [owned!.id]));
    expect(await codeOf(steal)).toBe('not_found');
    const borrow = config.transaction((tx) => agents.setOutboundTrunk(tx, otherOrg, foreign.id, trunk.id));
    expect(await codeOf(borrow)).toBe('not_found');
    expect(await trunks.find(otherOrg, trunk.id)).toBeNull();
    expect(await config.transaction((tx) => trunks.delete(tx, otherOrg, trunk.id))).toBeNull();
    expect(await numbers.find(otherOrg, owned!.id)).toBeNull();
    expect(await config.transaction((tx) => numbers.delete(tx, otherOrg, owned!.id))).toBeNull();
    expect((await numbers.list(otherOrg)).items).toEqual([]);
    expect(await agents.find(orgId, agent.id)).not.toBeNull();
  });

  it('a number is verified for one organisation only, also when two ask at once', async () => {
    const phoneNumber = number();
    const claims = await Promise.all(
      [orgId, otherOrg].map((org) => codeOf(config.transaction((tx) => numbers.attest(tx, org, [phoneNumber])))),
    );
    expect(new Set(claims)).toEqual(new Set(['no error', 'number_taken']));
    const owner = claims[0] === 'no error' ? orgId : otherOrg;
    const again = config.transaction((tx) =>
      numbers.create(tx, owner, { phoneNumber, status: 'pending', method: 'outbound_code' }),
    );
    expect(await codeOf(again)).toBe('number_exists');
  });

  it('attesting numbers twice gives the same records', async () => {
    const wanted = [number(), number()];
    const first = await config.transaction((tx) => numbers.attest(tx, orgId, [...wanted, wanted[0]!]));
    const version = await config.currentVersion();
    const second = await config.transaction((tx) => numbers.attest(tx, orgId, wanted));
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(first).toHaveLength(2);
    expect(first[0]!.verifiedAt).toBeInstanceOf(Date);
    expect(await config.currentVersion()).toBe(version);
  });

  it('an agent answers exactly the numbers given last, and no number of another agent', async () => {
    const [first, second] = [await newAgent(), await newAgent()];
    const rows = await config.transaction((tx) => numbers.attest(tx, orgId, [number(), number(), number()]));
    const [a, b, c] = rows.map(({ id }) => id) as [string, string, string];
    await config.transaction((tx) => numbers.assignToAgent(tx, orgId, first.id, [a, b]));
    await config.transaction((tx) => numbers.assignToAgent(tx, orgId, first.id, [b, c]));
    expect((await numbers.ofAgent(orgId, first.id)).map(({ id }) => id).sort()).toEqual([b, c].sort());
    expect(await agents.find(orgId, first.id)).toMatchObject({ phoneNumber: rows[1]!.phoneNumber });

    const clash = config.transaction((tx) => numbers.assignToAgent(tx, orgId, second.id, [a, c]));
    await expect(clash).rejects.toMatchObject({
      code: 'number_assigned',
      details: { id: c, agentId: first.id, agentName: 'Agent', phoneNumber: rows[2]!.phoneNumber },
    });
    expect(await numbers.ofAgent(orgId, second.id)).toEqual([]);
    const version = await config.currentVersion();
    await config.transaction((tx) => numbers.assignToAgent(tx, orgId, first.id, []));
    expect(await numbers.ofAgent(orgId, first.id)).toEqual([]);
    expect((await readConfig(store, version)).phoneNumbers.map(({ id }) => id).sort()).toEqual([b, c].sort());
  });

  it('a number that is not verified is assigned to nobody', async () => {
    const agent = await newAgent();
    const pending = await config.transaction((tx) =>
      numbers.create(tx, orgId, { phoneNumber: number(), status: 'pending', method: 'inbound_call' }),
    );
    const assign = config.transaction((tx) => numbers.assignToAgent(tx, orgId, agent.id, [pending.id]));
    expect(await codeOf(assign)).toBe('number_not_verified');
  });

  it('two agents that claim one number at once: one gets it', async () => {
    const [first, second] = [await newAgent(), await newAgent()];
    const [row] = await config.transaction((tx) => numbers.attest(tx, orgId, [number()]));
    const claim = (id: string): Promise<unknown> =>
      codeOf(config.transaction((tx) => numbers.assignToAgent(tx, orgId, id, [row!.id])));
    const results = await Promise.all([claim(first.id), claim(second.id)]);
    expect(new Set(results)).toEqual(new Set(['no error', 'number_assigned']));
  });

  it('deleting an agent frees its numbers and says which', async () => {
    const agent = await newAgent();
    const [row] = await config.transaction((tx) => numbers.attest(tx, orgId, [number()]));
    await config.transaction((tx) => numbers.assignToAgent(tx, orgId, agent.id, [row!.id]));
    const version = await config.currentVersion();
    const deleted = await config.transaction((tx) => agents.delete(tx, orgId, agent.id));
    expect(deleted?.detached).toEqual({
      phoneNumbers: [{ id: row!.id, phoneNumber: row!.phoneNumber }],
      campaigns: [],
    });
    const delta = await readConfig(store, version);
    expect(delta.deleted).toEqual([{ kind: 'agent', id: agent.id }]);
    expect(delta.phoneNumbers).toMatchObject([{ id: row!.id, agentId: null }]);
  });

  it('deleting an outbound trunk leaves its agents without one and says which', async () => {
    const agent = await newAgent();
    const trunk = await config.transaction((tx) => trunks.create(tx, orgId, carrier));
    await config.transaction((tx) => agents.setOutboundTrunk(tx, orgId, agent.id, trunk.id));
    expect((await agents.find(orgId, agent.id))?.outboundTrunkId).toBe(trunk.id);
    const deleted = await config.transaction((tx) => trunks.delete(tx, orgId, trunk.id));
    expect(deleted?.detached).toEqual({ agents: [{ id: agent.id, name: 'Agent' }], campaigns: [] });
    expect((await agents.find(orgId, agent.id))?.outboundTrunkId).toBeNull();
    expect(await trunks.list(orgId)).not.toContainEqual(expect.objectContaining({ id: trunk.id }));
  });

  it('assigning a trunk while it is deleted leaves no agent with a missing trunk', async () => {
    for (let round = 0; round < 10; round++) {
      const agent = await newAgent();
      const trunk = await config.transaction((tx) => trunks.create(tx, orgId, carrier));
      const results = await Promise.all([
        codeOf(config.transaction((tx) => agents.setOutboundTrunk(tx, orgId, agent.id, trunk.id))),
        codeOf(config.transaction((tx) => trunks.delete(tx, orgId, trunk.id))),
      ]);
      expect(['no error', 'not_found']).toContain(results[0]);
      expect(results[1]).toBe('no error');
      expect((await agents.find(orgId, agent.id))?.outboundTrunkId).toBeNull();
    }
  });

  it('an outbound trunk never shows its password, which is stored sealed', async () => {
    const trunk = await config.transaction((tx) => trunks.create(tx, orgId, { ...carrier, password: 'first' }));
    expect(trunk.name).toBe(carrier.name);
    expect(Object.keys(trunk).join()).not.toMatch(/password/i);
    const rows = await store.dataSource.query('SELECT * FROM outbound_trunks WHERE id = $1', [trunk.id]);
    expect(JSON.stringify(rows)).not.toContain('first');
    const loaded = (await readConfig(store)).outboundTrunks.find(({ id }) => id === trunk.id);
    expect(loaded).toMatchObject({ password: 'first', host: carrier.host });
  });

  it('an organisation has one inbound trunk, with credentials of its own', async () => {
    const org = await store.newOrg();
    const create = (): Promise<unknown> => config.transaction((tx) => inbound.create(tx, org, { phoneNumbers: [] }));
    const results = await Promise.all([codeOf(create()), codeOf(create())]);
    expect(new Set(results)).toEqual(new Set(['no error', 'inbound_trunk_exists']));
    const trunk = (await inbound.find(org))!;
    expect(trunk.authUsername).toMatch(/^trunk-[0-9a-f]{16}$/);
    expect(trunk.authPassword).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(await inbound.find(orgId)).toBeNull();
    expect(await config.transaction((tx) => inbound.delete(tx, org))).toMatchObject({ id: trunk.id });
    expect(await config.transaction((tx) => inbound.delete(tx, org))).toBeNull();
    expect(await inbound.find(org)).toBeNull();
  });

  it('deleting a number takes it from its agent and from the trunk', async () => {
    const org = await store.newOrg();
    const agent = await newAgent(org);
    const [row, kept] = await config.transaction((tx) => numbers.attest(tx, org, [number(), number()]));
    const trunk = await config.transaction(async (tx) => {
      await numbers.assignToAgent(tx, org, agent.id, [row!.id]);
      return inbound.create(tx, org, { phoneNumbers: [row!.phoneNumber, kept!.phoneNumber] });
    });
    const deleted = await config.transaction((tx) => numbers.delete(tx, org, row!.id));
    expect(deleted?.detached).toEqual({ agents: [{ id: agent.id, name: 'Agent' }], inboundTrunkId: trunk.id });
    expect((await inbound.find(org))?.phoneNumbers).toEqual([kept!.phoneNumber]);
  });

  it('a number that is deleted while a trunk lists it is on no trunk afterwards', async () => {
    const org = await store.newOrg();
    const phoneNumber = number();
    const [record] = await config.transaction((tx) => numbers.attest(tx, org, [phoneNumber]));
    let listed: () => void = () => undefined;
    const listing = new Promise<void>((resolve) => (listed = resolve));
    const creating = config.transaction(async (tx) => {
      const verified = await numbers.verified(tx, org, [phoneNumber]);
      listed();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return inbound.create(tx, org, { phoneNumbers: verified.map((row) => row.phoneNumber) });
    });
    await listing;
    const deleted = await config.transaction((tx) => numbers.delete(tx, org, record!.id));
    const trunk = await creating;
    expect(deleted?.detached.inboundTrunkId).toBe(trunk.id);
    expect((await inbound.find(org))?.phoneNumbers).toEqual([]);
  });

  it('numbers are listed in pages, newest first', async () => {
    const org = await store.newOrg();
    for (let i = 0; i < 5; i++) await config.transaction((tx) => numbers.attest(tx, org, [number()]));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await numbers.list(org, { cursor, limit: 2 });
      seen.push(...page.items.map(({ phoneNumber }) => phoneNumber));
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort().reverse());
  });
});
