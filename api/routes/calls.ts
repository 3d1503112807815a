import type { CallControl } from '../../contract/commands';
import type { Call as CallRow } from '../../store/entities/call';
import type { CallFilter } from '../../store/repositories/call-list';
import type { CapacityPlace } from '../../store/repositories/capacity-repository';
import { conflict, notFound, temporalUnavailable, effectUnknown } from '../errors';
import { parsePhoneNumber } from '../../store/dialling/phone-number';
import { answer, route } from '../route';
import type { Actor, Route } from '../route';
import { call, callEventPage, callPage, callsQuery, outboundCall, transcript } from '../schemas/call';
import type { CallsQuery } from '../schemas/call';
import { callEventExample, completedCallExample, queuedCallExample, transcriptExample } from '../schemas/examples';
import { idParams, pageQuery } from '../schemas/primitives';
import type { ApiStore, OrgStore } from '../store';
import { callEventView, callView } from '../views';
import { callWarnings } from '../warnings';
import type { CallRequests } from '../calls/call-requests';
import { planOutbound } from '../calls/outbound-plan';
import type { OutboundPlanDeps } from '../calls/outbound-plan';
import type { CallPlacement } from '../calls/placement';
import type { Logger } from '../../ops/logger';

/** What the routes of one call need of its records. */
export interface CallRecordDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly logger: Logger;
}

export interface CallRouteDeps extends OutboundPlanDeps, CallRecordDeps {
  readonly store: OutboundPlanDeps['store'];
  readonly placement: CallPlacement;
  readonly workflows: Pick<CallRequests, 'control'>;
}

const TAG = { tag: 'Calls', resource: 'call' } as const;
/** One hang-up per call: a repeat joins the first and learns its result. */
export const HANGUP_UPDATE_ID = 'hangup';

export function callRoutes(deps: CallRouteDeps): readonly Route[] {
  const { store } = deps;
  return [placeRoute(deps), listRoute(deps), detailRoute(deps), ...recordRoutes({ store }), hangupRoute(deps)];
}

function placeRoute(deps: CallRouteDeps): Route {
  return route({
    ...TAG,
    method: 'post',
    path: '/phone/outbound-call',
    operationId: 'placeOutboundCall',
    summary: "Call a phone number through the agent's outbound trunk",
    description:
      'Answers when the call is accepted and its record stored: it is being dialled, or waits until it can be. 503 ' +
      '`outcome_unknown` carries `call_id`: the call may have been placed; a repeat with the same Idempotency-Key never ' +
      'makes it twice.',
    scope: 'phone:write',
    body: outboundCall,
    response: call,
    errors: {
      404: ['agent_not_found', 'outbound_trunk_not_found'],
      422: [
        'agent_has_no_outbound_trunk',
        'destination_not_allowed',
        'caller_number_not_owned',
        'language_unavailable',
        'emergency_number',
        'scheduled_too_far',
        'expires_too_early',
        'machine_detection_unavailable',
        'first_message_too_long',
        'idempotency_key_exhausted',
      ],
      503: ['media_unavailable', 'temporal_unavailable', 'too_many_starts', 'outcome_unknown', 'call_expired'],
    },
    requestExample: { phone_agent_id: queuedCallExample.phone_agent_id, phone_number: '+15559876543' },
    responseExample: queuedCallExample,
    idempotency: 'handler',
    handle: async (request) => {
      const { orgId } = request.principal;
      const result = await deps.placement.place({
        orgId,
        route: request.route,
        idempotencyKey: request.idempotencyKey,
        bodyHash: request.bodyHash,
        plan: () => planOutbound(deps, orgId, request.body),
      });
      if (result.headers?.['Idempotent-Replayed'] === undefined) {
        await noteCall(deps, request.actor, 'create', (result.body as { id: string }).id);
      }
      const warnings = callWarnings(request.body);
      // A repeat has the same body, hence the same warnings.
      return warnings.length === 0 ? result : { ...result, body: { ...(result.body as object), warnings } };
    },
  });
}

function listRoute({ store }: Pick<CallRouteDeps, 'store'>): Route {
  return route({
    ...TAG,
    method: 'get',
    path: '/phone/calls',
    operationId: 'listCalls',
    summary: 'Calls, newest first',
    scope: 'phone:read',
    query: callsQuery,
    response: callPage,
    responseExample: { items: [completedCallExample], next: null },
    handle: async ({ principal: { orgId }, query }) => {
      const page = await store.forOrg(orgId).read((org) => org.calls.list(orgId, toFilter(query)));
      const { items, next } = page;
      const places = await placesOf(store, orgId, items);
      return answer({ items: items.map((row) => callView(row, places.get(row.id))), next });
    },
  });
}

function detailRoute({ store }: Pick<CallRouteDeps, 'store'>): Route {
  return route({
    ...TAG,
    method: 'get',
    path: '/phone/calls/{id}',
    operationId: 'getCall',
    summary: 'One call',
    scope: 'phone:read',
    params: idParams,
    response: call,
    responseExample: completedCallExample,
    handle: async ({ principal: { orgId }, params }) => {
      const row = await store.forOrg(orgId).read((org) => findCall(org, orgId, params.id));
      const places = await placesOf(store, orgId, [row]);
      return answer(callView(row, places.get(row.id)));
    },
  });
}

