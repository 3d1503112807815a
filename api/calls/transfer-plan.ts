/** From a request to a transfer that may be carried out: whom it calls, and how. Every refusal of the request is here. */
import type { LegDial, LegTarget, TransferMode, TransferWay } from '../../contract/transfers';
import type { Call as CallRow } from '../../store/entities/call';
import { countryOf } from '../../store/routing/country';
import { impossible, notFound } from '../errors';
import type { CallTransferRequest } from '../schemas/transfer';
import type { ApiStore } from '../store';
import { transferTarget } from '../transfer-target';
import { assertMayCall } from './outbound-plan';

export interface TransferPlanDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly allowedCountries: readonly string[];
  readonly allowPrivateTargets: boolean;
}

export interface TransferPlan {
  readonly ways: readonly TransferWay[];
  readonly announce: string | null;
  readonly leg: Omit<LegDial, 'legId'>;
}

interface Destination {
  readonly name: string | null;
  readonly target: LegTarget;
  readonly mode: TransferMode;
  readonly ringTimeoutSeconds: number;
}

const RING_TIMEOUT_SECONDS = 30;

/** Throws `ApiError`: 404 for an unknown destination, 422 for what cannot be carried out. */
export async function planTransfer(
  deps: TransferPlanDeps,
  call: CallRow,
  request: CallTransferRequest,
): Promise<TransferPlan> {
  const { name, target, ...destination } = await destinationOf(deps, call, request);
  const ways = waysOf(request.mode ?? destination.mode);
  return {
    ways,
    announce: request.announce ?? null,
    leg: {
      target,
      name,
      trunkId: await trunkFor(deps, call, target, ways),
      ringTimeoutSeconds: request.ring_timeout_seconds ?? destination.ringTimeoutSeconds,
      sessionId: call.sessionId,
      agentId: call.agentId,
      contactId: call.contactId,
    },
  };
}

async function destinationOf(
  { store, allowPrivateTargets }: TransferPlanDeps,
  call: CallRow,
  { destination_id: id, type, value }: CallTransferRequest,
): Promise<Destination> {
  const { orgId, agentId } = call;
  const rules = { path: id === undefined ? 'value' : 'destination_id', allowPrivateTargets };
  const target = (kind: 'phone' | 'sip', text: string): LegTarget => {
    const checked = transferTarget(kind, text, rules);
    return kind === 'phone' ? { type: kind, number: checked } : { type: kind, uri: checked };
  };
  if (type !== undefined && value !== undefined) {
    return { name: null, target: target(type, value), mode: 'auto', ringTimeoutSeconds: RING_TIMEOUT_SECONDS };
  }
  return store.forOrg(orgId).read(async (org) => {
    const assigned = agentId === null ? [] : await org.transferDestinations.ofAgent(orgId, agentId);
    const found = assigned.find((one) => one.id === id);
    if (found === undefined) {
      const known = (await org.transferDestinations.list(orgId)).some((one) => one.id === id);
      if (!known) throw notFound('transfer destination');
      throw impossible('destination_not_assigned', "The destination is not assigned to the call's agent");
    }
    const { name, mode, ringTimeoutSeconds } = found;
    return { name, mode, ringTimeoutSeconds, target: target(found.type, found.value) };
  });
}

/** The agent's, else the organisation's oldest; a SIP URI is called without one too. */
export async function trunkFor(
  { store, allowedCountries }: TransferPlanDeps,
  { orgId, agentId }: CallRow,
  target: LegTarget,
  ways: readonly TransferWay[],
): Promise<string | null> {
  const country = target.type === 'phone' ? countryOf(target.number) : null;
  const caller = await store.forOrg(orgId).read((org) => org.callers.find(orgId, agentId, country));
  const trunk = caller.trunks.find(({ id }) => id === caller.agent?.outboundTrunkId) ?? caller.trunks[0];
  if (target.type === 'phone') {
    // Where the peer takes the caller there by itself none is needed.
    if (trunk === undefined && !ways.includes('refer')) {
      throw impossible('no_trunk', 'The organisation has no outbound trunk to call this number by');
    }
    assertMayCall(target.number, allowedCountries, caller, trunk ?? { allowedCountries: null });
  }
  return trunk?.id ?? null;
}

function waysOf(mode: TransferMode): readonly TransferWay[] {
  switch (mode) {
    case 'auto':
      return ['refer', 'bridge'];
    case 'refer':
    case 'bridge':
      return [mode];
    case 'warm':
      throw impossible('transfer_mode_unavailable', `This server does not transfer by mode ${mode} yet`, { mode });
  }
}
