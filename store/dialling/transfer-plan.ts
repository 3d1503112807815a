/** From a wish to a transfer that may be carried out: whom it calls, and how. Every refusal is here, whoever wishes it. */
import type { SealedControl } from '../../contract/commands';
import type { LegTarget, PlannedLeg, SealedCredentials, TransferMode, TransferWay } from '../../contract/transfers';
import { sealControl, sealLeg } from '../call-control';
import type { Call } from '../entities/call';
import type { TransferTargetType } from '../entities/transfer-destination';
import type { AgentRepository } from '../repositories/agent-repository';
import type { CallerRepository } from '../repositories/caller-repository';
import type { TransferDestinationRepository } from '../repositories/transfer-destination-repository';
import { countryOf } from '../routing/country';
import type { SecretBox } from '../secrets';
import { assertMayCall } from './may-call';
import { PlanRefusal } from './plan-refusal';
import { transferTarget } from './transfer-target';

/** What a plan asks within one organisation. */
export interface TransferPlanStore {
  readonly agents: Pick<AgentRepository, 'find'>;
  readonly callers: Pick<CallerRepository, 'find'>;
  readonly transferDestinations: Pick<TransferDestinationRepository, 'list' | 'credentials' | 'ofAgent'>;
}

export interface TransferPlanDeps {
  readonly store: {
    forOrg(orgId: string): { read<T>(work: (org: TransferPlanStore) => Promise<T>): Promise<T> };
  };
  readonly allowedCountries: readonly string[];
  /** See `transferTarget`. */
  readonly mayReach: (host: string) => boolean;
}

/** `destination`: one of the agent's. `handoff`, `failover`: as the agent says. `target`: only who may name any at all. */
type TransferTo =
  | { readonly kind: 'destination'; readonly id: string }
  | { readonly kind: 'handoff' | 'failover' }
  | { readonly kind: 'target'; readonly type: TransferTargetType; readonly value: string };

/** Left out: as the destination says. */
export interface TransferOrder {
  readonly to: TransferTo;
  readonly mode?: TransferMode | undefined;
  readonly announce?: string | undefined;
  /** By mode `warm` alone. */
  readonly briefing?: string | undefined;
  readonly ringTimeoutSeconds?: number | undefined;
}

export interface TransferPlan {
  readonly ways: readonly TransferWay[];
  readonly announce: string | null;
  readonly leg: Omit<PlannedLeg, 'legId'>;
}

/** As it may stand in a history. */
export interface SealedTransferPlan {
  readonly ways: readonly TransferWay[];
  readonly announce: SealedControl | null;
  readonly leg: string;
  readonly ringTimeoutSeconds: number;
}

export type TransferredCall = Pick<Call, 'id' | 'orgId' | 'agentId' | 'sessionId' | 'contactId'>;

interface Destination {
  readonly name: string | null;
  readonly target: LegTarget;
  readonly mode: TransferMode;
  readonly announce: string | null;
  readonly ringTimeoutSeconds: number;
  readonly credentials: SealedCredentials | null;
}

const RING_TIMEOUT_SECONDS = 30;
/** Of whom no more is known than a number or a URI. */
const UNNAMED = {
  name: null,
  mode: 'auto',
  announce: null,
  ringTimeoutSeconds: RING_TIMEOUT_SECONDS,
  credentials: null,
} as const;

/** @throws PlanRefusal `…_not_found` for an unknown destination, else for what cannot be carried out */
export async function planTransfer(
  deps: TransferPlanDeps,
  call: TransferredCall,
  order: TransferOrder,
): Promise<TransferPlan> {
  const { name, target, ...destination } = await destinationOf(deps, call, order.to);
  const mode = order.mode ?? destination.mode;
  const ways = waysOf(mode);
  if (order.briefing !== undefined && mode !== 'warm') {
    throw new PlanRefusal('validation_failed', `Nobody is briefed by mode ${mode}`, {}, 'briefing');
  }
  return {
    ways,
    announce: order.announce ?? destination.announce,
    leg: {
      target,
      name,
      trunkId: await trunkFor(deps, call, target, ways),
      ringTimeoutSeconds: order.ringTimeoutSeconds ?? destination.ringTimeoutSeconds,
      sessionId: call.sessionId,
      agentId: call.agentId,
      contactId: call.contactId,
      briefing: order.briefing ?? null,
      sealedCredentials: destination.credentials,
    },
  };
}

