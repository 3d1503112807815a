/**
 * Campaigns as they are run: started, paused, resumed, canceled, called anew. The row is changed first, and with it who may
 * be dialled; then its workflow is told, and sees to the rest.
 */
import type { CampaignStatus } from '../../contract/campaigns';
import { startsLater } from '../../store/campaigns/campaign-times';
import type { Campaign } from '../../store/entities/campaign';
import type { CampaignEventRow } from '../../store/entities/campaign-event';
import { uuidV7 } from '../../store/ids';
import { renewContacts, setCampaignStatus } from '../../store/repositories/campaign-status';
import type { CampaignMove } from '../../store/repositories/campaign-status';
import type { CampaignRequests } from '../campaigns/campaign-requests';
import { assertCallable, START_ERRORS } from '../campaigns/start-checks';
import type { ChangeResult } from '../changes';
import { conflict, notFound } from '../errors';
import type { ApiError } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import { campaign, campaignEventPage, campaignRedial } from '../schemas/campaign';
import type { CampaignEventResource, CampaignResource } from '../schemas/campaign';
import { campaignEventExample, campaignExample } from '../schemas/campaign-examples';
import { idParams, pageQuery } from '../schemas/primitives';
import type { OrgStore } from '../store';
import { CAMPAIGN, findCampaign, withWarnings } from './campaigns';
import type { CampaignRouteDeps } from './campaigns';

export interface CampaignControlDeps extends CampaignRouteDeps {
  readonly campaigns: Pick<CampaignRequests, 'settled'>;
}

const PATH = '/phone/campaigns/{id}';
const CONTROL = {
  ...CAMPAIGN,
  method: 'post',
  scope: 'phone:write',
  params: idParams,
  response: campaign,
} as const;
const RUNNING = { ...campaignExample, status: 'running' } as const;

type Act = (org: OrgStore, before: Campaign) => Promise<CampaignMove | null>;

export function campaignControlRoutes(deps: CampaignControlDeps): readonly Route[] {
  return [
    route({
      ...CONTROL,
      path: `${PATH}/start`,
      operationId: 'startCampaign',
      summary: 'Start a campaign: now, or at its starts_at',
      description: 'With `starts_at` to come it is `scheduled`. One that runs or is scheduled answers 200 unchanged.',
      errors: { 409: ['campaign_state'], 422: START_ERRORS },
      responseExample: RUNNING,
      handle: (request) =>
        act(deps, request, 'start', async (org, before) => {
          if (before.status === 'running' || before.status === 'scheduled') return null;
          assertState('start', before, ['draft']);
          await assertCallable(org, before);
          return { from: ['draft'], to: afterStart(before), event: { type: 'started' } };
        }),
    }),
    route({
      ...CONTROL,
      path: `${PATH}/pause`,
      operationId: 'pauseCampaign',
      summary: 'Call nobody for the time being; calls that ring or talk go on',
      description:
        'Effective with the answer, also for calls that wait for room. One that is paused answers 200 unchanged.',
      errors: { 409: ['campaign_state'] },
      responseExample: { ...campaignExample, status: 'paused' },
      handle: (request) =>
        act(deps, request, 'pause', (_, before) => {
          if (before.status === 'paused') return Promise.resolve(null);
          assertState('pause', before, ['running', 'scheduled']);
          return Promise.resolve({ from: ['running', 'scheduled'], to: 'paused', event: { type: 'paused' } });
        }),
    }),
    route({
      ...CONTROL,
      path: `${PATH}/resume`,
      operationId: 'resumeCampaign',
      summary: 'Go on with a campaign that is paused; nobody is called twice for it',
      errors: { 409: ['campaign_state'], 422: START_ERRORS },
      responseExample: RUNNING,
      handle: (request) =>
        act(deps, request, 'resume', async (org, before) => {
          if (before.status === 'running' || before.status === 'scheduled') return null;
          assertState('resume', before, ['paused']);
          await assertCallable(org, before, { anew: true });
          return { from: ['paused'], to: afterStart(before), event: { type: 'resumed' } };
        }),
    }),
    route({
      ...CONTROL,
      path: `${PATH}/cancel`,
      operationId: 'cancelCampaign',
      summary: 'End a campaign for good: phones that ring are hung up, who talks goes on talking',
      description: 'Contacts that were not done are `canceled`. One that is canceled answers 200 unchanged.',
      errors: { 409: ['campaign_state'] },
      responseExample: { ...campaignExample, status: 'canceled' },
      handle: (request) =>
        act(deps, request, 'cancel', (_, before) => {
          if (before.status === 'canceled') return Promise.resolve(null);
          const from = ['running', 'scheduled', 'paused'] as const;
          assertState('cancel', before, from);
          return Promise.resolve({ from, to: 'canceled', event: { type: 'canceled' } });
        }),
    }),
    redialRoute(deps),
    eventsRoute(deps),
  ];
}

