/**
 * What is wrong with a campaign rather than with a contact: nobody is left out for it. A campaign that finds it pauses itself, and
 * says why, before it has passed over its list.
 */
import { variablesOf } from '../../contract/placeholders';
import type { Campaign } from '../entities/campaign';
import type { ContactNote } from './contact-claim';
import { missingColumns, neverOpenBecause, unfillable } from './contact-rules';
import type { RuledCampaign, SpokenAgent } from './contact-rules';

export interface StandingFault {
  readonly reason:
    'no_agent' | 'no_trunk' | 'window_never_opens' | 'invalid_placeholder' | 'missing_column' | FaultOfMany;
  /** For people. */
  readonly detail: string;
  /** Of its event: the figure. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Of one contact it may be the contact's own; of many in a row it is how things are set. */
const OF_MANY = ['missing_variable', 'destination_not_allowed', 'outside_window'] as const;
type FaultOfMany = (typeof OF_MANY)[number];

/** So many due contacts in a row, none of whom may be called for what is set. */
const IN_A_ROW = 20;

/** Nobody can be called before somebody changes it. */
export function standingFault(
  campaign: RuledCampaign & Pick<Campaign, 'variableNames'>,
  agent: SpokenAgent | null,
  trunks: readonly unknown[],
): StandingFault | null {
  const fault = (reason: StandingFault['reason'], detail: string, data: StandingFault['data'] = {}): StandingFault => ({
    reason,
    detail,
    data: { reason, ...data },
  });
  if (agent === null) return fault('no_agent', 'The agent of the campaign was deleted');
  if (trunks.length === 0) return fault('no_trunk', 'Neither the campaign nor its agent has an outbound trunk');
  const closed = neverOpenBecause(campaign);
  if (closed !== null) return fault('window_never_opens', closed);
  const unclear = unfillable(campaign, agent);
  if (unclear !== null) {
    return fault('invalid_placeholder', unclear.message, { placeholders: unclear.placeholders });
  }
  // Lists that an earlier release has read do not tell of names.
  const columns = missingColumns(campaign, agent).filter((column) => column !== 'name');
  if (columns.length === 0) return null;
  return fault('missing_column', `No contact has a value for ${columns.join(', ')}, which the texts use`, { columns });
}

/** Contacts that are due, in the order in which they are looked at. */
export class FaultsInARow {
  #row = 0;
  readonly #byReason = new Map<FaultOfMany, number>();

  callable(): void {
    this.#row = 0;
    this.#byReason.clear();
  }

  /** Left out for this. What is the contact's own says nothing of the campaign. */
  leftOut({ reason }: ContactNote): void {
    const of = OF_MANY.find((one) => one === reason);
    if (of === undefined) return;
    this.#row += 1;
    this.#byReason.set(of, (this.#byReason.get(of) ?? 0) + 1);
  }

  get fault(): StandingFault | null {
    if (this.#row < IN_A_ROW) return null;
    const [[reason, contacts]] = [...this.#byReason].toSorted(([, a], [, b]) => b - a) as [[FaultOfMany, number]];
    const detail = `${this.#row} contacts in a row could not be called: ${contacts} of them ${reason}`;
    return { reason, detail, data: { reason, contacts, in_a_row: this.#row } };
  }
}

export interface OutsideRules {
  readonly agent: SpokenAgent | null;
  readonly trunks: readonly { readonly id: string; readonly allowedCountries: readonly string[] | null }[];
  /** Of the organisation; null: as the server allows. */
  readonly allowedCountries: readonly string[] | null;
}

/**
 * What decides of contacts and is set elsewhere than in the campaign: variables of the agent's texts, and countries. A line each; a
 * campaign keeps by which it has looked last, and looks again at whom it has left out when they are others.
 * @param serverCountries where the server names none, those of the organisation's own numbers
 */
export function outsideRules(
  { agent, trunks, allowedCountries }: OutsideRules,
  serverCountries: readonly string[],
): string {
  const variables = agent === null ? [] : variablesOf([agent.firstMessage, ...agent.instructions]).toSorted();
  const ofTrunks = trunks.map((trunk) => [trunk.id, trunk.allowedCountries]);
  return `${JSON.stringify(variables)}\n${JSON.stringify([serverCountries, allowedCountries, ofTrunks])}`;
}

/** In words of the timeline. */
export function changedOutside(before: string, after: string): string[] {
  const [was, is] = [before.split('\n'), after.split('\n')];
  return ['agent_texts', 'allowed_countries'].filter((_, n) => was[n] !== is[n]);
}
