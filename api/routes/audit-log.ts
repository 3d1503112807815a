import { isoTime } from '../iso-time';
import { answer, route } from '../route';
import type { Route } from '../route';
import { auditPage, auditQuery } from '../schemas/audit';
import { auditEntryExample } from '../schemas/organisation-examples';
import type { ApiStore } from '../store';

export function auditLogRoutes({ store }: { readonly store: Pick<ApiStore, 'forOrg'> }): readonly Route[] {
  return [
    route({
      tag: 'Audit log',
      resource: 'audit entry',
      method: 'get',
      path: '/audit-log',
      operationId: 'listAuditLog',
      summary: 'Who changed what, newest first',
      scope: 'org:read',
      query: auditQuery,
      response: auditPage,
      responseExample: { items: [auditEntryExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const { cursor, limit, resource, resource_id: resourceId, action } = query;
        const filter = {
          cursor,
          limit,
          resource,
          resourceId,
          action,
          after: dateOf(query.created_after),
          before: dateOf(query.created_before),
        };
        const page = await store.forOrg(orgId).read((org) => org.audit.list(orgId, filter));
        const items = page.items.map((row) => ({
          id: row.id,
          at: isoTime(row.at),
          key_id: row.keyId,
          request_id: row.requestId,
          action: row.action,
          resource: row.resource,
          resource_id: row.resourceId,
          before: row.before,
          after: row.after,
        }));
        return answer({ items, next: page.next });
      },
    }),
  ];
}

const dateOf = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));
