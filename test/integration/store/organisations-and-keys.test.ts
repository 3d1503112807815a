import { bootstrap } from '../../../store/bootstrap';
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

  it('the first start makes one organisation and its operator key, also when several processes start together', async () => {
    const apiKey = newApiKey();
    const results = await Promise.all([1, 2, 3].map(() => bootstrap(store.dataSource, store.secrets, { apiKey })));
    expect(new Set(results.map(({ keyId }) => keyId)).size).toBe(1);
    expect(await new OrganisationRepository(store.dataSource).count()).toBe(1);
    expect(await keys.findByKey(apiKey)).toMatchObject({ scopes: ['full'], operator: true, orgId: results[0]!.orgId });
  });

  it('a new bootstrap key replaces the one before it, and a revoked one stays revoked', async () => {
    const [first, second] = [newApiKey(), newApiKey()];
    const { orgId } = await bootstrap(store.dataSource, store.secrets, { apiKey: first });
    const again = await bootstrap(store.dataSource, store.secrets, { apiKey: second });
    expect(again.orgId).toBe(orgId);
    expect(await keys.findByKey(first)).toBeNull();
    expect(await keys.findByKey(second)).not.toBeNull();
    await bootstrap(store.dataSource, store.secrets, { apiKey: first });
    expect(await keys.findByKey(first)).toBeNull();
  });

  it('a key is found until it is revoked or has expired, and is stored nowhere', async () => {
    const orgId = await store.newOrg();
    const { key, record } = await keys.create({ orgId, name: 'CI', scopes: ['phone:read'] });
    expect(await keys.findByKey(key)).toMatchObject({ id: record.id, orgId, scopes: ['phone:read'], operator: false });
    expect(await keys.findByKey(`${key}x`)).toBeNull();
    const rows = await store.dataSource.query('SELECT * FROM api_keys WHERE id = $1', [record.id]);
    expect(JSON.stringify(rows)).not.toContain(key);

    const other = await store.newOrg();
    expect(await keys.revoke(other, record.id)).toBe(false);
    expect(await keys.findByKey(key)).not.toBeNull();
    expect(await keys.revoke(orgId, record.id)).toBe(true);
    expect(await keys.findByKey(key)).toBeNull();

    const old = await keys.create({ orgId, name: 'old', scopes: ['full'], expiresAt: new Date(Date.now() - 1000) });
    expect(await keys.findByKey(old.key)).toBeNull();
    expect((await keys.list(orgId)).map(({ name }) => name)).toEqual(['CI', 'old']);
  });

  it('its last use is written at most once a minute', async () => {
    const { record } = await keys.create({ orgId: await store.newOrg(), name: 'k', scopes: ['full'] });
    await keys.touch(record.id);
    const first = (await keys.list(record.orgId))[0]!.lastUsedAt;
    expect(first).toBeInstanceOf(Date);
    await keys.touch(record.id);
    expect((await keys.list(record.orgId))[0]!.lastUsedAt).toEqual(first);
  });
});
