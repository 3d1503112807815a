import { AuditEntry } from '../entities/audit-entry';
import { uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import { withTheEnd } from '../organisation-scope';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest, Period } from '../page';
import { prepared } from '../prepared';

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

/** How often something may be done to one thing. */
export interface AuditedRate {
  readonly most: number;
  readonly seconds: number;
}

export interface AuditFilter extends PageRequest, Period {
  readonly resource?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly action?: string | undefined;
}

const INSERT = prepared(
  `INSERT INTO audit_log (id, org_id, at, key_id, request_id, action, resource, resource_id, before, after)
   VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb)`,
);

export class AuditRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** With the transaction that makes the change, so that neither exists without the other. */
  async add(entry: NewAuditEntry): Promise<void> {
    await withTheEnd(this.#session, {
      text: INSERT,
      parameters: [
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
    });
  }

  /**
   * Unless the same was done to the same thing too often: over all processes, because what was done stands here. Gives
   * the seconds until it may be done again; 0: it was added.
   */
  async addWithin(entry: NewAuditEntry & { readonly resourceId: string }, rate: AuditedRate): Promise<number> {
    const { orgId, action, resourceId } = entry;
    const { manager } = this.#session;
    // Who asks for the same at the same time counts after this one.
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`audit ${action} ${resourceId}`]);
    const rows: { n: number; wait: number | null }[] = await manager.query(
      `SELECT count(*)::int AS n, ceil(extract(epoch FROM min(at) - clock_timestamp()) + $4)::int AS wait FROM (
         SELECT at FROM audit_log WHERE org_id = $1 AND resource_id = $2 AND action = $3
           AND at > clock_timestamp() - $4 * interval '1 second' ORDER BY at DESC LIMIT $5) latest`,
      [orgId, resourceId, action, rate.seconds, rate.most],
    );
    const { n = 0, wait = null } = rows[0] ?? {};
    if (n >= rate.most) return Math.max(1, wait ?? 1);
    await this.add(entry);
    return 0;
  }

  async find(orgId: string, id: string): Promise<AuditEntry | null> {
    return this.#session.manager.findOneBy(AuditEntry, { id, orgId });
  }

  /** Newest first. */
  async list(orgId: string, filter: AuditFilter = {}): Promise<Page<AuditEntry>> {
    const { resource, resourceId, action, after, before } = filter;
    const equal = Object.entries({ resource, resourceId, action }).filter(([, value]) => value !== undefined);
    const where = [{ orgId, ...Object.fromEntries(equal) }];
    const periods = { at: { after, before } };
    return newestPage(this.#session.manager, { entity: AuditEntry, where, request: filter, time: 'at', periods });
  }
}
