import { IsNull } from 'typeorm';
import { describeApiKey, hashApiKey, newApiKey } from '../api-key-hash';
import { ApiKey } from '../entities/api-key';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { prepared } from '../prepared';
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

export type ApiKeyHolder = Pick<ApiKey, 'id' | 'orgId' | 'scopes' | 'operator' | 'expiresAt'> & {
  /** Its organisation is. */
  readonly suspended: boolean;
};
export type AdmittedApiKey = ApiKeyHolder & {
  /** False when the key has used up its rate: this request took nothing of it. */
  readonly allowed: boolean;
  /** Until the whole of its rate is there again. */
  readonly fullInUs: number;
};
export type ApiKeyRecord = Omit<ApiKey, 'hash'>;

const ADMIT = prepared(
  `SELECT id, org_id AS "orgId", scopes, operator, suspended, expires_at AS "expiresAt", allowed,
     full_in_us AS "fullInUs"
   FROM admit_api_key($1, $2, $3, $4)`,
);
/** Locked: of two that revoke each other's key, the second finds its own to be the last. */
const OPERATOR_KEYS = `
  SELECT id FROM api_keys WHERE org_id = $1 AND operator AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > clock_timestamp())
  ORDER BY id FOR UPDATE`;
/** `last_used_at` is for people: one write a minute and key is enough. */
const TOUCH_INTERVAL = '60 seconds';

export class ApiKeyRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /** The answer is the only place that ever holds the key itself. */
  async create(input: NewApiKeyInput): Promise<{ record: ApiKeyRecord; key: string }> {
    const key = input.key ?? newApiKey();
    const id = input.id ?? uuidV7();
    const { manager } = this.#session;
    await manager.insert(ApiKey, {
      id,
      orgId: input.orgId,
      name: input.name,
      ...describeApiKey(key),
      hash: hashApiKey(this.#secrets, key),
      scopes: [...input.scopes],
      operator: input.operator ?? false,
      expiresAt: input.expiresAt ?? null,
    });
    return { record: withoutHash(await manager.findOneByOrFail(ApiKey, { id })), key };
  }

  /** Newest first, with those that were revoked. */
  async list(orgId: string, request: PageRequest = {}): Promise<Page<ApiKeyRecord>> {
    const page = await newestPage(this.#session.manager, {
      entity: ApiKey,
      where: [{ orgId }],
      request,
      time: 'createdAt',
    });
    return { ...page, items: page.items.map(withoutHash) };
  }

  /**
   * From the next request on nobody is let in by it. Null when the organisation has no such key, or has revoked it.
   * @throws StoreError `last_operator_key`
   */
  async revoke(orgId: string, id: string): Promise<ApiKeyRecord | null> {
    if (!isUuid(id)) return null;
    const { manager } = this.#session;
    const [operator, ...others]: { id: string }[] = await manager.query(OPERATOR_KEYS, [orgId]);
    if (others.length === 0 && operator?.id === id.toLowerCase()) {
      throw new StoreError('last_operator_key', 'the operator would be left without a key');
    }
    const set = { revokedAt: () => 'clock_timestamp()' };
    const result = await manager.update(ApiKey, { id, orgId, revokedAt: IsNull() }, set);
    return result.affected === 1 ? withoutHash(await manager.findOneByOrFail(ApiKey, { id, orgId })) : null;
  }

  /**
   * Null for a key that is unknown, revoked or expired. Every request asks it, in no organisation yet, and is counted by it
   * with those that other processes serve: a function of the owner, one short statement.
   * @param streaming Counted with the requests whose answers stay open, apart from all others.
   * @param requests Counted at once: all of them are allowed, or none.
   */
  async admit(key: string, perMinute: number, streaming = false, requests = 1): Promise<AdmittedApiKey | null> {
    const rows: AdmittedApiKey[] = await this.#session.manager.query(ADMIT, [
      hashApiKey(this.#secrets, key),
      perMinute,
      streaming,
      requests,
    ]);
    return rows[0] ?? null;
  }

  /** Forgets the rates of keys that are not used, of all organisations. Answers how many. */
  async purgeRates(): Promise<number> {
    const rows: { removed: number }[] = await this.#session.manager.query('SELECT purge_api_key_rates() AS removed');
    return rows[0]?.removed ?? 0;
  }

  /** The key was used now. */
  async touch(id: string): Promise<void> {
    await this.#session.manager.query(
      `UPDATE api_keys SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '${TOUCH_INTERVAL}')`,
      [id],
    );
  }
}

function withoutHash(row: ApiKey): ApiKeyRecord {
  const { hash: _, ...record } = row;
  return record;
}
