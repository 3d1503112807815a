import { hashApiKey } from '../../store/api-key-hash';
import { createDataSource, migrate } from '../../store/data-source';
import { isDatabaseUnavailable } from '../../store/errors';
import { ApiKey } from '../../store/entities/api-key';
import { Organisation } from '../../store/entities/organisation';
import { ApiKeyRepository } from '../../store/repositories/api-key-repository';
import { OrganisationRepository } from '../../store/repositories/organisation-repository';
import { allowLogin } from '../../store/row-level-security';
import { SecretBox } from '../../store/secrets';
import type { RoleLogin } from './database-urls';

export interface PrepareStoreOptions {
  /** The owner's. */
  readonly databaseUrl: string;
  readonly secretsKey: string;
  /** The first organisation's full-access key. */
  readonly apiKey: string;
  /** Of a server of ours: roles that may log in, with their passwords. */
  readonly logins: readonly RoleLogin[];
}

/** Runs the migrations, lets the roles in, and makes sure that the first organisation and its key exist. Answers the migrations it ran. */
export async function prepareStore(options: PrepareStoreOptions): Promise<readonly string[]> {
  const dataSource = createDataSource({
    url: options.databaseUrl,
    applicationName: 'trunkline-supervisor',
    poolSize: 2,
  });
  const done = await migrate(dataSource);
  await dataSource.initialize();
  try {
    for (const { role, password } of options.logins) await allowLogin(dataSource, role, password);
    const secrets = new SecretBox(options.secretsKey);
    // A key that was revoked stays revoked: what counts is that it was once made.
    if (await dataSource.manager.existsBy(ApiKey, { hash: hashApiKey(secrets, options.apiKey) })) return done;
    await dataSource.transaction(async (manager) => {
      const [first] = await manager.find(Organisation, { order: { createdAt: 'ASC', id: 'ASC' }, take: 1 });
      const organisation = first ?? (await new OrganisationRepository({ manager }).create({ name: 'Default' }));
      await new ApiKeyRepository({ manager }, secrets).create({
        orgId: organisation.id,
        name: 'bootstrap',
        scopes: ['full'],
        operator: true,
        key: options.apiKey,
      });
    });
    return done;
  } finally {
    await dataSource.destroy();
  }
}

/** What a server says that knows us not: no such user, wrong password, no such database, no right to make tables. */
const REFUSALS: ReadonlySet<unknown> = new Set(['28000', '28P01', '3D000', '42501']);

/** Why the database cannot be had as it is named; undefined for what went wrong in it. */
export function connectionProblem(error: unknown): string | undefined {
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  if (!REFUSALS.has(code) && !isDatabaseUnavailable(error)) return undefined;
  // A name with several addresses has no message of its own.
  return ((errors?.[0] ?? error) as Error).message;
}
