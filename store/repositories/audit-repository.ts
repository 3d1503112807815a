import { AuditEntry } from '../entities/audit-entry';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest, Period } from '../page';

export interface NewAuditEntry {
  /** Default: a new one. */
  readonly id?: string;
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

export interface AuditFilter extends PageRequest, Period {
  readonly resource?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly action?: string | undefined;
}

export class AuditRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** With the transaction that makes the change, so that neither exists without the other. */
  async add(entry: NewAuditEntry): Promise<void> {
    await this.#session.manager.query(
      `INSERT INTO audit_log (id, org_id, at, key_id, request_id, action, resource, resource_id, before, after)
       VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb)`,
      [
        entry.id ?? uuidV7(),
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

  async find(orgId: string, id: string): Promise<AuditEntry | null> {
    return this.#session.manager.findOneBy(AuditEntry, { id, orgId });
  }

  /** Newest first. */
  async list(orgId: string, filter: AuditFilter = {}): Promise<Page<AuditEntry>> {
    const { resource, resourceId, action, after, before } = filter;
    const equal = Object.entries({ resource, resourceId, action }).filter(([, value]) => value !== undefined);
    const where = [{ orgId, ...Object.fromEntries(equal) }];
    const period = { after, before };
    return newestPage(this.#session.manager, { entity: AuditEntry, where, request: filter, time: 'at', period });
  }
}
