import type { DataSource, EntityManager } from 'typeorm';
import { AuditEntry } from '../entities/audit-entry';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import { decodeCursor, pageLimit, toPage } from '../page';
import type { Page, PageRequest } from '../page';

export interface NewAuditEntry {
  readonly orgId: string;
  readonly keyId: string | null;
  readonly requestId: string | null;
  /** `create`, `update`, `delete`, `hangup` … */
  readonly action: string;
  readonly resource: string;
  readonly resourceId: string | null;
  /** Without secrets. */
  readonly before?: object | null;
  readonly after?: object | null;
}

export interface AuditFilter extends PageRequest {
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

export class AuditRepository {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** With the transaction that makes the change, so that neither exists without the other. */
  async add(entry: NewAuditEntry, manager: EntityManager = this.#dataSource.manager): Promise<void> {
    await manager.query(
      `INSERT INTO audit_log (id, org_id, at, key_id, request_id, action, resource, resource_id, before, after)
       VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb)`,
      [
        uuidV7(),
        entry.orgId,
        entry.keyId,
        entry.requestId,
        entry.action,
        entry.resource,
        entry.resourceId,
        entry.before ? jsonbParameter(entry.before) : null,
        entry.after ? jsonbParameter(entry.after) : null,
      ],
    );
  }

  /** Newest first. */
  async list(orgId: string, filter: AuditFilter = {}): Promise<Page<AuditEntry>> {
    const limit = pageLimit(filter);
    const query = this.#dataSource.manager
      .createQueryBuilder(AuditEntry, 'a')
      .where('a.orgId = :orgId', { orgId })
      .orderBy('a.at', 'DESC')
      .addOrderBy('a.id', 'DESC')
      .limit(limit + 1);
    if (filter.resource !== undefined) query.andWhere('a.resource = :resource', { resource: filter.resource });
    if (filter.action !== undefined) query.andWhere('a.action = :action', { action: filter.action });
    if (filter.createdAfter) query.andWhere('a.at >= :after', { after: filter.createdAfter });
    if (filter.createdBefore) query.andWhere('a.at < :before', { before: filter.createdBefore });
    if (filter.cursor !== undefined) query.andWhere('(a.at, a.id) < (:at, :id)', decodeCursor(filter.cursor));
    return toPage(await query.getMany(), limit, ({ at, id }) => ({ at, id }));
  }
}
