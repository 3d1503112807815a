import { AGENT_ID_HEADER } from '../../contract/directory';
import { chooseAgent } from '../../contract/inbound-routing';
import { notFound } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { routePreviewExample } from '../schemas/examples';
import { routePreview, routePreviewRequest } from '../schemas/routing';
import type { RoutePreview } from '../schemas/routing';
import type { ApiStore } from '../store';
import { routingView } from '../views';

export interface RoutePreviewDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
}

export function routePreviewRoutes({ store }: RoutePreviewDeps): readonly Route[] {
  return [
    route({
      tag: 'Inbound trunk',
      resource: 'inbound trunk',
      method: 'post',
      path: '/phone/sip/inbound-trunk/route-preview',
      operationId: 'previewRoute',
      summary: 'Which agent would answer an INVITE, and why; nothing is called',
      scope: 'sip:read',
      body: routePreviewRequest,
      response: routePreview,
      errors: { 404: ['inbound_trunk_not_found'] },
      requestExample: { dialed_number: '15551234567', headers: {} },
      responseExample: routePreviewExample,
      handle: async ({ principal: { orgId }, body }) => {
        const invite = { dialedUser: body.dialed_number, agentIdHeader: agentIdHeader(body.headers) };
        const organisation = await store.forOrg(orgId).read((org) => org.routing.organisation(orgId, invite));
        if (organisation === null) throw notFound('inbound trunk');
        const choice = chooseAgent(organisation, invite.dialedUser, invite.agentIdHeader);
        const agentId = choice.ok ? choice.agent.id : null;
        const preview: RoutePreview = {
          ...routingView({ steps: choice.steps, agentId }),
          rule: choice.ok ? choice.rule : null,
          dialed_number: choice.dialedNumber,
          sip_status: choice.ok ? null : choice.status,
        };
        return answer(preview);
      },
    }),
  ];
}

/** Names of headers are compared without case. RFC 3261 §7.3.1 */
function agentIdHeader(headers: Readonly<Record<string, string>>): string | null {
  const wanted = AGENT_ID_HEADER.toLowerCase();
  return Object.entries(headers).find(([name]) => name.trim().toLowerCase() === wanted)?.[1] ?? null;
}
