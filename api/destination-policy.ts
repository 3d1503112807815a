/** Where an outbound call may go: the toll-fraud guard. */
import { countryOf } from '../store/routing/country';
import { isExpensive } from '../store/routing/phone-number';

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

export const isExpensiveRefusal = (refusal: DestinationRefusal): boolean => refusal.reason === 'expensive';
