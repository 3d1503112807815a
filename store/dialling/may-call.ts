import type { Caller } from '../repositories/caller-repository';
import { countryOf } from '../routing/country';
import { refuseDestination } from './destination-policy';
import { PlanRefusal } from './plan-refusal';

/**
 * The toll-fraud guard, of whatever calls somebody.
 * @throws PlanRefusal `destination_not_allowed`
 */
export function assertMayCall(
  to: string,
  configuredCountries: readonly string[],
  { trunks, hasNumberThere, allowedCountries }: Omit<Caller, 'agent'>,
  trunk: Pick<Caller['trunks'][number], 'allowedCountries'>,
): void {
  const country = countryOf(to);
  const ownCountries = [
    ...(hasNumberThere ? [country] : []),
    ...trunks.flatMap(({ callerNumber, callerNumbers }) => [callerNumber, ...callerNumbers].map(countryOf)),
  ];
  assertDestination(to, configuredCountries, ownCountries);
  assertCountry(country, allowedCountries, 'The limits of the organisation do not allow');
  assertCountry(country, trunk.allowedCountries, 'allowed_countries of the trunk does not allow');
}

/** @param allowed null: all */
function assertCountry(country: string | null, allowed: readonly string[] | null, whoRefuses: string): void {
  if (allowed === null || allowed.includes(country ?? '')) return;
  throw new PlanRefusal('destination_not_allowed', `${whoRefuses} calls to this country`, { country });
}

function assertDestination(
  to: string,
  configuredCountries: readonly string[],
  ownCountries: readonly (string | null)[],
): void {
  const refusal = refuseDestination({ to, configuredCountries, ownCountries });
  if (refusal === null) return;
  const why =
    refusal.reason === 'expensive'
      ? 'Premium-rate and satellite numbers are not dialled'
      : `Calls to ${refusal.country ?? 'this destination'} are not allowed; see OUTBOUND_ALLOWED_COUNTRIES`;
  throw new PlanRefusal('destination_not_allowed', why, { country: refusal.country });
}
