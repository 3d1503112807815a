import type { DataSource, EntityManager } from 'typeorm';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';

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
}
