import { z } from 'zod';

import type { TransferDestinationPatch } from '../../store/repositories/transfer-destination-repository';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { transferDestinationDeletedExample, transferDestinationExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import {
  transferDestination,
  transferDestinationCreate,
  transferDestinationDeleted,
  transferDestinationPut,
} from '../schemas/transfer-destination';
import type { TransferDestinationFields } from '../schemas/transfer-destination';
import type { ApiStore } from '../store';
import { transferTarget } from '../../store/dialling/transfer-target';
import { transferDestinationView } from '../views';
import { destinationWarnings } from '../warnings';

export interface TransferDestinationRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  /** See `transferTarget`. */
  readonly mayReach: (host: string) => boolean;
}

const PATH = '/phone/sip/transfer-destinations';
const TAG = { tag: 'Transfer destinations', resource: 'transfer destination' } as const;

export function transferDestinationRoutes(deps: TransferDestinationRouteDeps): readonly Route[] {
  const { store, changes, mayReach } = deps;
  return [
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'listTransferDestinations',
      summary: 'All transfer destinations, oldest first',
      scope: 'sip:read',
      response: z.array(transferDestination),
      responseExample: [transferDestinationExample],
      handle: async ({ principal: { orgId } }) => {
        const rows = await store.forOrg(orgId).read((org) => org.transferDestinations.list(orgId));
        return answer(rows.map(transferDestinationView));
      },
    }),
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'createTransferDestination',
      summary: 'Create a phone number or SIP URI that agents may transfer to',
      scope: 'sip:write',
      body: transferDestinationCreate,
      response: transferDestination,
      errors: { 422: ['emergency_number', 'private_target'] },
      requestExample: { name: 'Support Team', type: 'phone', value: '+15559999999' },
      responseExample: transferDestinationExample,
      idempotency: 'plain',
      handle: async (request) => {
        const { type, value } = request.body;
        const target = transferTarget(type, value, { path: 'value', mayReach });
        return changes.run(request, async (tx, org) => {
          const row = await org.transferDestinations.create(tx, request.principal.orgId, {
            ...columnsOf(request.body),
            name: request.body.name,
            type,
            value: target,
          });
          const after = transferDestinationView(row);
          return {
            body: { ...after, warnings: destinationWarnings(after) },
            audit: { action: 'create', resource: 'transfer_destination', resourceId: row.id, after },
          };
        });
      },
    }),
    route({
      ...TAG,
      method: 'put',
      path: `${PATH}/{id}`,
      operationId: 'updateTransferDestination',
      summary: 'Change a destination; fields left out stay as they are',
      scope: 'sip:write',
      params: idParams,
      body: transferDestinationPut,
      response: transferDestination,
      errors: { 422: ['emergency_number', 'private_target'] },
      requestExample: { name: 'Support, first floor' },
      responseExample: { ...transferDestinationExample, name: 'Support, first floor' },
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const { principal, params, body } = request;
          const found = await org.transferDestinations.findForChange(tx, principal.orgId, params.id);
          if (found === null) throw notFound('transfer destination');
          const patch: TransferDestinationPatch = columnsOf(body);
          // A number that becomes a SIP URI is judged as one, with or without a new value.
          const value = transferTarget(body.type ?? found.type, body.value ?? found.value, {
            path: body.value === undefined ? 'type' : 'value',
            mayReach,
          });
          const row = await org.transferDestinations.update(tx, principal.orgId, found.id, { ...patch, value });
          const after = transferDestinationView(row);
          const before = transferDestinationView(found);
          return {
            body: { ...after, warnings: destinationWarnings(after) },
            audit: { action: 'update', resource: 'transfer_destination', resourceId: row.id, before, after },
          };
        }),
    }),
    route({
      ...TAG,
      method: 'delete',
      path: `${PATH}/{id}`,
      operationId: 'deleteTransferDestination',
      summary: 'Delete a destination; agents that had it no longer transfer there',
      scope: 'sip:write',
      params: idParams,
      response: transferDestinationDeleted,
      responseExample: transferDestinationDeletedExample,
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const gone = await org.transferDestinations.delete(tx, request.principal.orgId, request.params.id);
          if (gone === null) throw notFound('transfer destination');
          const before = transferDestinationView(gone.before);
          return {
            body: { id: before.id, deleted: true, detached: gone.detached },
            audit: { action: 'delete', resource: 'transfer_destination', resourceId: before.id, before },
          };
        }),
    }),
  ];
}

/** Wire names to the store's; a field that is absent stays absent. */
export function columnsOf(body: TransferDestinationFields): TransferDestinationPatch {
  const { ring_timeout_seconds: ringTimeoutSeconds, ...others } = body;
  return { ...others, ringTimeoutSeconds };
}
