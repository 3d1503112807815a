/** Which agent may transfer where. */
import { z } from 'zod';

import type { Changes } from '../changes';
import type { AuditNote } from '../changes';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { agentDestinationExample, destinationAssignedExample, destinationUnassignedExample } from '../schemas/examples';
import { id, idParams } from '../schemas/primitives';
import {
  agentDestination,
  destinationAssign,
  destinationAssigned,
  destinationUnassigned,
} from '../schemas/transfer-destination';
import type { ApiStore } from '../store';
import { transferTarget } from '../../store/dialling/transfer-target';
import { agentDestinationView, transferDestinationView } from '../views';
import { destinationWarnings } from '../warnings';
import { columnsOf } from './transfer-destinations';

export interface AgentDestinationRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  /** See `transferTarget`. */
  readonly mayReach: (host: string) => boolean;
}

const PATH = '/phone/sip/agents/{id}/transfer-destinations';
const TAG = { tag: 'Transfer destinations', resource: 'agent' } as const;

export function agentDestinationRoutes(deps: AgentDestinationRouteDeps): readonly Route[] {
  const { store, changes, mayReach } = deps;
  return [
    route({
      ...TAG,
      method: 'get',
      path: PATH,
      operationId: 'listAgentDestinations',
      summary: 'Where an agent may transfer to, in the order of assignment',
      scope: 'sip:read',
      params: idParams,
      response: z.array(agentDestination),
      responseExample: [agentDestinationExample],
      handle: async ({ principal: { orgId }, params }) =>
        store.forOrg(orgId).read(async (org) => {
          if ((await org.agents.find(orgId, params.id)) === null) throw notFound('agent');
          return answer((await org.transferDestinations.ofAgent(orgId, params.id)).map(agentDestinationView));
        }),
    }),
    route({
      ...TAG,
      method: 'post',
      path: PATH,
      operationId: 'assignDestination',
      summary: 'Let an agent transfer to a destination, or create it and assign it at once',
      description:
        'The agent offers it by its name to callers who wish it, and a caller who presses its key is transferred at once. ' +
        'Assigning it again changes its key, where one is given.',
      scope: 'sip:write',
      params: idParams,
      body: destinationAssign,
      response: destinationAssigned,
      errors: {
        404: ['transfer_destination_not_found'],
        409: ['key_taken'],
        422: ['emergency_number', 'private_target'],
      },
      requestExample: { create: { name: 'Sales Dept', type: 'sip', value: 'sip:sales@pbx.example.com' }, keypad: '1' },
      responseExample: destinationAssignedExample,
      idempotency: 'plain',
      handle: async (request) => {
        const { principal, params, body } = request;
        const { orgId } = principal;
        const { create } = body;
        const value = create && transferTarget(create.type, create.value, { path: 'create.value', mayReach });
        return changes.run(request, async (tx, org) => {
          const notes: AuditNote[] = [];
          let destinationId = body.destination_id;
          let warnings: ReturnType<typeof destinationWarnings> = [];
          if (create && value !== undefined) {
            const { name, type } = create;
            const row = await org.transferDestinations.create(tx, orgId, { ...columnsOf(create), name, type, value });
            destinationId = row.id;
            const after = transferDestinationView(row);
            warnings = destinationWarnings(after);
            notes.push({ action: 'create', resource: 'transfer_destination', resourceId: row.id, after });
          }
          if (destinationId === undefined) throw notFound('transfer destination');
          await org.transferDestinations.assign(tx, orgId, params.id, destinationId, body.keypad);
          const assigned = await org.transferDestinations.ofAgent(orgId, params.id, tx.manager);
          const keypad = assigned.find((one) => one.id === destinationId)?.keypad ?? null;
          const after = { destination_id: destinationId, keypad };
          notes.push({ action: 'assign_destination', resource: 'agent', resourceId: params.id, after });
          return { body: { ...after, warnings }, audit: notes };
        });
      },
    }),
    route({
      ...TAG,
      method: 'delete',
      path: `${PATH}/{destination_id}`,
      operationId: 'unassignDestination',
      summary: 'An agent no longer transfers to a destination, which stays with the organisation',
      scope: 'sip:write',
      params: idParams.extend({ destination_id: id }),
      response: destinationUnassigned,
      errors: { 404: ['transfer_destination_not_found'] },
      responseExample: destinationUnassignedExample,
      handle: async (request) =>
        changes.run(request, async (tx, org) => {
          const { principal, params } = request;
          const { id: agentId, destination_id: destinationId } = params;
          if ((await org.agents.find(principal.orgId, agentId)) === null) throw notFound('agent');
          const had = await org.transferDestinations.unassign(tx, principal.orgId, agentId, destinationId);
          if (!had) throw notFound('transfer destination');
          const before = { destination_id: destinationId };
          return {
            body: { id: destinationId, deleted: true },
            audit: { action: 'unassign_destination', resource: 'agent', resourceId: agentId, before },
          };
        }),
    }),
  ];
}
