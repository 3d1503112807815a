/**
 * What a live call is told. Each route answers when it took effect: the first sound has left, the last key was sent, the
 * other side has agreed.
 */
import type { CallStatus } from '../../contract/call';
import type { CallControl, CommandEffect } from '../../contract/commands';
import { sealControl } from '../../store/call-control';
import type { Call as CallRow } from '../../store/entities/call';
import { uuidV7 } from '../../store/ids';
import type { SecretBox } from '../../store/secrets';
import type { CallRequests } from '../calls/call-requests';
import { conflict, effectUnknown, temporalUnavailable } from '../errors';
import type { ApiError } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteAnswer, RouteRequest } from '../route';
import { call } from '../schemas/call';
import { callDtmf, callInstruct, callSay } from '../schemas/call-control';
import { liveCallExample } from '../schemas/examples';
import { idParams } from '../schemas/primitives';
import { callView } from '../views';
import { findCall, noteCall } from './calls';
import type { CallRecordDeps } from './calls';

export interface CallControlRouteDeps extends CallRecordDeps {
  readonly workflows: Pick<CallRequests, 'control'>;
  readonly secrets: Pick<SecretBox, 'seal'>;
}

export type ControlRouteRequest = RouteRequest<{ readonly id: string }, unknown, unknown>;

const REFUSALS = {
  not_answered: 'The call is not answered yet',
  answered: 'The call is answered',
  ended: 'The call is over',
  on_hold: 'The call is on hold',
  muted: 'The agent is muted',
  no_agent: 'No agent speaks in this call',
  no_telephone_event: 'The other side takes no telephone-events (RFC 4733), and dtmf_mode of the trunk is rfc4733',
  too_many: 'As many as are kept wait already',
  superseded: 'The caller spoke, or something else was said, before the agent could begin',
  transferring: 'The caller is on the way to somebody else',
  transferred: 'The caller has been handed over to somebody else',
  no_refer: 'The other side takes no REFER',
  withdrawn: 'The agent does not want it any more',
  supervised: 'Somebody else supervises the call already',
  not_supervised: 'Nobody supervises the call',
  no_recognition: 'This server cannot understand what is whispered to the agent: it has no recogniser',
  supervisor_not_reached: 'The supervisor was not reached',
  failed: 'It could not be done',
} as const;

export const CONTROL = {
  tag: 'Calls',
  resource: 'call',
  method: 'post',
  scope: 'phone:write',
  params: idParams,
  response: call,
  responseExample: liveCallExample,
} as const;
/** The agent is not with the caller. */
const AWAY = ['transferring', 'transferred'] as const;
export const COMMAND_503 = ['temporal_unavailable', 'outcome_unknown'];

export function callControlRoutes(deps: CallControlRouteDeps): readonly Route[] {
  return [
    route({
      ...CONTROL,
      path: '/phone/calls/{id}/say',
      operationId: 'sayInCall',
      summary: 'Have the agent say something; answers with its first sound',
      body: callSay,
      errors: {
        409: ['ended', 'not_answered', 'on_hold', 'muted', 'no_agent', 'too_many', 'superseded', ...AWAY],
        503: COMMAND_503,
      },
      requestExample: { text: 'One moment, I am looking that up.', interrupt: true },
      handle: (request) => tell(deps, request, { type: 'say', ...request.body }),
    }),
    route({
      ...CONTROL,
      path: '/phone/calls/{id}/instruct',
      operationId: 'instructCall',
      summary: 'Tell the agent something that the caller does not hear',
      body: callInstruct,
      errors: { 409: ['ended', 'not_answered', 'no_agent', 'too_many', ...AWAY], 503: COMMAND_503 },
      requestExample: { text: 'The order of this caller was shipped this morning.' },
      handle: (request) => tell(deps, request, { type: 'instruct', ...request.body }),
    }),
    route({
      ...CONTROL,
      path: '/phone/calls/{id}/dtmf',
      operationId: 'pressKeysInCall',
      summary: 'Press keys; answers when the last one was sent',
      body: callDtmf,
      errors: {
        409: ['ended', 'not_answered', 'on_hold', 'no_telephone_event', 'failed'],
        503: COMMAND_503,
      },
      requestExample: { digits: '1w42#' },
      handle: (request) => tell(deps, request, { type: 'dtmf', ...request.body }),
    }),
    muteRoute(deps, 'mute', 'Keep the agent silent; it listens, and answers what was asked once it is unmuted'),
    muteRoute(deps, 'unmute', 'Let a muted agent speak again'),
    holdRoute(deps, 'hold', 'Put the call on hold: music for the other side, nothing of it for the agent'),
    holdRoute(deps, 'unhold', 'Take the call back: the agent goes on where it was'),
  ];
}

