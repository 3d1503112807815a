/** Campaigns as they are prepared, and changed: calls to a list of contacts, in a window, with rules. */
import { startsLater } from '../../store/campaigns/campaign-times';
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignFields, CampaignPatch } from '../../store/repositories/campaign-repository';
import { uuidV7 } from '../../store/ids';
import { addCampaignEvent, renewContacts } from '../../store/repositories/campaign-status';
import type { CampaignRequests } from '../campaigns/campaign-requests';
import { campaignFields, campaignView, campaignWarnings } from '../campaigns/campaign-view';
import { assertGoesOn } from '../campaigns/start-checks';
import type { Changes } from '../changes';
import { ApiError, conflict, impossible, invalid, notFound } from '../errors';
import { answer, route } from '../route';
import type { Principal, Route } from '../route';
import { campaign, campaignCreate, campaignDeleted, campaignPage, campaignPatch } from '../schemas/campaign';
import type { CampaignPatchRequest, CampaignResource } from '../schemas/campaign';
import { campaignCreateExample, campaignExample } from '../schemas/campaign-examples';
import { idParams, pageQuery } from '../schemas/primitives';
import type { ApiStore, OrgStore } from '../store';

export interface CampaignRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly changes: Changes;
  readonly campaigns: Pick<CampaignRequests, 'settled'>;
}

export const CAMPAIGN = { tag: 'Campaigns', resource: 'campaign' } as const;
const PATH = '/phone/campaigns';
const ERRORS = {
  403: ['operator_only'],
  404: ['agent_not_found', 'outbound_trunk_not_found'],
  422: ['machine_detection_unavailable', 'caller_number_not_owned', 'emergency_number'],
} as const;

export function campaignRoutes(deps: CampaignRouteDeps): readonly Route[] {
  return [...readRoutes(deps), createRoute(deps), patchRoute(deps), deleteRoute(deps)];
}

function readRoutes({ store }: CampaignRouteDeps): readonly Route[] {
  return [
    route({
      ...CAMPAIGN,
      method: 'get',
      path: PATH,
      operationId: 'listCampaigns',
      summary: 'Campaigns, newest first',
      scope: 'phone:read',
      query: pageQuery,
      response: campaignPage,
      responseExample: { items: [campaignExample], next: null },
      handle: async ({ principal: { orgId }, query }) => {
        const page = await store.forOrg(orgId).read((org) => org.campaigns.list(orgId, query));
        return answer({ items: page.items.map(campaignView), next: page.next });
      },
    }),
    route({
      ...CAMPAIGN,
      method: 'get',
      path: `${PATH}/{id}`,
      operationId: 'getCampaign',
      summary: 'One campaign',
      scope: 'phone:read',
      params: idParams,
      response: campaign,
      responseExample: campaignExample,
      handle: async ({ principal: { orgId }, params }) => {
        const row = await store.forOrg(orgId).read((org) => findCampaign(org, orgId, params.id));
        return answer(withWarnings(row));
      },
    }),
  ];
}

function createRoute({ changes }: CampaignRouteDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'post',
    path: PATH,
    operationId: 'createCampaign',
    summary: 'Prepare a campaign',
    description:
      'It is a `draft`: contacts are imported, `preview` tells who would be called and who not, and `start` has it call.',
    scope: 'phone:write',
    body: campaignCreate,
    response: campaign,
    successStatus: 201,
    errors: ERRORS,
    requestExample: campaignCreateExample,
    responseExample: campaignExample,
    idempotency: 'plain',
    handle: async (request) => {
      const { principal, body } = request;
      assertServed(body, principal);
      return changes.run(request, async (tx, org) => {
        const fields = { ...campaignFields(body), status: 'draft' } as CampaignFields;
        const row = await org.campaigns.create(tx.manager, principal.orgId, fields);
        await assertOwned(org, row);
        const after = campaignView(row);
        return {
          body: withWarnings(row),
          audit: { action: 'create', resource: 'campaign', resourceId: row.id, after },
        };
      });
    },
  });
}

function patchRoute({ changes, campaigns }: CampaignRouteDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'patch',
    path: `${PATH}/{id}`,
    operationId: 'updateCampaign',
    summary: 'Change a campaign; fields left out stay as they are',
    description:
      '`window`, `retry`, `caps`, `auto_pause`, `variables` and `recurrence` are replaced as a whole. One that runs calls by it from the ' +
      'next dial on.',
    scope: 'phone:write',
    params: idParams,
    body: campaignPatch,
    response: campaign,
    errors: {
      ...ERRORS,
      409: ['campaign_state'],
      422: [...ERRORS[422], 'window_never_opens', 'invalid_placeholder', 'missing_column'],
    },
    requestExample: { calls_per_second: 0.5 },
    responseExample: { ...campaignExample, calls_per_second: 0.5 },
    handle: async (request) => {
      const { principal, params, body } = request;
      const { orgId } = principal;
      assertServed(body, principal);
      const patch = campaignFields(body);
      let follows = false;
      const answered = await changes.run(request, async (tx, org) => {
        const changed = await org.campaigns.update(tx.manager, orgId, params.id, patch, (before) => {
          assertOrder(patch, before);
          assertWaits(patch, before);
        });
        if (changed === null) throw notFound('campaign');
        if (body.caller_numbers !== undefined || body.trunk_ids !== undefined) await assertOwned(org, changed.after);
        const [before, after] = [campaignView(changed.before), campaignView(changed.after)];
        follows = changed.after.status !== 'draft';
        if (follows) {
          const fields = changedFields(before, after);
          const id = uuidV7();
          await addCampaignEvent(tx.manager, changed.after, { id, type: 'changed', data: { fields } });
          if (LIVE_STATUSES.includes(after.status) && fields.some((name) => DECIDES.has(name))) {
            await assertGoesOn(org, changed.after);
            await renewContacts(tx.manager, changed.after, id, [], { passedOver: true });
          }
        }
        return {
          body: withWarnings(changed.after),
          audit: { action: 'update', resource: 'campaign', resourceId: params.id, before, after },
        };
      });
      // Its workflow reads the row at each turn anyway: what it may hear late is a change of its times.
      if (follows) await campaigns.settled({ orgId, campaignId: params.id });
      return answered;
    },
  });
}

