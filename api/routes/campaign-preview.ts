import { previewCampaign } from '../campaigns/campaign-preview';
import type { PreviewDeps } from '../campaigns/campaign-preview';
import { answer, route } from '../route';
import type { Route } from '../route';
import { campaignPreviewExample } from '../schemas/campaign-examples';
import { campaignPreview } from '../schemas/campaign-preview';
import { idParams } from '../schemas/primitives';
import { CAMPAIGN, findCampaign } from './campaigns';

export function campaignPreviewRoute(deps: PreviewDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'post',
    path: '/phone/campaigns/{id}/preview',
    operationId: 'previewCampaign',
    summary: 'Who would be called in the next hour if the campaign ran now, and why the rest would not',
    description: 'Nothing is changed and nobody is called.',
    scope: 'phone:read',
    params: idParams,
    response: campaignPreview,
    responseExample: campaignPreviewExample,
    handle: async ({ principal: { orgId }, params }) => {
      const [campaign, parts] = await deps.store
        .forOrg(orgId)
        .read((org) => Promise.all([findCampaign(org, orgId, params.id), org.campaigns.parts(orgId, params.id)]));
      return answer(await previewCampaign(deps, campaign, parts, Date.now()));
    },
  });
}
