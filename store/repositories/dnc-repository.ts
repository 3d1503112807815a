import type { DncSource } from '../../contract/campaigns';
import { DncEntry } from '../entities/dnc-entry';
import { GlobalDncEntry } from '../entities/global-dnc-entry';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';

/** Whose list: one organisation's (its id), or null: the whole server's. */
type ListOwner = string | null;

export type DncRecord = GlobalDncEntry;

export interface DncFilter extends PageRequest {
  /** E.164. */
  readonly phoneNumber?: string | undefined;
}

export interface NewDncEntry {
  readonly phoneNumber: string;
  readonly reason: string | null;
}

const COLUMNS = 'id, phone_number AS "phoneNumber", reason, source, created_at AS "createdAt"';

/** Numbers that nobody calls: of each organisation, and of the whole server. Numbers on neither list are not told apart. */
export class DncRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Newest first. */
  async list(owner: ListOwner, { phoneNumber, ...request }: DncFilter): Promise<Page<DncRecord>> {
    const number = phoneNumber === undefined ? {} : { phoneNumber };
    const { manager } = this.#session;
    if (owner === null) {
      const query = { entity: GlobalDncEntry, where: [number], request, time: 'createdAt' } as const;
      return newestPage<'createdAt', GlobalDncEntry>(manager, query);
    }
    const query = { entity: DncEntry, where: [{ orgId: owner, ...number }], request, time: 'createdAt' } as const;
    return newestPage<'createdAt', DncEntry>(manager, query);
  }

  /**
   * One statement for all of them. A number that is there stays as it is.
   * @returns those that were not there before
   */
  async add(owner: ListOwner, source: DncSource, entries: readonly NewDncEntry[]): Promise<DncRecord[]> {
    if (entries.length === 0) return [];
    const [table, columns, values] =
      owner === null ? ['global_dnc_entries', '', ''] : ['dnc_entries', 'org_id, ', '$3::uuid, '];
    const given = entries.map(({ phoneNumber, reason }) => ({ id: uuidV7(), number: phoneNumber, reason }));
    const rows: DncRecord[] = await this.#session.manager.query(
      `INSERT INTO ${table} (id, ${columns}phone_number, reason, source)
       SELECT id, ${values}number, reason, $2 FROM jsonb_to_recordset($1::jsonb) AS g (id uuid, number text, reason text)
       ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [JSON.stringify(given), source, ...(owner === null ? [] : [owner])],
    );
    return rows;
  }

  async find(owner: ListOwner, phoneNumber: string): Promise<DncRecord | null> {
    const [first] = (await this.list(owner, { phoneNumber, limit: 1 })).items;
    return first ?? null;
  }

  /** Null when there is no such entry on this list. */
  async remove(owner: ListOwner, id: string): Promise<DncRecord | null> {
    if (!isUuid(id)) return null;
    const [rows]: [DncRecord[]] = await this.#session.manager.query(
      owner === null
        ? `DELETE FROM global_dnc_entries WHERE id = $1 RETURNING ${COLUMNS}`
        : `DELETE FROM dnc_entries WHERE id = $1 AND org_id = $2 RETURNING ${COLUMNS}`,
      owner === null ? [id] : [id, owner],
    );
    return rows[0] ?? null;
  }
}
