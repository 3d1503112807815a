import { CAMPAIGN_CONTACT_RESULTS, CAMPAIGN_CONTACT_STATES } from '../../contract/campaigns';
import type { StateCount } from '../../store/repositories/campaign-repository';
import type { CampaignStatsResource } from '../schemas/campaign';

/** What is counted by state and result as totals of each. */
export function statsView(counts: readonly StateCount[]): CampaignStatsResource {
  const sum = (of: (count: StateCount) => number): number => counts.reduce((total, count) => total + of(count), 0);
  const contactsIf = (matches: (count: StateCount) => boolean): number =>
    sum((count) => (matches(count) ? count.contacts : 0));
  const byName = <Name extends string>(
    names: readonly Name[],
    of: (count: StateCount) => string | null,
  ): Record<Name, number> =>
    Object.fromEntries(names.map((name) => [name, contactsIf((count) => of(count) === name)])) as Record<Name, number>;
  return {
    contacts: sum(({ contacts }) => contacts),
    states: byName(CAMPAIGN_CONTACT_STATES, ({ state }) => state),
    results: byName(CAMPAIGN_CONTACT_RESULTS, ({ result }) => result),
    attempts: sum(({ attempts }) => attempts),
  };
}
