import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { ApiKey } from '../entities/api-key';
import { Campaign } from '../entities/campaign';
import { Contact } from '../entities/contact';
import { IdempotencyKey } from '../entities/idempotency-key';
import { InboundTrunk } from '../entities/inbound-trunk';
import { NumberCodeCall } from '../entities/number-code-call';
import { Organisation } from '../entities/organisation';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { PhoneNumber } from '../entities/phone-number';
import { SipRegistration } from '../entities/sip-registration';
import { TransferDestination } from '../entities/transfer-destination';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { pageLimit, toPage } from '../page';
import type { Page, PageRequest } from '../page';
import { decodeCursor, encodeCursor } from '../page-cursor';
import { FOR_DELETE, FOR_UPDATE } from '../row-lock';

export interface OrganisationPatch {
  readonly name?: string;
  readonly limits?: Organisation['limits'];
  readonly suspended?: boolean;
}

export class OrganisationRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  async create(input: {
    readonly id?: string;
    readonly name: string;
    readonly limits?: Organisation['limits'];
  }): Promise<Organisation> {
    const id = input.id ?? uuidV7();
    const { manager } = this.#session;
    await manager.insert(Organisation, { id, name: input.name, limits: input.limits ?? {} });
    return manager.findOneByOrFail(Organisation, { id });
  }

  async find(id: string): Promise<Organisation | null> {
    return isUuid(id) ? this.#session.manager.findOneBy(Organisation, { id }) : null;
  }

  /** All of the server, newest first: an operator's. */
  async list(request: PageRequest = {}): Promise<Page<Organisation>> {
    const limit = pageLimit(request);
    const before = request.cursor === undefined ? null : decodeCursor(request.cursor);
    const rows: Organisation[] = await this.#session.manager.query(
      `SELECT id, name, limits, created_at AS "createdAt", updated_at AS "updatedAt", suspended_at AS "suspendedAt"
       FROM list_organisations($1, $2, $3)`,
      [before?.at ?? null, before?.id ?? null, limit + 1],
    );
    return toPage(rows, limit, ({ createdAt: at, id }) => encodeCursor({ at, id }));
  }

  /**
   * Suspended or no longer, its trunks are read again by the nodes. Null when there is no such organisation.
   */
  async update(tx: ConfigTransaction, id: string, patch: OrganisationPatch): Promise<Organisation | null> {
    const { manager } = tx;
    const row = await manager.findOne(Organisation, { where: { id }, lock: FOR_UPDATE });
    if (row === null) return null;
    const { name = row.name, limits = {}, suspended = row.suspendedAt !== null } = patch;
    const changes = suspended !== (row.suspendedAt !== null);
    const suspendedAt = changes ? { suspendedAt: suspended ? () => 'now()' : null } : {};
    await manager.update(
      Organisation,
      { id },
      { name, limits: { ...row.limits, ...limits }, ...suspendedAt, updatedAt: () => 'now()' },
    );
    if (changes) {
      // Locked as by whoever changes them: only after its rows a transaction takes the counter of versions.
      const trunks = { where: { orgId: id }, order: { id: 'ASC' }, lock: FOR_UPDATE } as const;
      tx.changed('inbound_trunk', ...(await manager.find(InboundTrunk, trunks)).map((trunk) => trunk.id));
      tx.changed('outbound_trunk', ...(await manager.find(OutboundTrunk, trunks)).map((trunk) => trunk.id));
      // Who is registered with its trunk is called no more; a deleted trunk takes them along.
      if (suspended) await manager.delete(SipRegistration, { orgId: id });
    }
    return manager.findOneByOrFail(Organisation, { id });
  }

  /**
   * With its keys and all of its configuration. What it has done stays: calls with their records, and the audit log; so does
   * what is left to do, until every media node has dropped its trunks (`TrunkProvisioning`).
   * Null when there is no such organisation.
   */
  async delete(tx: ConfigTransaction, id: string): Promise<Organisation | null> {
    const { manager } = tx;
    const row = await manager.findOne(Organisation, { where: { id }, lock: FOR_DELETE });
    if (row === null) return null;
    const where = { orgId: id };
    // Those that point at others first.
    const configuration = [
      ['phone_number', PhoneNumber],
      ['agent', Agent],
      ['outbound_trunk', OutboundTrunk],
      ['inbound_trunk', InboundTrunk],
    ] as const;
    for (const [kind, entity] of configuration) {
      const rows = await manager.find<{ id: string; orgId: string }>(entity, { where, select: { id: true } });
      await manager.delete(entity, where);
      tx.deleted(kind, ...rows.map((gone) => gone.id));
    }
    // Their contacts, and the numbers that were not to be called, are removed as those of any deleted campaign.
    await manager.update(Campaign, where, { deletedAt: () => 'now()', version: () => 'version + 1' });
    for (const entity of [TransferDestination, Contact, ApiKey, IdempotencyKey, NumberCodeCall]) {
      await manager.delete(entity, where);
    }
    await manager.delete(Organisation, { id });
    return row;
  }

  /** A server with exactly one organisation trusts it more: numbers in a trunk's body verify themselves. */
  async count(): Promise<number> {
    const rows: { n: number }[] = await this.#session.manager.query('SELECT count_organisations() AS n');
    return rows[0]?.n ?? 0;
  }
}
