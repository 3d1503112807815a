import { ConfigCache } from '../../../activities/media/config-cache';
import { createLogger } from '../../../ops/logger';
import { AgentRepository } from '../../../store/repositories/agent-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { InboundTrunkRepository } from '../../../store/repositories/inbound-trunk-repository';
import { OutboundTrunkRepository } from '../../../store/repositories/outbound-trunk-repository';
import { waitFor } from '../../support/stack';
import { openStore } from '../store/store-fixture';
import type { StoreFixture } from '../store/store-fixture';

const CARRIER = { name: 'Carrier', host: 'sip.example', username: 'u', password: 'p', callerNumber: '+15550100' };

describe('the configuration that a media node holds', () => {
  let store: StoreFixture;
  let config: ConfigRepository;
  let orgId: string;
  let cache: ConfigCache;
  const revoked: string[] = [];

  beforeAll(async () => {
    store = await openStore();
    config = new ConfigRepository(store.dataSource, store.secrets);
    orgId = await store.newOrg();
    cache = new ConfigCache({
      repository: config,
      databaseUrl: store.url,
      onTrunkRevoked: (trunkId) => revoked.push(trunkId),
      logger: createLogger({ name: 'test', level: 'silent' }),
    });
    await cache.start();
  });

  afterAll(async () => {
    await cache.close();
    await store.close();
  });

  async function reaches(version: number): Promise<void> {
    await waitFor(`version ${version}`, 2_000, () => (cache.snapshot.version >= version ? true : undefined));
  }

  it('follows what is created, changed and deleted, and says which trunks were revoked', async () => {
    const inbound = new InboundTrunkRepository(store.dataSource, store.secrets);
    const outbound = new OutboundTrunkRepository(store.dataSource, store.secrets);
    const agents = new AgentRepository(store.dataSource);
    const made = await config.transaction(async (tx) => ({
      agent: await agents.create(tx, orgId, { name: 'First' }),
      trunk: await inbound.create(tx, orgId, { phoneNumbers: [] }),
      carrier: await outbound.create(tx, orgId, CARRIER),
    }));
    await reaches(await config.currentVersion());
    expect(cache.snapshot.inboundTrunk(made.trunk.authUsername)).toMatchObject({ id: made.trunk.id });
    expect(cache.snapshot.outboundTrunk(made.carrier.id)).toMatchObject({ host: CARRIER.host });

    await config.transaction((tx) => inbound.update(tx, orgId, { krispEnabled: false }));
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
});
