/** One contact of a campaign, as it is mended: what an import has brought wrongly, or what was not known by then. */
import { neededOf } from '../../store/campaigns/contact-rules';
import { nameVariables } from '../../store/repositories/campaign-repository';
import { addCampaignEvent } from '../../store/repositories/campaign-status';
import type { CampaignRequests } from '../campaigns/campaign-requests';
import { campaignContactView } from '../campaigns/campaign-view';
import {
  changedContact,
  changedContactFields,
  CONTACT_ERRORS,
  contactWarnings,
  decidesCalls,
} from '../campaigns/contact-change';
import { variableNamesOf } from '../campaigns/contact-import';
import type { Changes } from '../changes';
import { notFound } from '../errors';
import { route } from '../route';
import type { Route } from '../route';
import { campaignContact, campaignContactPatch } from '../schemas/campaign';
import { campaignContactPatchExample, changedContactExample } from '../schemas/campaign-examples';
import { campaignContactParams } from '../schemas/campaign-results';
import { CAMPAIGN, LIVE_STATUSES } from './campaigns';

export interface ContactChangeRouteDeps {
  readonly changes: Changes;
  readonly campaigns: Pick<CampaignRequests, 'moved'>;
}

export function campaignContactRoute({ changes, campaigns }: ContactChangeRouteDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'patch',
    path: '/phone/campaigns/{id}/contacts/{contact_id}',
    operationId: 'updateCampaignContact',
    summary: 'Mend a contact; fields left out stay as they are',
    description:
      'Checked as a row of an import is. Who waits keeps their place; who was put off or left out, by what the contact says or by a rule, ' +
      'is due at once, and looked at anew. Nobody who is done with a call is called again for it, and a call that is under way may go by ' +
      'the former values: `warnings` tells.',
    scope: 'phone:write',
    params: campaignContactParams,
    body: campaignContactPatch,
    response: campaignContact,
    errors: { 404: ['campaign_contact_not_found'], 422: CONTACT_ERRORS },
    requestExample: campaignContactPatchExample,
    responseExample: changedContactExample,
    handle: async (request) => {
      const { principal, params, body } = request;
      const { orgId } = principal;
      let again = false;
      const answered = await changes.run(request, async (tx, org) => {
        // Held, so that it is not found to be over while somebody becomes due.
        const campaign = await org.campaigns.findForChange(tx.manager, orgId, params.id);
        if (campaign === null) throw notFound('campaign');
        const { agent } = await org.campaigns.parts(orgId, campaign.id);
        const before = await org.campaignContacts.findForChange(tx.manager, campaign, params.contact_id);
        if (before === null) throw notFound('campaign contact');
        const contact = changedContact(before, body, neededOf(campaign, agent));
        const fields = changedContactFields(before, contact);
        again = before.passedOver && decidesCalls(fields) && LIVE_STATUSES.includes(campaign.status);
        if (fields.length === 0) return { body: { ...campaignContactView(before), warnings: [] }, audit: [] };
        await nameVariables(tx.manager, campaign, variableNamesOf([contact]));
        const after = await org.campaignContacts.change(tx.manager, before, contact, { again });
        if (campaign.status !== 'draft') {
          const data = { contact_id: after.id, fields, ...(again ? { contacts: 1 } : {}) };
          await addCampaignEvent(tx.manager, campaign, { type: 'changed', data });
        }
        const views = { before: campaignContactView(before), after: campaignContactView(after) };
        return {
          body: { ...views.after, warnings: again ? [] : contactWarnings(campaign, before, fields) },
          audit: { action: 'update', resource: 'campaign_contact', resourceId: after.id, ...views },
        };
      });
      if (again) campaigns.moved(params.id);
      return answered;
    },
  });
}
