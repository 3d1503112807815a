/** From a request to a call that may be placed: agent, trunk, caller number, destination. Every refusal is here. */
import { assertMayCall } from '../../store/dialling/may-call';
import { countryOf } from '../../store/routing/country';
import { impossible, notFound, unavailable } from '../errors';
import type { OutboundCallRequest } from '../schemas/call';
import type { SpeechCatalog } from '../speech-catalog';
import type { ApiStore } from '../store';
import { callTimes } from './call-times';
import type { CallTimes } from './call-times';
import { firstMessageOf } from './first-message';

export interface OutboundPlanDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly speech: SpeechCatalog;
  /** ISO codes; empty = the countries of the organisation's own numbers. */
  readonly allowedCountries: readonly string[];
}

export interface OutboundPlan {
  readonly agentId: string;
  readonly trunkId: string;
  readonly from: string;
  readonly to: string;
  readonly firstMessage: string | null;
  readonly ringTimeoutSeconds: number;
  readonly maxDurationSeconds: number;
  readonly metadata: Record<string, unknown>;
  readonly times: CallTimes;
}

/** Throws `ApiError`: 404 for an unknown agent or trunk, 422 for what cannot be placed. */
export async function planOutbound(
  deps: OutboundPlanDeps,
  orgId: string,
  request: OutboundCallRequest,
): Promise<OutboundPlan> {
  const { store } = deps;
  assertServed(request);
  const times = callTimes(request, Date.now());
  const country = countryOf(request.phone_number);
  const [caller, speech] = await Promise.all([
    store.forOrg(orgId).read((org) => org.callers.find(orgId, request.phone_agent_id, country)),
    deps.speech.current(),
  ]);
  const { agent, trunks } = caller;
  if (agent === null) throw notFound('agent');
  const trunkId = request.trunk_id ?? agent.outboundTrunkId;
  if (trunkId === null) {
    throw impossible('agent_has_no_outbound_trunk', 'The agent has no outbound trunk and the request names none');
  }
  const [unspoken] = speech.unspoken(agent.language);
  if (unspoken !== undefined) {
    throw impossible('language_unavailable', `No configured provider speaks "${unspoken}"`, { language: unspoken });
  }
  const trunk = trunks.find(({ id }) => id === trunkId);
  if (trunk === undefined) throw notFound('outbound trunk');
  const from = request.caller_number ?? trunk.callerNumber;
  if (from !== trunk.callerNumber && !trunk.callerNumbers.includes(from)) {
    throw impossible('caller_number_not_owned', 'The trunk does not own this caller number');
  }
  assertMayCall(request.phone_number, deps.allowedCountries, caller, trunk);
  if (!speech.anyNode && times.scheduledAtMs === null)
    throw unavailable('media_unavailable', 'No media node is alive; nothing was done');
  return {
    agentId: agent.id,
    trunkId: trunk.id,
    from,
    to: request.phone_number,
    firstMessage: firstMessageOf(agent.firstMessage, request.first_message, request.variables),
    ringTimeoutSeconds: request.ring_timeout_seconds,
    maxDurationSeconds: request.max_duration_seconds ?? agent.maxCallDurationSeconds,
    metadata: request.metadata ?? {},
    times,
  };
}

/** Dialling what was to be dialled by other rules would be worse than a refusal. */
function assertServed(request: OutboundCallRequest): void {
  if (request.machine_detection !== 'off') {
    throw impossible('machine_detection_unavailable', 'This server does not tell machines from people');
  }
}
