import { ApiKey } from '../../../store/entities/api-key';
import { Organisation } from '../../../store/entities/organisation';
import { ApiKeyRepository } from '../../../store/repositories/api-key-repository';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { newApiKey } from '../../../store/api-key-hash';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

describe('organisations and API keys', () => {
  let store: StoreFixture;
  let keys: ApiKeyRepository;
  beforeAll(async () => {
    store = await openStore();
    keys = new ApiKeyRepository(store.dataSource, store.secrets);
  });
  afterAll(() => store.close());

  it('organisations are stored and counted', async () => {
    const organisations = new OrganisationRepository(store.dataSource);
    const before = await organisations.count();
    const id = await store.newOrg();
    expect(await store.dataSource.manager.findOneBy(Organisation, { id })).toMatchObject({ name: 'Test' });
    expect(await organisations.count()).toBe(before + 1);
  });

  it('a key made elsewhere is taken as it is', async () => {
    const orgId = await store.newOrg();
    const key = newApiKey();
    await keys.create({ orgId, name: 'bootstrap', scopes: ['full'], operator: true, key });
    expect(await keys.admit(key, 100)).toMatchObject({ orgId, operator: true });
    expect(await store.dataSource.manager.findBy(ApiKey, { orgId })).toMatchObject([{ last4: key.slice(-4) }]);
  });

  it('a key is found until it is revoked or has expired, and is stored nowhere', async () => {
    const orgId = await store.newOrg();
    const { key, record } = await keys.create({ orgId, name: 'CI', scopes: ['phone:read'] });
    expect(await keys.admit(key, 100)).toMatchObject({ id: record.id, orgId, scopes: ['phone:read'], operator: false });
    expect(await keys.admit(`${key}x`, 100)).toBeNull();
    const rows = await store.dataSource.query('SELECT * FROM api_keys WHERE id = $1', [record.id]);
    expect(JSON.stringify(rows)).not.toContain(key);

    await store.dataSource.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [record.id]);
    expect(await keys.admit(key, 100)).toBeNull();

    const old = await keys.create({ orgId, name: 'old', scopes: ['full'], expiresAt: new Date(Date.now() - 1000) });
    expect(await keys.admit(old.key, 100)).toBeNull();
  });

  it('its last use is written at most once a minute', async () => {
    const { record } = await keys.create({ orgId: await store.newOrg(), name: 'k', scopes: ['full'] });
    await keys.touch(record.id);
    const lastUsedAt = async (): Promise<Date | null> =>
      (await store.dataSource.manager.findOneByOrFail(ApiKey, { id: record.id })).lastUsedAt;
    const first = await lastUsedAt();
    expect(first).toBeInstanceOf(Date);
    await keys.touch(record.id);
    expect(await lastUsedAt()).toEqual(first);
  });
});