/** The leg has the id of the transfer. */
export function sealPlan(
  secrets: Pick<SecretBox, 'seal'>,
  { orgId, id: callId }: Pick<TransferredCall, 'orgId' | 'id'>,
  transferId: string,
  { ways, announce: text, leg }: TransferPlan,
): SealedTransferPlan {
  const owner = { orgId, callId };
  return {
    ways,
    announce: text === null ? null : sealControl(secrets, owner, { type: 'announce', text }),
    leg: sealLeg(secrets, owner, { ...leg, legId: transferId }),
    ringTimeoutSeconds: leg.ringTimeoutSeconds,
  };
}

async function destinationOf(
  { store, mayReach }: TransferPlanDeps,
  { orgId, agentId }: TransferredCall,
  to: TransferTo,
): Promise<Destination> {
  const rules = { path: to.kind === 'target' ? 'value' : 'destination_id', mayReach };
  const target = (type: TransferTargetType, text: string): LegTarget => {
    const checked = transferTarget(type, text, rules);
    return type === 'phone' ? { type, number: checked } : { type, uri: checked };
  };
  if (to.kind === 'target') return { ...UNNAMED, target: target(to.type, to.value) };
  return store.forOrg(orgId).read(async (org) => {
    if (to.kind === 'destination') {
      const assigned = agentId === null ? [] : await org.transferDestinations.ofAgent(orgId, agentId);
      const found = assigned.find(({ id }) => id === to.id);
      if (found !== undefined) {
        const credentials = await org.transferDestinations.credentials(orgId, found.id);
        return { ...found, credentials, target: target(found.type, found.value) };
      }
      const known = (await org.transferDestinations.list(orgId)).some(({ id }) => id === to.id);
      if (!known) throw new PlanRefusal('transfer_destination_not_found', 'No such transfer destination');
      throw new PlanRefusal('destination_not_assigned', "The destination is not assigned to the call's agent");
    }
    const agent = agentId === null ? null : await org.agents.find(orgId, agentId);
    if (to.kind === 'handoff') {
      const number = agent?.handoffPhoneNumber ?? null;
      if (number === null) throw new PlanRefusal('no_handoff_number', 'The agent has no number to hand over to');
      return { ...UNNAMED, target: target('phone', number) };
    }
    const id = agent?.failoverTransferDestinationId ?? null;
    const found = id === null ? undefined : (await org.transferDestinations.list(orgId)).find((one) => one.id === id);
    if (found === undefined) throw new PlanRefusal('no_failover_destination', 'The agent has nobody to fail over to');
    const credentials = await org.transferDestinations.credentials(orgId, found.id);
    // An agent that has failed can ask nobody.
    const mode = found.mode === 'warm' ? 'bridge' : found.mode;
    return { ...found, mode, credentials, target: target(found.type, found.value) };
  });
}

/** The agent's, else the organisation's oldest; a SIP URI is called without one too. */
export async function trunkFor(
  { store, allowedCountries }: TransferPlanDeps,
  { orgId, agentId }: TransferredCall,
  target: LegTarget,
  ways: readonly TransferWay[],
): Promise<string | null> {
  const country = target.type === 'phone' ? countryOf(target.number) : null;
  const caller = await store.forOrg(orgId).read((org) => org.callers.find(orgId, agentId, country));
  const trunk = caller.trunks.find(({ id }) => id === caller.agent?.outboundTrunkId) ?? caller.trunks[0];
  if (target.type === 'phone') {
    // Where the peer takes the caller there by itself none is needed.
    if (trunk === undefined && !ways.includes('refer')) {
      throw new PlanRefusal('no_trunk', 'The organisation has no outbound trunk to call this number by');
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
    case 'warm':
      return [mode];
  }
}
