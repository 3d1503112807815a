import { Client } from 'pg';
import { CONFIG_CHANNEL } from '../../../store/config-changes';
import type { ConfigTransaction } from '../../../store/config-transaction';
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import { TransferDestinationRepository } from '../../../store/repositories/transfer-destination-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';
import { readConfig } from '../../support/config-since';

const carrier = {
  name: 'Carrier',
  host: 'sip.example',
  username: 'u',
  password: 'p4ssw0rd',
  callerNumber: '+15550100',
};

describe('the versioned configuration', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let agents: AgentRepository;
  let trunks: OutboundTrunkRepository;
  let inbound: InboundTrunkRepository;
  let numbers: PhoneNumberRepository;
  let orgId: string;

  beforeAll(async () => {
    store = await openStore();
    const { dataSource, secrets } = store;
    config = new ConfigRepository(dataSource);
    agents = new AgentRepository(dataSource);
    trunks = new OutboundTrunkRepository(dataSource, secrets);
    inbound = new InboundTrunkRepository(dataSource, secrets);
    numbers = new PhoneNumberRepository(dataSource);
    orgId = await store.newOrg();
  });
  afterAll(() => store.close());

  it('gives a node each agent with its destinations, again whenever one of them changes', async () => {
    const { dataSource, secrets } = store;
    const destinations = new TransferDestinationRepository(dataSource, secrets);
    const { agent, sales } = await config.transaction(async (tx) => ({
      agent: await agents.create(tx, orgId, { name: 'Transferring' }),
      sales: await destinations.create(tx, orgId, { name: 'Sales', type: 'sip', value: 'sip:s@pbx.example' }),
    }));
    const offered = async (since: number): Promise<unknown> =>
      (await readConfig(store, since)).agents.map(({ id, destinations: of }) => [id, of]);
    const after = async (change: (tx: ConfigTransaction) => Promise<unknown>): Promise<unknown> => {
      const before = await config.currentVersion();
      await config.transaction(change);
      return offered(before);
    };
    const seen = (name: string, keypad: string | null): unknown => [[agent.id, [{ id: sales.id, name, keypad }]]];
    const assign = (keypad?: string | null) => (tx: ConfigTransaction) =>
      destinations.assign(tx, orgId, agent.id, sales.id, keypad);
    expect(await after(assign())).toEqual(seen('Sales', null));
    expect(await after(assign())).toEqual([]);
    expect(await after(assign('1'))).toEqual(seen('Sales', '1'));
    expect(await after((tx) => destinations.update(tx, orgId, sales.id, { name: 'Orders' }))).toEqual(
      seen('Orders', '1'),
    );
    expect(await after((tx) => destinations.unassign(tx, orgId, agent.id, sales.id))).toEqual([[agent.id, []]]);
    await config.transaction(assign('2'));
    expect(await after((tx) => destinations.delete(tx, orgId, sales.id))).toEqual([[agent.id, []]]);
    await config.transaction((tx) => agents.delete(tx, orgId, agent.id));
  });

  it('gives a node everything, with opened passwords, and then only what is newer', async () => {
    const before = await config.currentVersion();
    await config.transaction(async (tx) => {
      await agents.create(tx, orgId, { name: 'First' });
      await trunks.create(tx, orgId, { ...carrier, mediaTimeoutSeconds: 60 });
      await numbers.attest(tx, orgId, ['+15550001']);
      await inbound.create(tx, orgId, { phoneNumbers: ['+15550001'] });
    });
    const all = await readConfig(store);
    expect(all).toMatchObject({
      version: before + 1,
      full: true,
      agents: [{ name: 'First', firstMessage: 'Hello?', language: ['en'], handsOff: false, failsOver: false }],
      outboundTrunks: [
        {
          host: 'sip.example',
          port: 5060,
          transport: 'udp',
          password: 'p4ssw0rd',
          mediaTimeoutSeconds: 60,
          register: false,
          optionsPing: true,
        },
      ],
      phoneNumbers: [{ phoneNumber: '+15550001', method: 'attest' }],
      inboundTrunks: [{ phoneNumbers: ['+15550001'], mediaTimeoutSeconds: 30 }],
      deleted: [],
      unreadable: [],
    });
    const trunk = await inbound.find(orgId);
    expect(trunk!.krispEnabled).toBe(true);
    expect(all.inboundTrunks[0]!.authPassword).toBe(trunk!.authPassword);

    const second = await config.transaction((tx) => agents.create(tx, orgId, { name: 'Second' }));
    const delta = await readConfig(store, all.version);
    expect(delta).toMatchObject({ version: all.version + 1, full: false, outboundTrunks: [], phoneNumbers: [] });
    expect(delta.agents.map(({ id }) => id)).toEqual([second.id]);
    expect(await readConfig(store, delta.version)).toMatchObject({ version: delta.version, agents: [], full: false });
  });

  it('reports deletions as tombstones until the id is used again', async () => {
    const id = uuidV7();
    const create = (): Promise<unknown> => config.transaction((tx) => agents.create(tx, orgId, { id, name: 'Short' }));
    await create();
    const { version } = await readConfig(store);
    await config.transaction((tx) => agents.delete(tx, orgId, id));
    expect((await readConfig(store, version)).deleted).toEqual([{ kind: 'agent', id }]);
    await create();
    const revived = await readConfig(store, version);
    expect(revived.deleted).toEqual([]);
    expect(revived.agents.map((agent) => agent.id)).toEqual([id]);
  });

  it('takes no version for a transaction that changed nothing or failed', async () => {
    const version = await config.currentVersion();
    await config.transaction(async () => undefined);
    const failing = config.transaction(async (tx) => {
      await agents.create(tx, orgId, { name: 'Never' });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await config.currentVersion()).toBe(version);
    expect((await readConfig(store, version)).agents).toEqual([]);
  });

  it('never shows a version before the changes it counts, however commits interleave', async () => {
    const from = await config.currentVersion();
    const seen = new Set<string>();
    let version = from;
    let writing = true;
    const reader = (async () => {
      while (writing || version < from + 40) {
        const delta = await readConfig(store, version);
        // One agent a version: neither one of a later version, nor one that comes after its own.
        expect(delta.agents).toHaveLength(delta.version - version);
        for (const agent of delta.agents) seen.add(agent.id);
        version = delta.version;
      }
    })();
    const created = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        config.transaction(async (tx) => {
          const agent = await agents.create(tx, orgId, { name: `Agent ${i}` });
          // Transactions overlap: the one that began first is not the one that commits first.
          await tx.manager.query('SELECT pg_sleep($1)', [(i % 7) / 200]);
          return agent.id;
        }),
      ),
    );
    writing = false;
    await reader;
    expect(version).toBe(from + 40);
    expect(seen).toEqual(new Set(created));
  });

  it('loads everything when the database is behind the caller', async () => {
    const delta = await readConfig(store, 1_000_000);
    expect(delta.full).toBe(true);
    expect(delta.agents.length).toBeGreaterThan(0);
  });

  it('leaves out and names a row whose secret does not open', async () => {
    const foreign = new OutboundTrunkRepository(store.dataSource, new SecretBox(newMasterKey()));
    const broken = await config.transaction((tx) => foreign.create(tx, orgId, carrier));
    const all = await readConfig(store);
    expect(all.unreadable).toEqual([{ kind: 'outbound_trunk', id: broken.id }]);
    expect(all.outboundTrunks).toHaveLength(1);
  });

  it('stores no password in plain', async () => {
    const rows = await store.dataSource.query('SELECT * FROM outbound_trunks, inbound_trunks');
    expect(JSON.stringify(rows)).not.toContain(carrier.password);
    expect(JSON.stringify(rows)).not.toContain((await inbound.find(orgId))!.authPassword);
  });

  it('notifies with the version, after the commit and only of changes that were committed', async () => {
    const listener = new Client({ connectionString: store.url });
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await listener.connect();
    await listener.query(`LISTEN ${CONFIG_CHANNEL}`);
    const failing = config.transaction(async (tx) => {
      await agents.create(tx, orgId, { name: 'Unheard' });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await config.transaction((tx) => agents.create(tx, orgId, { name: 'Heard' }));
    for (const end = Date.now() + 5000; heard.length === 0 && Date.now() < end;) await listener.query('SELECT 1');
    expect(heard).toEqual([String(await config.currentVersion())]);
    await listener.end();
  });
});
