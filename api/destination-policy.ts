/** Where an outbound call may go: the toll-fraud guard. */
import { countryOf, isExpensive } from './phone-number';

export type DestinationRefusal = { readonly reason: 'expensive' | 'country'; readonly country: string | null };

export interface DestinationPolicyInput {
  /** Destination, E.164. */
  readonly to: string;
  /** `OUTBOUND_ALLOWED_COUNTRIES`; empty means the countries of `ownNumbers`. */
  readonly configuredCountries: readonly string[];
  /** The organisation's verified numbers, inbound-trunk numbers and its trunks' caller numbers. */
  readonly ownNumbers: readonly string[];
}

/** Null when the call may be placed. */
export function refuseDestination(input: DestinationPolicyInput): DestinationRefusal | null {
  const country = countryOf(input.to);
  if (isExpensive(input.to)) return { reason: 'expensive', country };
  const allowed =
    input.configuredCountries.length > 0
      ? new Set(input.configuredCountries)
      : new Set(input.ownNumbers.map(countryOf));
  return country !== null && allowed.has(country) ? null : { reason: 'country', country };
}

export const isExpensiveRefusal = (refusal: DestinationRefusal): boolean => refusal.reason === 'expensive';