function deleteRoute({ changes }: CampaignRouteDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'delete',
    path: `${PATH}/{id}`,
    operationId: 'deleteCampaign',
    summary: 'Delete a campaign with its contacts',
    description:
      'Calls that it has made stay. Its contacts are no longer there at once, and removed from the database within the hour.',
    scope: 'phone:write',
    params: idParams,
    response: campaignDeleted,
    errors: { 409: ['campaign_not_over'] },
    responseExample: { id: campaignExample.id, deleted: true },
    handle: async (request) =>
      changes.run(request, async (tx, org) => {
        const { id } = request.params;
        const gone = await org.campaigns.delete(tx.manager, request.principal.orgId, id);
        if (gone === null) throw notFound('campaign');
        if (!DELETABLE.includes(gone.status)) {
          throw conflict('campaign_not_over', `The campaign is ${gone.status}; cancel it first`);
        }
        const before = campaignView(gone);
        return {
          body: { id: gone.id, deleted: true },
          audit: { action: 'delete', resource: 'campaign', resourceId: gone.id, before },
        };
      }),
  });
}

/** By which it is decided who may be called, and when. */
const DECIDES: ReadonlySet<string> = new Set<keyof CampaignResource>([
  'phone_agent_id',
  'trunk_ids',
  'window',
  'ring_timeout_seconds',
  'caps',
  'require_consent',
  'variables',
  'voicemail_message',
  'disclosure_line',
]);
export const LIVE_STATUSES: readonly Campaign['status'][] = ['scheduled', 'running', 'paused'];
/** Of the others a call may be under way. */
const DELETABLE: readonly Campaign['status'][] = ['draft', 'completed', 'canceled'];

export async function findCampaign(org: Pick<OrgStore, 'campaigns'>, orgId: string, id: string): Promise<Campaign> {
  const row = await org.campaigns.find(orgId, id);
  if (row === null) throw notFound('campaign');
  return row;
}

export function withWarnings(row: Campaign): CampaignResource {
  const view = campaignView(row);
  return { ...view, warnings: campaignWarnings(view) };
}

/** Names alone: texts and numbers do not belong into a timeline. */
function changedFields(before: CampaignResource, after: CampaignResource): string[] {
  const names = Object.keys(after) as (keyof CampaignResource)[];
  return names.filter((name) => name !== 'updated_at' && JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

function assertServed(body: CampaignPatchRequest, principal: Principal): void {
  if (body.machine_detection !== undefined && body.machine_detection !== 'off') {
    throw impossible('machine_detection_unavailable', 'This server does not tell machines from people');
  }
  if (body.window?.legal === 'off' && !principal.operator) {
    throw new ApiError(403, 'operator_only', "Only a key of the server's operator may turn the legal hours off");
  }
}

/** One of both times may have been there before. */
function assertOrder(patch: CampaignPatch, before: Campaign): void {
  const startsAt = patch.startsAt === undefined ? before.startsAt : patch.startsAt;
  const endsAt = patch.endsAt === undefined ? before.endsAt : patch.endsAt;
  if (startsAt !== null && endsAt !== null && endsAt <= startsAt) {
    throw invalid([{ path: 'ends_at', message: 'must be after starts_at' }]);
  }
}

/** One that runs has begun: nobody is to be called before a time, and somebody called. */
function assertWaits({ startsAt = null }: CampaignPatch, { status }: Campaign): void {
  if (status !== 'running' || !startsLater({ startsAt }, Date.now())) return;
  throw conflict('campaign_state', 'The campaign is running: pause it before you set a starts_at to come', { status });
}

/** A carrier refuses calls from numbers that are not its customer's, and others are somebody else's. */
async function assertOwned(org: Pick<OrgStore, 'campaigns'>, row: Campaign): Promise<void> {
  if (row.callerNumbers.length === 0) return;
  const { trunks } = await org.campaigns.parts(row.orgId, row.id);
  const owned = new Set(trunks.flatMap(({ callerNumber, callerNumbers }) => [callerNumber, ...callerNumbers]));
  const foreign = row.callerNumbers.find((number) => !owned.has(number));
  if (foreign === undefined) return;
  throw impossible('caller_number_not_owned', `No trunk of the campaign owns the caller number ${foreign}`);
}
