/** Somebody is called to listen in on a live call, and sent away again. Answered when it took effect. */
import { planSupervisor } from '../calls/supervise-plan';
import type { TransferPlanDeps } from '../../store/dialling/transfer-plan';
import { route } from '../route';
import type { Route } from '../route';
import { callSupervise } from '../schemas/supervise';
import { COMMAND_503, CONTROL, tellCall } from './call-control';
import type { CallControlRouteDeps } from './call-control';

export type CallSuperviseRouteDeps = CallControlRouteDeps & TransferPlanDeps;

const PATH = '/phone/calls/{id}/supervise';

export function callSuperviseRoutes(deps: CallSuperviseRouteDeps): readonly Route[] {
  return [
    route({
      ...CONTROL,
      path: PATH,
      operationId: 'superviseCall',
      summary:
        'Call a supervisor who listens in, whispers to the agent, or takes part; answers when they have answered',
      description:
        'One supervisor at a time. Asked for again with the same destination, nobody is called again: the mode changes. The ' +
        'call goes on when the supervisor hangs up, and the supervisor never stays longer than the call. Events ' +
        '`supervisor_joined`, `supervisor_mode_changed`, `supervisor_whispered` and `supervisor_left` of the call tell of it.',
      body: callSupervise,
      errors: {
        409: ['ended', 'not_answered', 'supervised', 'no_agent', 'no_recognition', 'supervisor_not_reached'],
        422: ['destination_not_allowed', 'emergency_number', 'private_target', 'no_trunk'],
        503: COMMAND_503,
      },
      requestExample: { destination: 'sip:lead@pbx.example.com', mode: 'whisper' },
      handle: (request) => {
        const { body } = request;
        const { mode, ring_timeout_seconds: seconds } = body;
        return tellCall(
          deps,
          request,
          async (call) => ({ type: 'supervise', mode, leg: await planSupervisor(deps, call, body) }),
          seconds * 1000,
        );
      },
    }),
    route({
      ...CONTROL,
      method: 'delete',
      path: PATH,
      operationId: 'endSupervision',
      summary: 'Send the supervisor away, or stop calling one',
      errors: { 409: ['ended', 'not_answered', 'not_supervised'], 503: COMMAND_503 },
      handle: (request) => tellCall(deps, request, () => Promise.resolve({ type: 'unsupervise' })),
    }),
  ];
}
