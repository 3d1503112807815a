/** A live call is handed over to somebody else. Answered when that has begun; what becomes of it are events of the call. */
import type { z } from 'zod';

import type { CallStatus } from '../../contract/call';
import { hasTransferred } from '../../contract/transfers';
import { planTransfer, sealPlan } from '../../store/dialling/transfer-plan';
import type { TransferOrder, TransferPlanDeps } from '../../store/dialling/transfer-plan';
import type { Call } from '../../store/entities/call';
import { keyedTransferId, uuidV7 } from '../../store/ids';
import type { SecretBox } from '../../store/secrets';
import type { CallRequests } from '../calls/call-requests';
import { KeyedRequests } from '../calls/keyed-requests';
import { conflict, effectUnknown, temporalUnavailable } from '../errors';
import type { ApiError } from '../errors';
import { answer, route } from '../route';
import type { Route, RouteRequest } from '../route';
import { idParams } from '../schemas/primitives';
import { callTransfer, callTransferAccepted } from '../schemas/transfer';
import type { CallTransferRequest } from '../schemas/transfer';
import { findCall, noteCall } from './calls';
import type { CallRecordDeps } from './calls';

export interface CallTransferRouteDeps extends CallRecordDeps, TransferPlanDeps {
  readonly store: CallRecordDeps['store'];
  readonly workflows: Pick<CallRequests, 'transfer'>;
  readonly secrets: Pick<SecretBox, 'seal'>;
}

const REFUSALS = {
  not_answered: 'The call is not answered yet',
  ended: 'The call is over',
  on_hold: 'The call is on hold',
  transferring: 'The caller is on the way to somebody else already',
  transferred: 'The caller has been handed over already',
} as const;

export function callTransferRoute(deps: CallTransferRouteDeps): Route {
  const keyed = new KeyedRequests(deps);
  return route({
    tag: 'Calls',
    resource: 'call',
    method: 'post',
    path: '/phone/calls/{id}/transfer',
    operationId: 'transferCall',
    summary: 'Hand the caller over to somebody else; answers when that has begun',
    description:
      'The caller hears ringback while the destination is called, and then the destination, without the agent. By mode ' +
      '`warm` it hears music until whoever answers has been told who is there, and has accepted. Where nobody ' +
      'answers, the caller is back with the agent, which says so. The outcome is in the events `transfer.completed` or ' +
      '`transfer.failed`, and in `transfer` of the call.',
    scope: 'phone:write',
    params: idParams,
    body: callTransfer,
    response: callTransferAccepted,
    errors: {
      404: ['transfer_destination_not_found'],
      409: ['ended', 'not_answered', 'on_hold', 'transferring', 'transferred'],
      422: ['destination_not_assigned', 'destination_not_allowed', 'emergency_number', 'private_target', 'no_trunk'],
      503: ['temporal_unavailable', 'outcome_unknown'],
    },
    requestExample: { type: 'sip', value: 'sip:sales@pbx.example.com', announce: 'I am putting you through to Sales.' },
    responseExample: { transfer_id: '0192f3c1-8a40-7c66-9a2e-6d0e58a1c9f4' },
    idempotency: 'handler',
    handle: async (request) => {
      const { route: path, idempotencyKey: key, bodyHash, principal } = request;
      const { orgId } = principal;
      if (key === null) return answer({ transfer_id: (await transfer(deps, request, uuidV7())).resourceId });
      return keyed.once({ orgId, route: path, key, bodyHash }, async (n) => {
        const made = await transfer(deps, request, keyedTransferId(orgId, path, key, n));
        return { ...made, body: { transfer_id: made.resourceId } };
      });
    },
  });
}

type Request = RouteRequest<z.output<typeof idParams>, unknown, CallTransferRequest>;

/** A repeat of the same id joins the first in the call's workflow, and gets what that has got. */
async function transfer(
  deps: CallTransferRouteDeps,
  { principal: { orgId }, params, body, actor }: Request,
  transferId: string,
): Promise<{ readonly resourceId: string; readonly existing: boolean }> {
  const find = (): Promise<Call> => deps.store.forOrg(orgId).read((org) => findCall(org, orgId, params.id));
  const call = await find();
  const { id: callId, status } = call;
  // Begun by a request whose answer was not saved; the call may be over by now.
  if (call.transfer?.id === transferId) return { resourceId: transferId, existing: true };
  if (status === 'completed') throw refusal('ended', status);
  // Its node would refuse it when the transfer has begun.
  if (status === 'held') throw refusal(isTransferred(call) ? 'transferred' : 'on_hold', status);
  const plan = await planTransfer(deps, call, orderOf(body));
  const taken = await deps.workflows.transfer(callId, {
    transferId,
    by: 'api',
    ...sealPlan(deps.secrets, call, transferId, plan),
    requestedAtMs: Date.now(),
  });
  switch (taken.outcome) {
    case 'accepted':
      break;
    case 'refused':
      // It may stand elsewhere by now than where it was found.
      throw refusal('code' in taken ? taken.code : 'ended', (await find()).status);
    case 'ended':
    case 'gone':
      throw refusal('ended', 'completed');
    case 'unavailable':
      throw temporalUnavailable();
    case 'unknown':
      throw effectUnknown('Whether it has begun is not known yet', callId, transferId);
  }
  await noteCall(deps, actor, 'transfer', callId);
  return { resourceId: transferId, existing: false };
}

/** The schema takes either a destination, or a target. */
function orderOf({
  destination_id: id = '',
  type,
  value,
  mode,
  announce,
  briefing,
  ...rest
}: CallTransferRequest): TransferOrder {
  const named = type !== undefined && value !== undefined;
  const to = named ? ({ kind: 'target', type, value } as const) : ({ kind: 'destination', id } as const);
  return { to, mode, announce, briefing, ringTimeoutSeconds: rest.ring_timeout_seconds };
}

/** Whoever it was handed over to may be held, which changes nothing of that. */
function isTransferred({ transfer }: Call): boolean {
  return transfer?.outcome !== undefined && hasTransferred(transfer);
}

const refusal = (code: keyof typeof REFUSALS, status: CallStatus): ApiError =>
  conflict(code, REFUSALS[code], { call_status: status });
