/** The toll-fraud guard of a campaign: which of its trunks may call a number. */
import { assertMayCall } from '../dialling/may-call';
import { PlanRefusal } from '../dialling/plan-refusal';
import type { Caller } from '../repositories/caller-repository';
import { countryOf } from '../routing/country';

type CountryLookUp = (country: string | null) => Promise<Omit<Caller, 'agent'>>;

export interface DestinationAnswer<Trunk> {
  /** Those that may. */
  readonly trunks: readonly Trunk[];
  /** Why none may; null where one does, or there is none. */
  readonly refusal: string | null;
}

/**
 * One look-up per country: in each the organisation may have a number or not.
 * @param countries ISO codes; empty = the countries of the organisation's own numbers
 */
export function destinationGuard<Trunk extends { readonly allowedCountries: readonly string[] | null }>(
  callerFor: CountryLookUp,
  countries: readonly string[],
  trunks: readonly Trunk[],
): (number: string) => Promise<DestinationAnswer<Trunk>> {
  const callers = new Map<string | null, ReturnType<CountryLookUp>>();
  return async (number) => {
    const country = countryOf(number);
    let caller = callers.get(country);
    if (caller === undefined) {
      caller = callerFor(country);
      callers.set(country, caller);
    }
    const known = await caller;
    const refusals = trunks.map((trunk) => refusalOf(() => assertMayCall(number, countries, known, trunk)));
    const allowed = trunks.filter((_, n) => refusals[n] === null);
    return { trunks: allowed, refusal: allowed.length > 0 ? null : (refusals.at(-1) ?? null) };
  };
}

function refusalOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof PlanRefusal) return error.message;
    throw error;
  }
}
