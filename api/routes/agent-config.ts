import type { EntityManager } from 'typeorm';

import type { ConfigTransaction } from '../../store/config-transaction';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import { agentConfig, inboundNumbersPut, outboundTrunkPut } from '../schemas/agent-config';
import type { AgentConfig } from '../schemas/agent-config';
import { agentConfigExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import type { ApiStore } from '../store';

export interface AgentConfigRouteDeps {
  readonly store: Pick<ApiStore, 'agents' | 'outboundTrunks' | 'phoneNumbers' | 'transferDestinations'>;
  readonly changes: Changes;
}

type AgentRequest = RouteRequest<{ readonly id: string }, unknown, unknown>;

const PATH = '/phone/sip/agents/{id}';
const TAG = { tag: 'Agent SIP configuration', resource: 'agent' } as const;

export function agentConfigRoutes({ store, changes }: AgentConfigRouteDeps): readonly Route[] {
  const change = (
    request: AgentRequest,
    action: string,
    apply: (tx: ConfigTransaction) => Promise<unknown>,
  ): Promise<RouteAnswer> =>
    changes.run(request, async (tx) => {
      const { orgId } = request.principal;
      const { id } = request.params;
      const before = await readConfig(store, orgId, id, tx.manager);
      await apply(tx);
      const after = await readConfig(store, orgId, id, tx.manager);
      return { body: after, audit: { action, resource: 'agent', resourceId: id, before, after } };
    });
  return [
    route({
      ...TAG,
      method: 'get',
      path: `${PATH}/config`,
      operationId: 'getAgentConfig',
      summary: "An agent's numbers, outbound trunk and transfer destinations",
      scope: 'sip:read',
      params: idParams,
      response: agentConfig,
      responseExample: agentConfigExample,
      handle: async ({ principal, params }) => answer(await readConfig(store, principal.orgId, params.id)),
    }),
    route({
      ...TAG,
      method: 'put',
      path: `${PATH}/inbound-numbers`,
      operationId: 'setInboundNumbers',
      summary: 'Replace the numbers that an agent answers',
      scope: 'sip:write',
      params: idParams,
      body: inboundNumbersPut,
      response: agentConfig,
      errors: { 404: ['phone_number_not_found'], 409: ['number_assigned'], 422: ['number_not_verified'] },
      requestExample: { phone_number_ids: ['01937f3e-8123-7d4e-a5f6-0718293a4b04'] },
      responseExample: agentConfigExample,
      handle: async (request) => {
        const { principal, params, body } = request;
        return change(request, 'set_inbound_numbers', (tx) =>
          store.phoneNumbers.assignToAgent(tx, principal.orgId, params.id, body.phone_number_ids),
        );
      },
    }),
    route({
      ...TAG,
      method: 'put',
      path: `${PATH}/outbound-trunk`,
      operationId: 'setOutboundTrunk',
      summary: 'Set or clear the trunk that an agent dials through',
      scope: 'sip:write',
      params: idParams,
      body: outboundTrunkPut,
      response: agentConfig,
      errors: { 404: ['outbound_trunk_not_found'] },
      requestExample: { trunk_id: '01937f3e-7a55-7abc-b0c1-5e6f70819203' },
      responseExample: agentConfigExample,
      handle: async (request) => {
        const { principal, params, body } = request;
        return change(request, 'set_outbound_trunk', (tx) =>
          store.agents.setOutboundTrunk(tx, principal.orgId, params.id, body.trunk_id),
        );
      },
    }),
  ];
}

async function readConfig(
  store: AgentConfigRouteDeps['store'],
  orgId: string,
  agentId: string,
  manager?: EntityManager,
): Promise<AgentConfig> {
  const agent = await store.agents.find(orgId, agentId, manager);
  if (agent === null) throw notFound('agent');
  const numbers = await store.phoneNumbers.ofAgent(orgId, agentId, manager);
  const trunk =
    agent.outboundTrunkId === null ? null : await store.outboundTrunks.find(orgId, agent.outboundTrunkId, manager);
  const destinations = await store.transferDestinations.ofAgent(orgId, agentId, manager);
  return {
    phone_agent_id: agent.id,
    inbound_numbers: numbers.map(({ id, phoneNumber }) => ({ id, phone_number: phoneNumber })),
    outbound_trunk: trunk === null ? null : { id: trunk.id, name: trunk.name },
    transfer_destinations: destinations.map(({ id, name, type, value }) => ({ id, name, type, value })),
  };
}
