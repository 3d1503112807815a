import type { EntityManager } from 'typeorm';
import { Contact } from '../entities/contact';
import { isUuid, uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { prepared } from '../prepared';
import { FOR_UPDATE } from '../row-lock';
import { ownRow } from '../rows';

type ContactFields = Pick<Contact, 'email' | 'phoneNumber' | 'name' | 'customData'>;
export type ContactPatch = PatchOf<ContactFields>;

/** What the database makes of a contact that is written. */
type Written = Pick<Contact, 'customData' | 'createdAt' | 'updatedAt'>;

const WRITTEN = 'custom_data AS "customData", created_at AS "createdAt", updated_at AS "updatedAt"';
const INSERT = prepared(
  `INSERT INTO contacts (id, org_id, email, phone_number, name, custom_data) VALUES ($1, $2, $3, $4, $5, $6::jsonb)
   RETURNING ${WRITTEN}`,
);
const UPDATE = prepared(
  `UPDATE contacts SET email = $3, phone_number = $4, name = $5, custom_data = $6::jsonb, updated_at = now()
   WHERE id = $1 AND org_id = $2 RETURNING ${WRITTEN}`,
);
const NOTHING_KNOWN: ContactFields = { email: null, phoneNumber: null, name: null, customData: {} };

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
    const periods = {
      createdAt: { after: filter.createdAfter, before: filter.createdBefore },
      updatedAt: { after: filter.updatedAfter, before: filter.updatedBefore },
    };
    const where = [{ orgId }];
    return newestPage(this.#session.manager, { entity: Contact, where, request: filter, time: 'createdAt', periods });
  }

  async find(orgId: string, id: string): Promise<Contact | null> {
    return isUuid(id) ? ownRow(this.#session.manager, Contact, { orgId, id }) : null;
  }

  async create(manager: EntityManager, orgId: string, fields: ContactPatch): Promise<Contact> {
    const contact = { ...NOTHING_KNOWN, ...fieldsSet<ContactFields>(fields), id: uuidV7(), orgId };
    const rows: Written[] = await manager.query(INSERT, parametersOf(contact));
    return written(contact, rows);
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
    const { email, phoneNumber, name, customData } = before;
    const contact = { email, phoneNumber, name, customData, ...fieldsSet<ContactFields>(patch), id, orgId };
    const [rows]: [Written[]] = await manager.query(UPDATE, parametersOf(contact));
    return { before, after: written(contact, rows) };
  }

  /** Null when the organisation has no such contact. */
  async delete(manager: EntityManager, orgId: string, id: string): Promise<Contact | null> {
    const before = await locked(manager, orgId, id);
    if (before) await manager.delete(Contact, { id, orgId });
    return before;
  }
}

/** In the order of both statements. */
function parametersOf({
  id,
  orgId,
  email,
  phoneNumber,
  name,
  customData,
}: Omit<Contact, keyof Written> & ContactFields): unknown[] {
  return [id, orgId, email, phoneNumber, name, jsonbParameter(customData)];
}

function written(contact: Omit<Contact, keyof Written>, rows: readonly Written[]): Contact {
  const [row] = rows;
  if (row === undefined) throw new Error('the contact was not written');
  return { ...contact, ...row };
}

async function locked(manager: EntityManager, orgId: string, id: string): Promise<Contact | null> {
  return isUuid(id) ? ownRow(manager, Contact, { orgId, id }, FOR_UPDATE) : null;
}