function muteRoute(deps: CallControlRouteDeps, type: 'mute' | 'unmute', summary: string): Route {
  return route({
    ...CONTROL,
    path: `/phone/calls/{id}/${type}`,
    operationId: `${type}Call`,
    summary,
    errors: { 409: ['ended', 'not_answered', 'no_agent', ...AWAY], 503: COMMAND_503 },
    handle: (request) => tell(deps, request, { type }),
  });
}

/** Answered when the other side has agreed. */
function holdRoute(deps: CallControlRouteDeps, type: 'hold' | 'unhold', summary: string): Route {
  return route({
    ...CONTROL,
    path: `/phone/calls/{id}/${type}`,
    operationId: `${type}Call`,
    summary,
    responseExample: type === 'hold' ? { ...liveCallExample, status: 'held' } : liveCallExample,
    errors: { 409: ['ended', 'not_answered', 'too_many', 'failed', ...AWAY], 503: COMMAND_503 },
    handle: (request) => tell(deps, request, { type }),
  });
}

function tell(deps: CallControlRouteDeps, request: ControlRouteRequest, control: CallControl): Promise<RouteAnswer> {
  return tellCall(deps, request, () => Promise.resolve(control));
}

/**
 * `control` is made for a call that lives.
 * @param longerMs beyond what commands take
 */
export async function tellCall(
  deps: CallControlRouteDeps,
  request: ControlRouteRequest,
  controlOf: (call: CallRow) => Promise<CallControl>,
  longerMs = 0,
): Promise<RouteAnswer> {
  const { orgId } = request.principal;
  const find = (): Promise<CallRow> => deps.store.forOrg(orgId).read((org) => findCall(org, orgId, request.params.id));
  const found = await find();
  const { id: callId, status } = found;
  if (status === 'completed') throw refusal('ended', status);
  const control = await controlOf(found);
  const commandId = uuidV7();
  const sealed = sealControl(deps.secrets, { orgId, callId }, control);
  const answered = await deps.workflows.control(callId, { commandId, control: sealed }, longerMs);
  switch (answered.outcome) {
    case 'done':
      break;
    // It may stand elsewhere by now than where it was found.
    case 'refused':
      throw refusal('code' in answered ? answered.code : 'failed', (await find()).status);
    case 'failed':
      throw failure('sipStatus' in answered ? answered : {}, (await find()).status);
    case 'superseded':
      throw refusal('superseded', (await find()).status);
    case 'ended':
    case 'gone':
      throw refusal('ended', 'completed');
    case 'unavailable':
      throw temporalUnavailable();
    case 'unknown':
      throw effectUnknown('Whether it took effect is not known yet', callId, commandId);
  }
  await noteCall(deps, request.actor, control.type, callId);
  return answer(callView(await find()));
}

const refusal = (code: keyof typeof REFUSALS, status: CallStatus): ApiError =>
  conflict(code, REFUSALS[code], { call_status: status });

/** `sipStatus`: of the other side's answer, null when it gave none, undefined when it was not asked. */
function failure({ sipStatus, legOutcome }: Partial<CommandEffect>, status: CallStatus): ApiError {
  if (sipStatus === undefined) return refusal('failed', status);
  if (legOutcome !== undefined) {
    const details = { call_status: status, outcome: legOutcome, sip_status: sipStatus };
    return conflict('supervisor_not_reached', REFUSALS.supervisor_not_reached, details);
  }
  const why = sipStatus === null ? 'gave no answer' : `answered ${sipStatus}`;
  return conflict('failed', `The other side ${why}: nothing has changed`, {
    call_status: status,
    sip_status: sipStatus,
  });
}
