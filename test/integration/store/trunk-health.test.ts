import type { DataSource } from 'typeorm';

import type { NodeBoot } from '../../../contract/nodes';
import type { TrunkHealth } from '../../../contract/trunk-health';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { TrunkHealthRepository } from '../../../store/repositories/trunk-health-repository';
import type { TrunkLeases } from '../../../store/repositories/trunk-health-repository';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const CARRIER = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };
const DOWN: TrunkHealth = {
  state: 'down',
  reasons: [{ code: 'no_answer', message: 'silence' }],
  sinceMs: 1_764_600_000_123,
  checkedAtMs: 1_764_600_001_456,
  rttMs: 17,
  registration: { state: 'failed', expiresAtMs: 5, lastStatus: null, lastError: 'no answer' },
};

describe('the trunks that nodes look after', () => {
  let store: StoreFixture;
  let other: DataSource;
  let nodes: MediaNodeRepository;
  let health: TrunkHealthRepository;
  let config: ConfigRepository;
  let trunks: OutboundTrunkRepository;
  let orgId: string;

  beforeEach(async () => {
    store = await openStore();
    other = await createDataSource({ url: store.url }).initialize();
    nodes = new MediaNodeRepository(store.dataSource);
    health = new TrunkHealthRepository(store.dataSource);
    config = new ConfigRepository(store.dataSource);
    trunks = new OutboundTrunkRepository(store.dataSource, store.secrets);
    orgId = await store.newOrg();
  });
  afterEach(async () => {
    await other.destroy();
    await store.close();
  });

  async function addTrunks(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      ids.push((await config.transaction((tx) => trunks.create(tx, orgId, CARRIER))).id);
    }
    return ids;
  }

  async function boot(nodeId: string): Promise<NodeBoot> {
    const sighting = { startedAtMs: Date.now(), sipAddress: null, calls: 0, configVersion: 0, begins: true };
    const node = { nodeId, bootId: uuidV7() };
    expect(await nodes.seen({ ...node, ...sighting })).not.toBeNull();
    return node;
  }

  const silence = (nodeId: string, seconds: number): Promise<unknown> =>
    store.dataSource.query(
      `UPDATE media_nodes SET last_seen = clock_timestamp() - $2 * interval '1 second' WHERE node_id = $1`,
      [nodeId, seconds],
    );
  const idsOf = ({ kept, taken }: TrunkLeases): string[] =>
    [...kept, ...taken.map(({ trunkId }) => trunkId)].toSorted();

  it('are one node’s at first, and half of them another’s when it comes', async () => {
    const ids = (await addTrunks(7)).toSorted();
    const one = await boot('one');
    const first = await health.take(one);
    expect([idsOf(first), first.share, first.seenMsAgo! < 5_000]).toEqual([ids, 7, true]);
    expect(first.taken[0]).toMatchObject({
      health: { state: 'unknown', reasons: [], registration: null },
      told: false,
    });

    const two = await boot('two');
    expect(await health.take(two)).toMatchObject({ share: 4, kept: [], taken: [] });
    const again = await health.take(one);
    expect([again.share, again.kept.length, again.taken]).toEqual([4, 7, []]);
    await health.release(one, again.kept.slice(-3));
    expect(idsOf(await health.take(one))).toHaveLength(4);
    const second = await health.take(two);
    expect(second.taken).toHaveLength(3);
    expect([...idsOf(await health.take(one)), ...idsOf(second)].toSorted()).toEqual(ids);
  });

  it('are each one node’s alone when many ask at once', async () => {
    const ids = (await addTrunks(40)).toSorted();
    const boots = await Promise.all(['a', 'b', 'c', 'd'].map(boot));
    const rival = new TrunkHealthRepository(other);
    for (let round = 0; round < 3; round++) {
      await Promise.all(boots.map((node, n) => (n % 2 === 0 ? health : rival).take(node)));
    }
    const owned = await Promise.all(boots.map((node) => health.take(node)));
    expect(owned.flatMap(idsOf).toSorted()).toEqual(ids);
    expect(owned.map((leases) => idsOf(leases).length)).toEqual([10, 10, 10, 10]);
  });

  it('come free at once with a boot that is over, and after 15 s with a silent one', async () => {
    const ids = (await addTrunks(2)).toSorted();
    const one = await boot('one');
    await health.take(one);
    const two = await boot('two');
    await silence('one', 14);
    expect(idsOf(await health.take(two))).toEqual([]);
    await silence('one', 15.1);
    expect(idsOf(await health.take(two))).toEqual(ids);
    // It lives again, and finds that they are not its any more.
    await silence('one', 0);
    expect(idsOf(await health.take(one))).toEqual([]);

    await silence('two', 7);
    expect(await nodes.declareLost(two)).toBe(true);
    expect(await health.take(two)).toMatchObject({ seenMsAgo: null, kept: [], taken: [] });
    expect(idsOf(await health.take(one))).toEqual(ids);
    // A new boot of the same node has nothing of the one before.
    const next = await boot('one');
    expect(await health.take(one)).toMatchObject({ seenMsAgo: null, kept: [] });
    expect(idsOf(await health.take(next))).toEqual(ids);
    await nodes.stopped(next.nodeId, next.bootId);
    expect(idsOf(await health.take(await boot('three')))).toEqual(ids);
  });

  it('are reported of by their owner alone, and known to the next one', async () => {
    const [id = ''] = await addTrunks(1);
    const one = await boot('one');
    await health.take(one);
    const report = { trunkId: id, health: DOWN, toldSinceMs: null };
    expect(await health.report({ nodeId: 'two', bootId: 'x' }, [report])).toEqual([]);
    expect(await health.report(one, [report])).toEqual([id]);
    expect(await health.find(orgId, id)).toEqual({ ...DOWN, node: 'one' });
    await silence('one', 16);
    expect(await health.find(orgId, id)).toMatchObject({ state: 'down', node: null });
    const two = await boot('two');
    expect((await health.take(two)).taken).toEqual([{ trunkId: id, health: DOWN, told: false }]);
    await health.report(two, [{ ...report, toldSinceMs: DOWN.sinceMs }]);
    await health.report(two, [report]);
    const three = await boot('three');
    await nodes.stopped(two.nodeId, two.bootId);
    expect((await health.take(three)).taken).toEqual([{ trunkId: id, health: DOWN, told: true }]);
  });

  it('wait for nobody who changes a trunk, and nobody for them', async () => {
    const [locked = '', free = ''] = await addTrunks(2);
    const one = await boot('one');
    const runner = other.createQueryRunner();
    await runner.startTransaction();
    await runner.query('SELECT 1 FROM trunk_health WHERE trunk_id = $1 FOR UPDATE', [locked]);
    expect(idsOf(await health.take(one))).toEqual([free]);
    const both = [locked, free].map((trunkId) => ({ trunkId, health: DOWN, toldSinceMs: null }));
    expect(await health.report(one, both)).toEqual([free]);
    await runner.rollbackTransaction();
    await runner.release();
    expect(idsOf(await health.take(one))).toEqual([locked, free].toSorted());
  });

  it('go with the trunk and with the organisation', async () => {
    const [id = '', rest = ''] = await addTrunks(2);
    const one = await boot('one');
    await health.take(one);
    await config.transaction((tx) => trunks.delete(tx, orgId, id));
    expect(idsOf(await health.take(one))).toEqual([rest]);
    expect(await health.find(orgId, id)).toBeNull();
    expect(await health.find(uuidV7(), rest)).toBeNull();
    await config.transaction((tx) => new OrganisationRepository(store.dataSource).delete(tx, orgId));
    expect(idsOf(await health.take(one))).toEqual([]);
  });
});
