import type { Changes } from '../changes';
import { ApiError, notFound } from '../errors';
import { answer, route } from '../route';
import type { Principal, Route } from '../route';
import { numberDeletedExample, numberExample } from '../schemas/examples';
import { number, numberCreate, numberDeleted } from '../schemas/number';
import { idParams, pageOf, pageQuery } from '../schemas/primitives';
import type { ApiStore } from '../store';
import { numberView } from '../views';

export interface NumberRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
}

const TAG = { tag: 'Numbers', resource: 'phone number' } as const;

export function numberRoutes({ store, changes }: NumberRouteDeps): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: '/phone/numbers',
      operationId: 'listNumbers',
      summary: 'Verification records of phone numbers, newest first',
      scope: 'phone:read',
      query: pageQuery,
      response: pageOf(number).meta({ id: 'PhoneNumberPage' }),
      responseExample: { items: [numberExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const page = await store.forOrg(orgId).read((org) => org.phoneNumbers.list(orgId, query));
        return answer({ items: page.items.map(numberView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: '/phone/numbers',
      operationId: 'createNumber',
      summary: 'Verify a phone number',
      description: "With `attest` an operator's key vouches for the number; it is verified at once.",
      scope: 'phone:write',
      body: numberCreate,
      response: number,
      successStatus: 201,
      errors: { 403: ['operator_only'], 409: ['number_exists', 'number_taken'], 422: ['emergency_number'] },
      requestExample: { phone_number: '+15551234567', method: 'attest' },
      responseExample: numberExample,
      idempotency: 'plain',
      handle: async (request) => {
        requireVouching(request.principal);
        const { orgId } = request.principal;
        const { phone_number: phoneNumber, method } = request.body;
        return changes.run(request, async (tx, org) => {
          const row = await org.phoneNumbers.create(tx, orgId, { phoneNumber, status: 'verified', method });
          const view = numberView(row);
          return {
            body: view,
            audit: { action: 'create', resource: 'phone_number', resourceId: view.id, after: view },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: '/phone/numbers/{id}',
      operationId: 'getNumber',
      summary: 'One verification record',
      scope: 'phone:read',
      params: idParams,
      response: number,
      responseExample: numberExample,
      handle: async ({ principal: { orgId }, params }) => {
        const row = await store.forOrg(orgId).read((org) => org.phoneNumbers.find(orgId, params.id));
        if (row === null) throw notFound('phone number');
        return answer(numberView(row));
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: '/phone/numbers/{id}',
      operationId: 'deleteNumber',
      summary: 'Give a number up; it leaves its agent and the inbound trunk',
      scope: 'phone:write',
      params: idParams,
      response: numberDeleted,
      responseExample: numberDeletedExample,
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const gone = await org.phoneNumbers.delete(tx, request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('phone number');
          const { agents, inboundTrunkId } = gone.detached;
          return {
            body: { id: gone.id, deleted: true, detached: { agents, inbound_trunk: inboundTrunkId !== null } },
            audit: { action: 'delete', resource: 'phone_number', resourceId: gone.id, before: numberView(gone.before) },
          };
        }),
    }),
  ];
}

/** Vouching for a number is the operator's: whoever may do it can take any number for an organisation. */
function requireVouching(principal: Principal): void {
  const mayWrite = principal.scopes.includes('full') || principal.scopes.includes('org:write');
  if (principal.operator && mayWrite) return;
  throw new ApiError(403, 'operator_only', "Only an operator's key with org:write can attest a number");
}
