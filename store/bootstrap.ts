import type { DataSource } from 'typeorm';
import { hashApiKey } from './api-key-hash';
import { ApiKey } from './entities/api-key';
import { Organisation } from './entities/organisation';
import { ApiKeyRepository } from './repositories/api-key-repository';
import { OrganisationRepository } from './repositories/organisation-repository';
import type { SecretBox } from './secrets';

export interface BootstrapOptions {
  /** `BOOTSTRAP_API_KEY`: full access, the operator's. */
  readonly apiKey: string;
  /** Default `Default`. */
  readonly organisationName?: string;
}

const BOOTSTRAP_KEY_NAME = 'bootstrap';
const BOOTSTRAP_LOCK = 7_283_002;

/**
 * The first organisation and its key. May run at every start and in several processes at once: a new key replaces the
 * bootstrap key before it, which is revoked; a key that is known changes nothing.
 */
export async function bootstrap(
  dataSource: DataSource,
  secrets: SecretBox,
  options: BootstrapOptions,
): Promise<{ readonly orgId: string; readonly keyId: string }> {
  const keys = new ApiKeyRepository(dataSource, secrets);
  const organisations = new OrganisationRepository(dataSource);
  return dataSource.transaction(async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK]);
    const hash = hashApiKey(secrets, options.apiKey);
    const same = await manager.findOneBy(ApiKey, { hash });
    // A revoked key stays revoked: a restart must not bring a leaked one back.
    if (same) return { orgId: same.orgId, keyId: same.id };
    const [first] = await manager.find(Organisation, { order: { createdAt: 'ASC', id: 'ASC' }, take: 1 });
    const { id: orgId } =
      first ?? (await organisations.create({ name: options.organisationName ?? 'Default' }, manager));
    await manager.query('UPDATE api_keys SET revoked_at = now() WHERE name = $1 AND operator AND revoked_at IS NULL', [
      BOOTSTRAP_KEY_NAME,
    ]);
    const input = { orgId, name: BOOTSTRAP_KEY_NAME, scopes: ['full'], operator: true, key: options.apiKey };
    const { record } = await keys.create(input, manager);
    return { orgId, keyId: record.id };
  });
}
