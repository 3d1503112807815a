import type { ContactFilter, ContactPatch } from '../../store/repositories/contact-repository';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { contact, contactCreated, contactDeleted, contactPage, contactsQuery, contactWrite } from '../schemas/contact';
import type { ContactsQuery, ContactWrite } from '../schemas/contact';
import { contactExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import type { ApiStore } from '../store';
import { contactView } from '../views';

export interface ContactRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
}

const TAG = { tag: 'Contacts', resource: 'contact' } as const;
const PATH = '/contacts';

export function contactRoutes({ store, changes }: ContactRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'listContacts',
      summary: 'Contacts, newest first',
      scope: 'contacts:read',
      query: contactsQuery,
      response: contactPage,
      responseExample: { items: [contactExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const page = await store.forOrg(orgId).read((org) => org.contacts.list(orgId, filterOf(query)));
        return answer({ items: page.items.map(contactView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'createContact',
      summary: 'Create a contact',
      scope: 'contacts:write',
      body: contactWrite,
      response: contactCreated,
      successStatus: 201,
      errors: { 422: ['emergency_number'] },
      requestExample: { contact: { name: 'Ada Byron', phone: '+15559876543', custom_data: { plan: 'gold' } } },
      responseExample: { id: contactExample.id },
      idempotency: 'plain',
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const row = await org.contacts.create(tx.manager, request.principal.orgId, fieldsOf(request.body));
          const after = contactView(row);
          return { body: { id: row.id }, audit: { action: 'create', resource: 'contact', resourceId: row.id, after } };
        }),
    }),
    route({
      ...TAG,
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getContact',
      summary: 'One contact',
      scope: 'contacts:read',
      params: idParams,
      response: contact,
      responseExample: contactExample,
      handle: async ({ principal: { orgId }, params }) => {
        const row = await store.forOrg(orgId).read((org) => org.contacts.find(orgId, params.id));
        if (row === null) throw notFound('contact');
        return answer(contactView(row));
      },
    }),
    route({
      ...TAG,
      method: 'patch',
      path: `${PATH}/{id}`,
      operationId: 'updateContact',
      summary: 'Change a contact; fields left out stay as they are',
      description: '`custom_data` is replaced as a whole.',
      scope: 'contacts:write',
      params: idParams,
      body: contactWrite,
      response: contact,
      errors: { 422: ['emergency_number'] },
      requestExample: { contact: { email: 'ada@example.com' } },
      responseExample: contactExample,
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const { principal, params, body } = request;
          const changed = await org.contacts.update(tx.manager, principal.orgId, params.id, fieldsOf(body));
          if (changed === null) throw notFound('contact');
          const [before, after] = [contactView(changed.before), contactView(changed.after)];
          return {
            body: after,
            audit: { action: 'update', resource: 'contact', resourceId: params.id, before, after },
          };
        }),
    }),
    route({
      ...TAG,
      method: 'delete',
      path: `${PATH}/{id}`,
      operationId: 'deleteContact',
      summary: 'Delete a contact',
      scope: 'contacts:write',
      params: idParams,
      response: contactDeleted,
      responseExample: { id: contactExample.id, deleted: true },
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const gone = await org.contacts.delete(tx.manager, request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('contact');
          const before = contactView(gone);
          return {
            body: { id: gone.id, deleted: true },
            audit: { action: 'delete', resource: 'contact', resourceId: gone.id, before },
          };
        }),
    }),
  ];
}

function fieldsOf({ contact: { phone, custom_data: customData, ...others } }: ContactWrite): ContactPatch {
  return { ...others, phoneNumber: phone, customData };
}

function filterOf(query: ContactsQuery): ContactFilter {
  const date = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));
  return {
    cursor: query.cursor,
    limit: query.limit,
    createdAfter: date(query.created_after),
    createdBefore: date(query.created_before),
    updatedAfter: date(query.updated_after),
    updatedBefore: date(query.updated_before),
  };
}
