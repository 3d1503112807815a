import type { SealedCallDetails } from '../store/call-details';
import type { NewCall } from '../store/repositories/call-row';
import type { CallInput } from '../workflows/call/input';

/** The row a call begins with. */
export function newCall(input: CallInput, details: SealedCallDetails): NewCall {
  const inbound = input.direction === 'inbound' ? input : null;
  const outbound = input.direction === 'outbound' ? input : null;
  return {
    id: input.callId,
    orgId: input.orgId,
    agentId: input.agentId,
    trunkId: input.trunkId,
    campaignId: outbound?.campaign?.campaignId ?? null,
    contactId: outbound?.campaign?.contactId ?? null,
    sessionId: input.sessionId,
    direction: input.direction,
    from: details.from,
    to: details.to,
    privacy: details.privacy ?? [],
    status: inbound === null ? (outbound?.scheduledAtMs == null ? 'queued' : 'scheduled') : 'ringing',
    createdAtMs: input.createdAtMs,
    scheduledAtMs: outbound?.scheduledAtMs ?? null,
    expiresAtMs: outbound?.expiresAtMs ?? null,
    nodeId: inbound?.nodeId ?? null,
    bootId: inbound?.bootId ?? null,
    sipCallId: inbound?.sipCallId ?? null,
    routingRule: inbound?.routingRule ?? null,
    routing: details.routing ?? null,
    metadata: details.metadata,
  };
}
