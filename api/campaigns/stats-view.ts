import { CAMPAIGN_CONTACT_RESULTS, CAMPAIGN_CONTACT_STATES } from '../../contract/campaigns';
import { DISPOSITIONS, wasAnswered } from '../../contract/endings';
import { UNJUDGED } from '../../store/campaigns/guard';
import type { StateCount } from '../../store/repositories/campaign-repository';
import type { CallCount } from '../../store/repositories/campaign-results-repository';
import type { CampaignStatsResource } from '../schemas/campaign-results';

/** What is counted by state and result, and of its calls by how they went, as totals of each. */
export function statsView(contacts: readonly StateCount[], calls: readonly CallCount[]): CampaignStatsResource {
  const contactsBy = <Name extends string>(names: readonly Name[], of: (count: StateCount) => string | null) =>
    byName(names, (name) => sum(contacts, (count) => (of(count) === name ? count.contacts : 0)));
  const hours = distinct(calls.map(({ hour }) => hour));
  const attempts = distinct(calls.map(({ attempt }) => attempt));
  return {
    contacts: sum(contacts, (count) => count.contacts),
    states: contactsBy(CAMPAIGN_CONTACT_STATES, ({ state }) => state),
    results: contactsBy(CAMPAIGN_CONTACT_RESULTS, ({ result }) => result),
    left_out: Object.fromEntries(
      [...new Set(contacts.flatMap(({ reason }) => reason ?? []))].map((name) => [
        name,
        sum(contacts, (count) => (count.reason === name ? count.contacts : 0)),
      ]),
    ),
    attempts: sum(contacts, (count) => count.attempts),
    outcomes: byName(DISPOSITIONS, (name) => sum(calls, (one) => (one.disposition === name ? one.calls : 0))),
    answer_seizure_ratio: connectsOf(calls).rate,
    minutes: Math.round((sum(calls, ({ seconds }) => seconds) / 60) * 100) / 100,
    connect_rate: {
      by_hour: hours.map((hour) => ({
        hour: hour < 0 ? null : hour,
        ...connectsOf(calls.filter((one) => one.hour === hour)),
      })),
      by_attempt: attempts.map((attempt) => ({
        attempt,
        ...connectsOf(calls.filter((one) => one.attempt === attempt)),
      })),
    },
    goal_reached: null,
  };
}

function connectsOf(calls: readonly CallCount[]): { dials: number; answered: number; rate: number | null } {
  const answered = sum(calls, (one) => (wasAnswered(one) ? one.calls : 0));
  const judged = sum(calls, (one) => (UNJUDGED.includes(one.disposition) ? 0 : one.calls));
  const rate = judged === 0 ? null : Math.round((answered / judged) * 10_000) / 10_000;
  return { dials: sum(calls, (one) => one.calls), answered, rate };
}

function byName<Name extends string>(names: readonly Name[], of: (name: Name) => number): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, number>;
}

function sum<Count>(counts: readonly Count[], of: (count: Count) => number): number {
  return counts.reduce((total, count) => total + of(count), 0);
}

const distinct = (numbers: readonly number[]): number[] => [...new Set(numbers)].toSorted((a, b) => a - b);
