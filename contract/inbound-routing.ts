/**
 * Which agent answers a call that comes in. A media node decides with it from memory, the API's preview from the store:
 * both give it what they know of the organisation, and both get the same answer.
 */
import { AGENT_ID_HEADER } from './directory';
import type { RoutingRule, RoutingStep } from './directory';

/** The user part of a Request-URI, and which number of the organisation it means. */
export interface DialedNumber {
  /** That number, else E.164 where it can be read as such, else as received. */
  readonly recorded: string;
  readonly own: OwnNumber | null;
  /** How the number of ours was written where that was not E.164; for reasons. */
  readonly spelling: 'without_plus' | 'international_prefix' | 'national' | null;
  /** It may be several of the organisation's numbers, and nothing tells which one. */
  readonly ambiguous: boolean;
}

export interface OwnNumber {
  readonly phoneNumber: string;
  readonly verified: boolean;
  readonly agentId: string | null;
  readonly onTrunk: boolean;
}

/** What routing asks of one organisation. */
export interface RoutedOrganisation<Agent extends { readonly id: string }> {
  /** Null when there is nothing to look for. */
  dialed(userPart: string): DialedNumber | null;
  /** Of this organisation; of either type. The id is in lower case. */
  agent(id: string): Agent | undefined;
  /** Of type inbound. */
  oldestInboundAgent(): Agent | undefined;
}

export type AgentChoice<Agent> =
  | {
      readonly ok: true;
      readonly agent: Agent;
      readonly rule: RoutingRule;
      readonly steps: readonly RoutingStep[];
      readonly dialedNumber: string;
    }
  | {
      readonly ok: false;
      readonly status: 404 | 480;
      readonly steps: readonly RoutingStep[];
      readonly dialedNumber: string | null;
    };

/**
 * The agent a header names → the agent of the dialled number → the oldest inbound agent, because the number is on the
 * trunk → the oldest inbound agent at all. A header that names nobody is passed over: who answers is then for the
 * number to say.
 */
export function chooseAgent<Agent extends { readonly id: string }>(
  organisation: RoutedOrganisation<Agent>,
  dialedUser: string,
  agentIdHeader: string | null,
): AgentChoice<Agent> {
  const dialed = organisation.dialed(dialedUser);
  if (dialed === null) {
    const step = { rule: 'request_uri', matched: false, reason: 'The Request-URI has no usable user part.' } as const;
    return { ok: false, status: 404, steps: [step], dialedNumber: null };
  }
  const steps: RoutingStep[] = [];
  const dialedNumber = dialed.recorded;
  const look = (rule: RoutingRule, found: Found<Agent>): AgentChoice<Agent> | null => {
    const { agent, reason } = found;
    steps.push({ rule, matched: agent !== undefined, reason });
    return agent === undefined ? null : { ok: true, agent, rule, steps, dialedNumber };
  };
  return (
    look('header', byHeader(organisation, agentIdHeader)) ??
    look('number_assignment', byAssignment(organisation, dialed)) ??
    look('trunk_number', byTrunk(organisation, dialed)) ??
    look('fallback', byFallback(organisation)) ?? { ok: false, status: 480, steps, dialedNumber }
  );
}

interface Found<Agent> {
  readonly agent?: Agent | undefined;
  readonly reason: string;
}

type Organisation<Agent extends { readonly id: string }> = RoutedOrganisation<Agent>;

function byHeader<Agent extends { readonly id: string }>(
  organisation: Organisation<Agent>,
  agentIdHeader: string | null,
): Found<Agent> {
  const id = agentIdHeader?.trim().toLowerCase() ?? '';
  if (id === '') return { reason: `No agent is named by ${AGENT_ID_HEADER}.` };
  const agent = organisation.agent(id);
  // A foreign id is answered as an unknown one: the header tells nothing about other organisations.
  if (agent === undefined) return { reason: `${AGENT_ID_HEADER} names no agent of this organisation: skipped.` };
  return { agent, reason: `${AGENT_ID_HEADER} names the agent ${agent.id}.` };
}

function byAssignment<Agent extends { readonly id: string }>(
  organisation: Organisation<Agent>,
  { own, spelling, ambiguous }: DialedNumber,
): Found<Agent> {
  if (ambiguous) return { reason: 'The number, in national form, may be several of this organisation: none is taken.' };
  if (own?.verified !== true) return { reason: 'The number is no verified number of this organisation.' };
  const number = spelling === null ? 'The number' : `The number, dialled ${SPELLING[spelling]},`;
  const agent = own.agentId === null ? undefined : organisation.agent(own.agentId);
  if (agent === undefined) return { reason: `${number} is assigned to no agent.` };
  return { agent, reason: `${number} is assigned to the agent ${agent.id}.` };
}

const SPELLING = {
  without_plus: 'without the plus sign',
  international_prefix: 'with an international prefix',
  national: 'in national form',
} as const;

function byTrunk<Agent extends { readonly id: string }>(
  organisation: Organisation<Agent>,
  { own }: DialedNumber,
): Found<Agent> {
  if (own?.onTrunk !== true) return { reason: 'The number is not on the trunk.' };
  const agent = organisation.oldestInboundAgent();
  if (agent === undefined) return { reason: 'The number is on the trunk, but no agent is of type inbound.' };
  return { agent, reason: `The number is on the trunk: the oldest inbound agent ${agent.id} answers.` };
}

function byFallback<Agent extends { readonly id: string }>(organisation: Organisation<Agent>): Found<Agent> {
  const agent = organisation.oldestInboundAgent();
  if (agent === undefined) return { reason: 'This organisation has no agent of type inbound.' };
  return { agent, reason: `Fallback: the oldest inbound agent ${agent.id} answers.` };
}
