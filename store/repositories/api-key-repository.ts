import type { DataSource, EntityManager } from 'typeorm';
import { describeApiKey, hashApiKey, newApiKey } from '../api-key-hash';
import { ApiKey } from '../entities/api-key';
import { uuidV7 } from '../ids';
import type { SecretBox } from '../secrets';

export interface NewApiKeyInput {
  readonly id?: string;
  readonly orgId: string;
  readonly name: string;
  /** `resource:read|write`, or `['full']`. */
  readonly scopes: readonly string[];
  readonly operator?: boolean;
  readonly expiresAt?: Date | null;
  /** A key made elsewhere (the bootstrap key); default: a new random one. */
  readonly key?: string;
}

export type ApiKeyHolder = Pick<ApiKey, 'id' | 'orgId' | 'scopes' | 'operator'>;

/** `last_used_at` is for people: one write a minute and key is enough. */
const TOUCH_INTERVAL = '60 seconds';

export class ApiKeyRepository {
  readonly #dataSource: DataSource;
  readonly #secrets: SecretBox;

  constructor(dataSource: DataSource, secrets: SecretBox) {
    this.#dataSource = dataSource;
    this.#secrets = secrets;
  }

  /** The answer is the only place that ever holds the key itself. */
  async create(input: NewApiKeyInput, manager?: EntityManager): Promise<{ record: ApiKey; key: string }> {
    const key = input.key ?? newApiKey();
    const id = input.id ?? uuidV7();
    const target = manager ?? this.#dataSource.manager;
    await target.insert(ApiKey, {
      id,
      orgId: input.orgId,
      name: input.name,
      ...describeApiKey(key),
      hash: hashApiKey(this.#secrets, key),
      scopes: [...input.scopes],
      operator: input.operator ?? false,
      expiresAt: input.expiresAt ?? null,
    });
    return { record: await target.findOneByOrFail(ApiKey, { id }), key };
  }

  /** Null for a key that is unknown, revoked or expired. Every request asks it: no entity, one short statement. */
  async findByKey(key: string): Promise<ApiKeyHolder | null> {
    const rows: ApiKeyHolder[] = await this.#dataSource.query(
      `SELECT id, org_id AS "orgId", scopes, operator FROM api_keys
       WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [hashApiKey(this.#secrets, key)],
    );
    return rows[0] ?? null;
  }

  /** The key was used now. */
  async touch(id: string): Promise<void> {
    await this.#dataSource.manager.query(
      `UPDATE api_keys SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '${TOUCH_INTERVAL}')`,
      [id],
    );
  }
}
