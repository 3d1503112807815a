/** Where an outbound call may go: the toll-fraud guard. */
import type { Caller } from '../repositories/caller-repository';
import { countryOf } from '../routing/country';
import { isExpensive } from './phone-number';
import { PlanRefusal } from './plan-refusal';

export type DestinationRefusal = { readonly reason: 'expensive' | 'country'; readonly country: string | null };

export interface DestinationPolicyInput {
  /** Destination, E.164. */
  readonly to: string;
  /** `OUTBOUND_ALLOWED_COUNTRIES`; empty means `ownCountries`. */
  readonly configuredCountries: readonly string[];
  /** Of the organisation's verified numbers and of its trunks' caller numbers; null of a number in no country. */
  readonly ownCountries: readonly (string | null)[];
}

/** Null when the call may be placed. */
export function refuseDestination(input: DestinationPolicyInput): DestinationRefusal | null {
  const country = countryOf(input.to);
  if (isExpensive(input.to)) return { reason: 'expensive', country };
  const allowed = input.configuredCountries.length > 0 ? input.configuredCountries : input.ownCountries;
  return country !== null && allowed.includes(country) ? null : { reason: 'country', country };
}

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
