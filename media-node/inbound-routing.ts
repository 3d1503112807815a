import type { AgentProfile, InboundRequest, RoutingDecision } from '../contract/directory';
import type { ConfigSnapshot } from './config-snapshot';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../contract/directory';
import { readDialedNumber, sameNumber } from './dialed-number';

/**
 * Who answers: the agent a header names → the agent of the dialled number → the oldest inbound agent, because the number
 * is on the trunk → the oldest inbound agent at all. Every rule that was looked at leaves a sentence; the sentences name
 * no numbers, the call's record has them.
 */
export function routeInbound(snapshot: ConfigSnapshot, request: InboundRequest): RoutingDecision {
  const steps: string[] = [];
  const dialedNumber = readDialedNumber(request.dialedUser);
  if (dialedNumber === null) {
    return { ok: false, status: 404, steps: ['The Request-URI has no usable user part.'] };
  }
  const trunk = snapshot.inboundTrunkById(request.trunkId);
  const chosen = (agent: AgentProfile, rule: (RoutingDecision & { ok: true })['rule']): RoutingDecision => ({
    ok: true,
    agent,
    rule,
    steps,
    dialedNumber: ownNumber(snapshot, request, dialedNumber) ?? dialedNumber,
    callerNumber: readDialedNumber(request.callerUser) ?? request.callerUser,
    mediaTimeoutSeconds: trunk?.mediaTimeoutSeconds ?? DEFAULT_MEDIA_TIMEOUT_SECONDS,
  });

  const named = byHeader(snapshot, request, steps);
  if (named !== null) return chosen(named, 'header');

  const assigned = byAssignment(snapshot, request.orgId, dialedNumber, steps);
  if (assigned !== null) return chosen(assigned, 'number_assignment');

  const oldest = snapshot.inboundAgents(request.orgId)[0];
  const onTrunk = (trunk?.phoneNumbers ?? []).some((number) => sameNumber(number, dialedNumber));
  if (oldest === undefined) {
    steps.push('The organisation has no inbound agent.');
    return { ok: false, status: 480, steps };
  }
  if (onTrunk) {
    steps.push(`The number is on the trunk: the oldest inbound agent ${oldest.id} answers.`);
    return chosen(oldest, 'trunk_number');
  }
  steps.push('The number is not on the trunk.', `Fallback: the oldest inbound agent ${oldest.id} answers.`);
  return chosen(oldest, 'fallback');
}

/** The number of ours that was meant, in E.164: many peers dial it without the plus sign or the country code. */
function ownNumber(snapshot: ConfigSnapshot, request: InboundRequest, dialedNumber: string): string | undefined {
  const onTrunk = snapshot.inboundTrunkById(request.trunkId)?.phoneNumbers ?? [];
  const verified = snapshot.verifiedNumbers(request.orgId).map(({ phoneNumber }) => phoneNumber);
  return [...onTrunk, ...verified].find((number) => sameNumber(number, dialedNumber));
}

function byHeader(snapshot: ConfigSnapshot, request: InboundRequest, steps: string[]): AgentProfile | null {
  const id = request.agentIdHeader?.trim().toLowerCase() ?? '';
  if (id === '') {
    steps.push('No agent is named by a header.');
    return null;
  }
  const agent = snapshot.agent(id);
  // A foreign id is treated as an unknown one: the header tells nothing about other organisations.
  if (agent === undefined || agent.orgId !== request.orgId) {
    steps.push('The header names no agent of this organisation: skipped.');
    return null;
  }
  steps.push(`The header names the agent ${agent.id}.`);
  return agent;
}

function byAssignment(
  snapshot: ConfigSnapshot,
  orgId: string,
  dialedNumber: string,
  steps: string[],
): AgentProfile | null {
  const number = snapshot.verifiedNumbers(orgId).find(({ phoneNumber }) => sameNumber(phoneNumber, dialedNumber));
  const agent = number?.agentId == null ? undefined : snapshot.agent(number.agentId);
  if (agent === undefined) {
    steps.push('The number is assigned to no agent.');
    return null;
  }
  steps.push(`The number is assigned to the agent ${agent.id}.`);
  return agent;
}
