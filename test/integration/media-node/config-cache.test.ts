import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadEntry } from '../../../media';
import { ConfigCache } from '../../../media-node/config-cache';
import type { ConfigCacheOptions } from '../../../media-node/config-cache';
import { createLogger } from '../../../ops/logger';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { uuidV7 } from '../../../store/ids';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { TcpRelay } from '../../support/tcp-relay';
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
  /** The versions in which there were other outbound trunks. */
  const carriers: number[] = [];

  beforeAll(async () => {
    store = await openStore();
    config = new ConfigRepository(store.dataSource);
    agents = new AgentRepository(store.dataSource);
    orgId = await store.newOrg();
  });

  afterEach(async () => {
    for (const cache of caches.splice(0)) await cache.close();
  });

  afterAll(() => store.close());

  function newCache(changes: Partial<ConfigCacheOptions> = {}): ConfigCache {
    const cache = new ConfigCache({
      databaseUrl: store.url,
      secrets: store.secrets,
      onTrunkRevoked: (trunkId) => revoked.push(trunkId),
      onApplied: (version) => applied.push(version),
      onOutboundTrunks: () => carriers.push(applied.at(-1) ?? 0),
      logger: createLogger({ name: 'test', level: 'silent' }),
      ...changes,
    });
    caches.push(cache);
    return cache;
  }

  async function startCache(changes: Partial<ConfigCacheOptions> = {}): Promise<ConfigCache> {
    const cache = newCache(changes);
    await cache.start();
    return cache;
  }

  async function createAgent(): Promise<string> {
    const id = uuidV7();
    await config.transaction((tx) => agents.create(tx, orgId, { id, name: 'New' }));
    return id;
  }

  /** As a transaction whose notification nobody hears. */
  async function renameUnnotified(name: string): Promise<string> {
    const agentId = await createAgent();
    await store.dataSource.query(
      `WITH bump AS (UPDATE config_version SET version = version + 1 RETURNING version)
       UPDATE agents SET name = $2, version = bump.version FROM bump WHERE id = $1`,
      [agentId, name],
    );
    return agentId;
  }

  /** Sessions that follow, and no other one of this database. */
  async function followers(): Promise<number[]> {
    const rows: { pid: number }[] = await store.dataSource.query(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle' AND application_name = 'trunkline-configuration'`,
    );
    return rows.map(({ pid }) => pid);
  }

  const follower = (limitMs: number): Promise<number> =>
    waitFor('a session that follows', limitMs, async () => (await followers())[0]);

  const cut = (pid: number): Promise<unknown> => store.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);

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

  it('tells of outbound trunks only what is a change of them', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    const outbound = new OutboundTrunkRepository(store.dataSource, store.secrets);
    const before = carriers.length;
    const agentId = await createAgent();
    await waitFor('the agent', 2_000, () => cache.snapshot.agent(agentId));
    expect(carriers).toHaveLength(before);
    const { id } = await config.transaction((tx) => outbound.create(tx, orgId, CARRIER));
    await waitFor('the trunk', 2_000, () => cache.snapshot.outboundTrunk(id));
    await config.transaction((tx) => outbound.delete(tx, orgId, id));
    await waitFor('its end', 2_000, () => (cache.snapshot.outboundTrunk(id) === undefined ? true : undefined));
    expect(carriers).toHaveLength(before + 2);
  });

  it('a notification brings a change at once', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    const agentId = await createAgent();
    await waitFor('the agent', 400, () => cache.snapshot.agent(agentId));
  });

  it('a change whose notification is lost comes within a second', async () => {
    const cache = await startCache();
    const agentId = await renameUnnotified('Unheard');
    await waitFor('the agent', 1_000, () => (cache.snapshot.agent(agentId)?.name === 'Unheard' ? true : undefined));
  });

  it('a request brings a change that nobody has notified, and is answered when that is in its place', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    const agentId = await renameUnnotified('Asked for');
    await Promise.all([cache.refresh(), cache.refresh()]);
    expect(cache.snapshot.agent(agentId)?.name).toBe('Asked for');
    expect(cache.snapshot.version).toBe(await config.currentVersion());
  });

  it('says which version it acts on when it is told to, without waiting for the disk', async () => {
    const nodes = new MediaNodeRepository(store.dataSource);
    const boot = { nodeId: 'acting', bootId: 'boot' };
    await nodes.seen({ ...boot, startedAtMs: Date.now(), sipAddress: null, calls: 0, configVersion: 1 });
    const cache = await startCache();
    expect(await nodes.isBehind(cache.snapshot.version, 60_000)).toBe(true);
    cache.acting(boot, cache.snapshot.version);
    await waitFor('the row', 1_000, async () =>
      (await nodes.isBehind(cache.snapshot.version, 60_000)) ? undefined : true,
    );
  });

  it('acts on a change within a second, also when its connection was cut right before it', async () => {
    const cache = await startCache();
    for (let round = 0; round < 4; round++) {
      await cut(await follower(3_000));
      const agentId = await createAgent();
      await waitFor('the agent', 1_000, () => cache.snapshot.agent(agentId));
    }
  });

  it('follows again when its connection was cut, and learns what changed meanwhile', async () => {
    const cache = await startCache({ checkMs: NEVER_MS });
    for (let round = 0; round < 2; round++) {
      await cut(await follower(3_000));
      const meanwhile = await createAgent();
      await waitFor('what changed meanwhile', 3_000, () => cache.snapshot.agent(meanwhile));
      await follower(1_000);
      expect(await followers()).toHaveLength(1);
      const afterwards = await createAgent();
      await waitFor('a change that is notified again', 400, () => cache.snapshot.agent(afterwards));
    }
  });

  it('waits for a server that is away at first, keeps what it has while one is away, and ends all the same', async () => {
    const before = await createAgent();
    const { hostname: host, port } = new URL(store.url);
    const relay = await TcpRelay.start({ host, port: Number(port) });
    const url = Object.assign(new URL(store.url), { port: String(relay.port) });
    await relay.vanish();
    const cache = newCache({ databaseUrl: url.toString() });
    let loaded = false;
    const started = cache.start().then(() => (loaded = true));
    await sleep(700);
    expect(loaded).toBe(false);
    await relay.comeBack();
    await started;
    expect(cache.snapshot.version).toBe(await config.currentVersion());
    await relay.vanish();
    const agentId = await createAgent();
    await cache.refresh();
    expect(cache.snapshot.agent(agentId)).toBeUndefined();
    expect(cache.snapshot.agent(before)).toBeDefined();
    await relay.comeBack();
    await waitFor('the agent', 3_000, () => cache.snapshot.agent(agentId));
    // Its answers do not come any more, nor does the end of its connection.
    relay.fallSilent();
    const beganMs = performance.now();
    await cache.close();
    expect(performance.now() - beganMs).toBeLessThan(3_000);
    await relay.close();
  });

  it('goes on where its thread ends, without reading everything anew', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-config-'));
    const entry = join(folder, 'mortal-thread.js');
    const thread = threadEntry(join(PROJECT_ROOT, 'media-node'), 'config-thread');
    writeFileSync(entry, `require(${JSON.stringify(thread)}); setTimeout(() => { throw new Error('ends'); }, 300);`);
    try {
      const cache = await startCache({ entry });
      const reads = carriers.length;
      const sessions = new Set<number>();
      for (let round = 0; round < 4; round++) {
        sessions.add(await follower(3_000));
        const agentId = await createAgent();
        await waitFor('the agent', 3_000, () => cache.snapshot.agent(agentId));
        await cache.refresh();
        await sleep(200);
      }
      expect(sessions.size).toBeGreaterThan(1);
      expect(carriers).toHaveLength(reads);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