function recordRoutes({ store }: Pick<CallRouteDeps, 'store'>): readonly Route[] {
  return [
    route({
      ...TAG,
      method: 'get',
      path: '/phone/calls/{id}/events',
      operationId: 'listCallEvents',
      summary: "The call's timeline: SIP, media, turns and workflow, oldest first",
      scope: 'phone:read',
      params: idParams,
      query: pageQuery,
      response: callEventPage,
      responseExample: { items: [callEventExample], next: null },
      handle: async ({ principal: { orgId }, params, query }) => {
        const page = await store
          .forOrg(orgId)
          .read((org) => ofCall(findCall(org, orgId, params.id), org.events.list(orgId, params.id, query)));
        return answer({ items: page.items.map(callEventView), next: page.next });
      },
    }),
    route({
      ...TAG,
      method: 'get',
      path: '/phone/calls/{id}/transcript',
      operationId: 'getTranscript',
      summary: 'What was said, as far as it was heard',
      scope: 'phone:read',
      params: idParams,
      response: transcript,
      responseExample: transcriptExample,
      handle: async ({ principal: { orgId }, params }) => {
        const turns = await store
          .forOrg(orgId)
          .read((org) => ofCall(findCall(org, orgId, params.id), org.transcripts.list(orgId, params.id)));
        return answer({
          call_id: params.id,
          turns: turns.map((turn) => ({
            index: turn.index,
            speaker: turn.speaker,
            text: turn.text,
            start_ms: turn.startMs,
            end_ms: turn.endMs,
            interrupted_at_ms: turn.interruptedAtMs,
          })),
        });
      },
    }),
  ];
}

function hangupRoute(deps: CallRouteDeps): Route {
  const { store, workflows } = deps;
  return route({
    ...TAG,
    method: 'post',
    path: '/phone/calls/{id}/hangup',
    operationId: 'hangUpCall',
    summary: 'End a call; answers when BYE or CANCEL was sent',
    description: 'A call that is over answers 200 unchanged. 503 `outcome_unknown` carries the `update_id`.',
    scope: 'phone:write',
    params: idParams,
    response: call,
    errors: { 409: ['call_not_controllable'], 503: ['temporal_unavailable', 'outcome_unknown'] },
    responseExample: completedCallExample,
    handle: async ({ principal, params, actor }) => {
      const { orgId } = principal;
      const find = (): Promise<CallRow> => store.forOrg(orgId).read((org) => findCall(org, orgId, params.id));
      const before = await find();
      if (before.status === 'completed') return answer(callView(before));
      const control = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
      const { outcome } = await workflows.control(before.id, { commandId: HANGUP_UPDATE_ID, control });
      const taken = outcome === 'done' || outcome === 'ended';
      switch (outcome) {
        case 'done':
        case 'ended':
          await noteCall(deps, actor, 'hangup', before.id);
          break;
        case 'unavailable':
          throw temporalUnavailable();
        case 'unknown':
          throw effectUnknown('Whether the call was hung up is not known yet', before.id, HANGUP_UPDATE_ID);
        case 'gone':
        case 'refused':
        case 'superseded':
        case 'failed':
          break;
      }
      const after = await find();
      if (!taken && after.status !== 'completed') {
        // Terminated from outside: its node or the reconciler ends it within seconds.
        throw conflict('call_not_controllable', 'The workflow of this call is gone; the server is ending the call');
      }
      return answer(callView(after));
    },
  });
}

export async function findCall(org: Pick<OrgStore, 'calls'>, orgId: string, id: string): Promise<CallRow> {
  const row = await org.calls.find(orgId, id);
  if (row === null) throw notFound('call');
  return row;
}

/** Of those that may wait for room. */
export async function placesOf(
  store: Pick<ApiStore, 'forOrg'>,
  orgId: string,
  rows: readonly CallRow[],
): Promise<ReadonlyMap<string, CapacityPlace>> {
  const ids = rows.filter(({ status }) => status === 'queued').map(({ id }) => id);
  if (ids.length === 0) return new Map();
  return await store.forOrg(orgId).read((org) => org.capacity.places(orgId, ids));
}

/** Both were asked at once; that there is no such call is told before what is wrong with its list. */
async function ofCall<T>(found: Promise<CallRow>, listed: Promise<T>): Promise<T> {
  const [call, list] = await Promise.allSettled([found, listed]);
  if (call.status === 'rejected') throw call.reason;
  if (list.status === 'rejected') throw list.reason;
  return list.value;
}

/** What was asked of a call has happened already: a note that cannot be written does not undo it. */
export async function noteCall(
  deps: CallRecordDeps,
  actor: Actor,
  action: 'create' | 'hangup' | 'transfer' | 'reschedule' | CallControl['type'],
  callId: string,
): Promise<void> {
  try {
    const entry = { ...actor, action, resource: 'call', resourceId: callId };
    await deps.store.forOrg(actor.orgId).write((org) => org.audit.add(entry));
  } catch (error) {
    deps.logger.warn({ err: error, callId, action }, 'audit row not written');
  }
}

function toFilter(query: CallsQuery): CallFilter {
  // A `+` that was not encoded arrives as a space.
  const given = query.phone_number?.replace(/^ /, '+');
  const number = given === undefined ? undefined : parsePhoneNumber(given);
  return {
    cursor: query.cursor,
    limit: query.limit,
    status: query.status,
    disposition: query.disposition,
    direction: query.direction,
    agentId: query.phone_agent_id,
    campaignId: query.campaign_id,
    // Withheld and internal callers have no E.164 number: such a value is looked for as it is.
    phoneNumber: number?.ok === true ? number.e164 : given,
    createdAfter: query.created_after === undefined ? undefined : new Date(query.created_after),
    createdBefore: query.created_before === undefined ? undefined : new Date(query.created_before),
  };
}
