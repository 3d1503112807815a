/** Calls that wait for their time, or for room: other times for them, or none. */
import type { Call as CallRow } from '../../store/entities/call';
import { uuidV7 } from '../../store/ids';
import type { RescheduleRequest } from '../../workflows/call/messages';
import { assertNotTooFar, callTimes, expiresTooEarly } from '../calls/call-times';
import type { CallRequests } from '../calls/call-requests';
import { conflict, effectUnknown, temporalUnavailable } from '../errors';
import type { ApiError } from '../errors';
import { answer, route } from '../route';
import type { Route } from '../route';
import { call, callPatch } from '../schemas/call';
import { completedCallExample, scheduledCallExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import { callView } from '../views';
import { findCall, HANGUP_UPDATE_ID, noteCall, placesOf } from './calls';
import type { CallRecordDeps } from './calls';

export interface CallScheduleRouteDeps extends CallRecordDeps {
  readonly workflows: Pick<CallRequests, 'control' | 'reschedule'>;
}

const TAG = { tag: 'Calls', resource: 'call', scope: 'phone:write', params: idParams, response: call } as const;

export function callScheduleRoutes(deps: CallScheduleRouteDeps): readonly Route[] {
  return [rescheduleRoute(deps), cancelRoute(deps)];
}

function rescheduleRoute(deps: CallScheduleRouteDeps): Route {
  const { store, workflows } = deps;
  return route({
    ...TAG,
    method: 'patch',
    path: '/phone/calls/{id}',
    operationId: 'rescheduleCall',
    summary: 'Change when a call that waits is dialled, or until when',
    description:
      '`scheduled_at` of a call that is `scheduled`; `expires_at` of one that is `queued` too. What is past is at once. ' +
      '503 `outcome_unknown` carries the `update_id`.',
    body: callPatch,
    errors: {
      409: ['not_waiting', 'not_scheduled'],
      422: ['scheduled_too_far', 'expires_too_early'],
      503: ['temporal_unavailable', 'outcome_unknown'],
    },
    requestExample: { scheduled_at: scheduledCallExample.scheduled_at ?? '' },
    responseExample: scheduledCallExample,
    handle: async ({ principal: { orgId }, params, body, actor }) => {
      const find = (): Promise<CallRow> => store.forOrg(orgId).read((org) => findCall(org, orgId, params.id));
      const before = await find();
      if (before.status !== 'scheduled' && before.status !== 'queued') throw notWaiting();
      const updateId = uuidV7();
      const answered = await workflows.reschedule(before.id, updateId, requestOf(body, Date.now()));
      switch (answered.outcome) {
        case 'done':
          break;
        case 'refused':
          if (answered.code === 'not_waiting') throw notWaiting();
          if (answered.code === 'expires_too_early') throw expiresTooEarly();
          throw conflict('not_scheduled', 'The call is dialled as soon as there is room');
        case 'ended':
        case 'gone':
          throw notWaiting();
        case 'unavailable':
          throw temporalUnavailable();
        case 'unknown':
          throw effectUnknown('Whether the call was changed is not known yet', before.id, updateId);
      }
      await noteCall(deps, actor, 'reschedule', before.id);
      const after = await find();
      const places = await placesOf(store, orgId, [after]);
      return answer(callView(after, places.get(after.id)));
    },
  });
}

function cancelRoute(deps: CallScheduleRouteDeps): Route {
  const { store, workflows } = deps;
  return route({
    ...TAG,
    method: 'post',
    path: '/phone/calls/{id}/cancel',
    operationId: 'cancelCall',
    summary: 'Give up a call that waits; it is never dialled',
    description: 'Of a call that is `scheduled` or `queued`. One that is over answers 200 unchanged.',
    errors: { 409: ['not_waiting'], 503: ['temporal_unavailable', 'outcome_unknown'] },
    responseExample: { ...completedCallExample, status: 'completed', disposition: 'canceled', answered_at: null },
    handle: async ({ principal: { orgId }, params, actor }) => {
      const find = (): Promise<CallRow> => store.forOrg(orgId).read((org) => findCall(org, orgId, params.id));
      const before = await find();
      if (before.status === 'completed') return answer(callView(before));
      if (before.status !== 'scheduled' && before.status !== 'queued') throw notWaiting();
      const control = { type: 'hangup', endReason: 'api_hangup', endedBy: 'api' } as const;
      // As a hang-up: one that is dialled at this moment rings nobody for long.
      const { outcome } = await workflows.control(before.id, { commandId: HANGUP_UPDATE_ID, control });
      if (outcome === 'unavailable') throw temporalUnavailable();
      if (outcome === 'unknown')
        throw effectUnknown('Whether it was given up is not known yet', before.id, HANGUP_UPDATE_ID);
      await noteCall(deps, actor, 'hangup', before.id);
      return answer(callView(await find()));
    },
  });
}

function requestOf(
  body: { readonly scheduled_at?: string | undefined; readonly expires_at?: string | undefined },
  nowMs: number,
): RescheduleRequest {
  const { scheduled_at, expires_at } = body;
  if (scheduled_at !== undefined) assertNotTooFar(Date.parse(scheduled_at), nowMs);
  if (scheduled_at !== undefined && expires_at !== undefined) callTimes({ scheduled_at, expires_at }, nowMs);
  if (expires_at !== undefined && Date.parse(expires_at) <= nowMs) throw expiresTooEarly();
  return {
    ...(scheduled_at === undefined ? {} : { scheduledAtMs: Math.max(Date.parse(scheduled_at), nowMs) }),
    ...(expires_at === undefined ? {} : { expiresAtMs: Date.parse(expires_at) }),
  };
}

function notWaiting(): ApiError {
  return conflict('not_waiting', 'The call does not wait any more');
}
