import { ConfigCache } from '../../../media-node/config-cache';
import type { ConfigCacheOptions } from '../../../media-node/config-cache';
import { createLogger } from '../../../ops/logger';
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { waitFor } from '../../support/wait-for';
import { openStore } from '../store/store-fixture';
import type { StoreFixture } from '../store/store-fixture';

const CARRIER = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };
/** Longer than any test: what arrives was notified. */
const NEVER_MS = 600_000;

describe('the configuration that a media node holds', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let agents: AgentRepository;
  let orgId: string;
  const caches: ConfigCache[] = [];
  const revoked: string[] = [];
  const applied: number[] = [];

  beforeAll(async () => {
    store = await openStore();
    config = new ConfigRepository(store.dataSource, store.secrets);
    agents = new AgentRepository(store.dataSource);
    orgId = await store.newOrg();
  });

  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });

  afterAll(() => store.close());

  async function startCache(changes: Partial<ConfigCacheOptions> = {}): Promise<ConfigCache> {
    const cache = new ConfigCache({
      repository: config,
      databaseUrl: store.url,
      onTrunkRevoked: (trunkId) => revoked.push(trunkId),
      onApplied: (version) => applied.push(version),
      logger: createLogger({ name: 'test', level: 'silent' }),
      ...changes,
    });
    caches.push(cache);
    await cache.start();
    return cache;
  }

  async function createAgent(): Promise<string> {
    const id = uuidV7();
    await config.transaction((tx) => agents.create(tx, orgId, { id, name: 'New' }));
    return id;
  }

  /** Sessions that listen, and no other one of this database. */
  async function listeners(): Promise<number[]> {
    const rows: { pid: number }[] = await store.dataSource.query(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle' AND query LIKE 'LISTEN%'`,
    );
    return rows.map(({ pid }) => pid);
  }

  const listener = (limitMs: number): Promise<number> =>
    waitFor('a session that listens', limitMs, async () => (await listeners())[0]);

  it('follows what is created, changed and deleted, and says which trunks were revoked', async () => {
    const cache = await startCache();
    const reaches = (version: number): Promise<true> =>
      waitFor(`version ${version}`, 2_000, () => (cache.snapshot.version >= version ? true : undefined));
    const inbound = new InboundTrunkRepository(store.dataSource, store.secrets);
    const outbound = new OutboundTrunkRepository(store.dataSource, store.secrets);
    const made = await config.transaction(async (tx) => ({
      agent: await agents.create(tx, orgId, { name: 'First' }),
      trunk: await inbound.create(tx, orgId, { phoneNumbers: [] }),
      carrier: await outbound.create(tx, orgId, CARRIER),
    }));
    await reaches(await config.currentVersion());
    expect(applied.at(-1)).toBe(cache.snapshot.version);
    expect(cache.snapshot.inboundTrunk(made.trunk.authUsername)).toMatchObject({ id: made.trunk.id });
    expect(cache.snapshot.outboundTrunk(made.carrier.id)).toMatchObject({ host: CARRIER.host });

    await config.transaction((tx) => agents.update(tx, orgId, made.agent.id, { name: 'Renamed' }));
    await reaches(await config.currentVersion());
    expect(revoked).toEqual([]);

    await config.transaction(async (tx) => {
      await inbound.delete(tx, orgId);
      await outbound.delete(tx, orgId, made.carrier.id);
    });
    await reaches(await config.currentVersion());
    expect(revoked.toSorted()).toEqual([made.trunk.id, made.carrier.id].toSorted());
    expect(cache.snapshot.inboundTrunk(made.trunk.authUsername)).toBeUndefined();
    expect(cache.snapshot.outboundTrunk(made.carrier.id)).toBeUndefined();
    expect(cache.snapshot.agent(made.agent.id)).toBeDefined();
  });

  it('a notification brings a change at once', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    await listener(2_000);
    const agentId = await createAgent();
    await waitFor('the agent', 400, () => cache.snapshot.agent(agentId));
  });

  it('without notifications the version brings it within a second', async () => {
    const cache = await startCache({ databaseUrl: null });
    const agentId = await createAgent();
    await waitFor('the agent', 2_000, () => cache.snapshot.agent(agentId));
  });

  it('acts on a change within a second, also when its listener was cut right before it', async () => {
    const cache = await startCache();
    for (let cut = 0; cut < 4; cut++) {
      const pid = await listener(3_000);
      await store.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
      const agentId = await createAgent();
      await waitFor('the agent', 1_000, () => cache.snapshot.agent(agentId));
    }
  });

  it('listens again when its connection was cut, and learns what changed meanwhile', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    for (let cut = 0; cut < 2; cut++) {
      const pid = await listener(3_000);
      await store.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
      await waitFor('the end of the session', 1_000, async () =>
        (await listeners()).includes(pid) ? undefined : true,
      );
      const meanwhile = await createAgent();
      expect(cache.snapshot.agent(meanwhile)).toBeUndefined();
      await waitFor('what changed meanwhile', 3_000, () => cache.snapshot.agent(meanwhile));
      expect(await listeners()).toHaveLength(1);
      const afterwards = await createAgent();
      await waitFor('a change that is notified again', 400, () => cache.snapshot.agent(afterwards));
    }
  });
});
