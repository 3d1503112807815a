import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../contract/directory';
import type { InboundRequest, RoutingDecision } from '../contract/directory';
import { chooseAgent } from '../contract/inbound-routing';
import type { ConfigSnapshot } from './config-snapshot';

/** Who answers an INVITE, from memory, with what of its trunk the call needs. */
export function routeInbound(snapshot: ConfigSnapshot, request: InboundRequest): RoutingDecision {
  const organisation = snapshot.organisation(request.orgId);
  const choice = chooseAgent(organisation, request.dialedUser, request.agentIdHeader);
  if (!choice.ok) return choice;
  // A carrier that we have registered with calls over its outbound trunk.
  const trunk = snapshot.inboundTrunkById(request.trunkId) ?? snapshot.outboundTrunk(request.trunkId);
  return {
    ...choice,
    callerNumber: organisation.numbers.caller(request.callerUser, choice.dialedNumber),
    mediaTimeoutSeconds: trunk?.mediaTimeoutSeconds ?? DEFAULT_MEDIA_TIMEOUT_SECONDS,
  };
}
