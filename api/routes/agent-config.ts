import type { ConfigTransaction } from '../../store/config-transaction';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import { agentConfig, inboundNumbersPut, outboundTrunkPut } from '../schemas/agent-config';
import type { AgentConfig } from '../schemas/agent-config';
import { agentConfigExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import type { ApiStore, OrgStore } from '../store';

export interface AgentConfigRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
}

type AgentRequest = RouteRequest<{ readonly id: string }, unknown, unknown>;

const PATH = '/phone/sip/agents/{id}';
const TAG = { tag: 'Agent SIP configuration', resource: 'agent' } as const;

export function agentConfigRoutes({ store, changes }: AgentConfigRouteDeps): readonly Route[] {
  const change = (
    request: AgentRequest,
    action: string,
    apply: (tx: ConfigTransaction, org: OrgStore) => Promise<unknown>,
  ): Promise<RouteAnswer> =>
    changes.run(request, async (tx, org) => {
      const { orgId } = request.principal;
      const { id } = request.params;
      const before = await readConfig(org, orgId, id);
      await apply(tx, org);
      const after = await readConfig(org, orgId, id);
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
      handle: async ({ principal: { orgId }, params }) =>
        answer(await store.forOrg(orgId).read((org) => readConfig(org, orgId, params.id))),
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
        return change(request, 'set_inbound_numbers', (tx, org) =>
          org.phoneNumbers.assignToAgent(tx, principal.orgId, params.id, body.phone_number_ids),
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
        return change(request, 'set_outbound_trunk', (tx, org) =>
          org.agents.setOutboundTrunk(tx, principal.orgId, params.id, body.trunk_id),
        );
      },
    }),
  ];
}

async function readConfig(org: OrgStore, orgId: string, agentId: string): Promise<AgentConfig> {
  const agent = await org.agents.find(orgId, agentId);
  if (agent === null) throw notFound('agent');
  const numbers = await org.phoneNumbers.ofAgent(orgId, agentId);
  const trunk = agent.outboundTrunkId === null ? null : await org.outboundTrunks.find(orgId, agent.outboundTrunkId);
  const destinations = await org.transferDestinations.ofAgent(orgId, agentId);
  return {
    phone_agent_id: agent.id,
    inbound_numbers: numbers.map(({ id, phoneNumber }) => ({ id, phone_number: phoneNumber })),
    outbound_trunk: trunk === null ? null : { id: trunk.id, name: trunk.name },
    transfer_destinations: destinations.map(({ id, name, type, value, keypad }) => ({ id, name, type, value, keypad })),
  };
}
