import type { PlanRefusal } from '../store/dialling/plan-refusal';
import type { StoreError } from '../store/errors';
import { ApiError, conflict, impossible, invalid, notFound } from './errors';

/** The store's causes as the contract's answers; undefined for a defect of ours. */
export function fromStoreError(error: StoreError): ApiError | undefined {
  const details = error.details as Readonly<Record<string, string | undefined>>;
  switch (error.code) {
    case 'not_found':
      return notFound((details['resource'] ?? 'resource').replaceAll('_', ' '));
    case 'inbound_trunk_exists':
      return conflict('inbound_trunk_exists', 'The organisation has an inbound trunk already');
    case 'network_taken':
      return conflict('ip_allowlist_taken', 'Another organisation is known by an address of ip_allowlist');
    case 'number_taken':
      return conflict('number_taken', `The number ${details['phoneNumber']} is verified by another organisation`);
    case 'number_exists':
      return conflict('number_exists', `The number ${details['phoneNumber']} is verified already`, {
        phone_number_id: details['id'],
      });
    case 'number_assigned':
      return conflict(
        'number_assigned',
        `The number ${details['phoneNumber']} belongs to the agent ${details['agentName']}`,
        { phone_number_id: details['id'], phone_agent_id: details['agentId'] },
      );
    case 'number_not_verified':
      return impossible('number_not_verified', `The number ${details['phoneNumber']} is not verified`);
    case 'key_taken':
      return conflict('key_taken', `The key ${details['keypad']} leads to another destination of the agent`);
    case 'idempotency_mismatch':
      return impossible('idempotency_mismatch', 'This Idempotency-Key was used with another body');
    case 'idempotency_in_flight':
      return new ApiError(409, 'idempotency_in_flight', 'A request with this Idempotency-Key is still running', {
        retryAfterSeconds: 1,
      });
    case 'invalid_cursor':
      return invalid([{ path: 'cursor', message: 'not a cursor that this server gave' }]);
    case 'cursor_of_another_list':
      return impossible('cursor_of_another_list', 'The cursor was given for another list than this');
    case 'campaign_over':
      return conflict('campaign_over', `The campaign is ${details['status']}: it takes no contacts any more`);
    case 'last_operator_key':
      return conflict(
        'last_operator_key',
        "This is the last key of the server's operator: without one, nobody could manage organisations",
      );
    case 'attempt_exists':
      return undefined;
  }
}

export function fromPlanRefusal({ code, message, details, path }: PlanRefusal): ApiError {
  if (path !== null) return invalid([{ path, message }]);
  return code.endsWith('_not_found') ? new ApiError(404, code, message) : impossible(code, message, details);
}
