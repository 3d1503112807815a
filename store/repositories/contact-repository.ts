import { And, LessThan, MoreThanOrEqual } from 'typeorm';
import type { EntityManager, FindOperator, QueryDeepPartialEntity } from 'typeorm';
import { Contact } from '../entities/contact';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { FOR_UPDATE } from '../row-lock';

type ContactFields = Pick<Contact, 'email' | 'phoneNumber' | 'name' | 'customData'>;
export type ContactPatch = PatchOf<ContactFields>;

export interface ContactFilter extends PageRequest {
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
  readonly updatedAfter?: Date | undefined;
  readonly updatedBefore?: Date | undefined;
}

export class ContactRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Newest first. */
  async list(orgId: string, filter: ContactFilter): Promise<Page<Contact>> {
    const updatedAt = between(filter.updatedAfter, filter.updatedBefore);
    const where = [{ orgId, ...(updatedAt && { updatedAt }) }];
    const period = { after: filter.createdAfter, before: filter.createdBefore };
    return newestPage(this.#session.manager, { entity: Contact, where, request: filter, time: 'createdAt', period });
  }

  async find(orgId: string, id: string): Promise<Contact | null> {
    return isUuid(id) ? this.#session.manager.findOneBy(Contact, { id, orgId }) : null;
  }

  async create(manager: EntityManager, orgId: string, fields: ContactPatch): Promise<Contact> {
    const id = uuidV7();
    await manager.insert(Contact, { ...columnsOf(fields), id, orgId });
    return manager.findOneByOrFail(Contact, { id, orgId });
  }

  /** What it was, and what it is. Null when the organisation has no such contact. */
  async update(
    manager: EntityManager,
    orgId: string,
    id: string,
    patch: ContactPatch,
  ): Promise<{ readonly before: Contact; readonly after: Contact } | null> {
    const before = await locked(manager, orgId, id);
    if (!before) return null;
    await manager.update(Contact, { id, orgId }, { ...columnsOf(patch), updatedAt: () => 'now()' });
    return { before, after: await manager.findOneByOrFail(Contact, { id, orgId }) };
  }

  /** Null when the organisation has no such contact. */
  async delete(manager: EntityManager, orgId: string, id: string): Promise<Contact | null> {
    const before = await locked(manager, orgId, id);
    if (before) await manager.delete(Contact, { id, orgId });
    return before;
  }
}

function columnsOf(patch: ContactPatch): QueryDeepPartialEntity<Contact> {
  return fieldsSet<ContactFields>(patch) as QueryDeepPartialEntity<Contact>;
}

async function locked(manager: EntityManager, orgId: string, id: string): Promise<Contact | null> {
  return isUuid(id) ? manager.findOne(Contact, { where: { id, orgId }, lock: FOR_UPDATE }) : null;
}

function between(after: Date | undefined, before: Date | undefined): FindOperator<Date> | undefined {
  const bounds = [
    ...(after === undefined ? [] : [MoreThanOrEqual(after)]),
    ...(before === undefined ? [] : [LessThan(before)]),
  ];
  return bounds.length === 0 ? undefined : And(...bounds);
}