function redialRoute(deps: CampaignControlDeps): Route {
  return route({
    ...CONTROL,
    path: `${PATH}/redial`,
    operationId: 'redialCampaign',
    summary: 'Call those contacts anew whose last call ended so',
    description:
      'Of contacts that are done; their retries begin anew. Who was left out by the rules, without a call, is looked at again by those ' +
      'of today. Who has opted out or is on a do-not-call list is not called. A campaign that is completed runs again. How many they ' +
      'are is told by the event `redial`.',
    body: campaignRedial,
    errors: { 409: ['campaign_state'], 422: START_ERRORS },
    requestExample: { dispositions: ['no_answer', 'busy'] },
    responseExample: RUNNING,
    idempotency: 'plain',
    handle: (request) =>
      act(deps, request, 'redial', async (org, before) => {
        const from = ['running', 'paused', 'completed', 'scheduled'] as const;
        assertState('redial', before, before.runningSince === null ? [] : from);
        await assertCallable(org, before, { anew: true });
        const { dispositions } = request.body;
        const eventId = uuidV7();
        await renewContacts(org.session.manager, before, eventId, dispositions, { passedOver: true });
        const to = before.status === 'paused' ? 'paused' : afterStart(before);
        return { from, to, event: { id: eventId, type: 'redial', data: { dispositions, contacts: 0 } } };
      }),
  });
}

function eventsRoute({ store }: CampaignControlDeps): Route {
  return route({
    ...CAMPAIGN,
    method: 'get',
    path: `${PATH}/events`,
    operationId: 'listCampaignEvents',
    summary: 'What was done to a campaign and what it has done by itself, newest first',
    scope: 'phone:read',
    params: idParams,
    query: pageQuery,
    response: campaignEventPage,
    responseExample: { items: [campaignEventExample], next: null },
    handle: async ({ principal: { orgId }, params, query }) => {
      const page = await store.forOrg(orgId).read(async (org) => {
        await findCampaign(org, orgId, params.id);
        return org.campaigns.events(orgId, params.id, query);
      });
      return answer({ items: page.items.map(eventView), next: page.next });
    },
  });
}

/** @param decide what becomes of it; null: it stays as it is */
async function act(
  { changes, campaigns }: CampaignControlDeps,
  request: RouteRequest<{ readonly id: string }, unknown, unknown>,
  action: string,
  decide: Act,
): Promise<RouteAnswer> {
  const { principal, params } = request;
  const { orgId } = principal;
  const answered = await changes.run(request, async (tx, org): Promise<ChangeResult> => {
    const before = await org.campaigns.findForChange(tx.manager, orgId, params.id);
    if (before === null) throw notFound('campaign');
    const move = await decide(org, before);
    const after = move === null ? before : await setCampaignStatus(tx.manager, before, move);
    if (after === null) throw notFound('campaign');
    const states = { before: { status: before.status }, after: { status: after.status } };
    const note = { action, resource: 'campaign', resourceId: after.id, ...states };
    return { body: withWarnings(after), audit: move === null ? [] : note };
  });
  const done = await campaigns.settled({ orgId, campaignId: params.id });
  return done ? answered : { ...answered, body: toldLater(answered.body as CampaignResource) };
}

const LATER: Partial<Record<CampaignStatus, string>> = {
  running: 'Stored; calls begin when the workflow service answers again',
  scheduled: 'Stored; the schedule is made when the workflow service answers again',
  paused: 'In effect: nobody is dialled. Calls that wait end when the workflow service answers again',
  canceled: 'In effect: nobody is dialled. Phones that ring are hung up when the workflow service answers again',
};

function toldLater(body: CampaignResource): CampaignResource {
  const message = LATER[body.status] ?? 'Stored; it is followed when the workflow service answers again';
  return { ...body, warnings: [{ path: 'status', message }, ...(body.warnings ?? [])] };
}

/** Whether or not it has run before. */
const afterStart = (before: Campaign): 'scheduled' | 'running' =>
  startsLater(before, Date.now()) ? 'scheduled' : 'running';

function assertState(action: string, { status }: Campaign, from: readonly CampaignStatus[]): void {
  if (!from.includes(status)) throw wrongState(action, status);
}

const wrongState = (action: string, status: CampaignStatus): ApiError =>
  conflict('campaign_state', `A campaign that is ${status} is in no state for ${action}`, { status });

function eventView({ id, at, type, data }: CampaignEventRow): CampaignEventResource {
  return { id, at: at.toISOString(), type, data };
}
