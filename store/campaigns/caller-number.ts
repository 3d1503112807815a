/** As whom a campaign calls: its numbers in rotation, of those that the trunk owns. */
import { createHash } from 'node:crypto';
import { countryOf } from '../routing/country';
import { regionOf } from './number-zones';

export interface CallerNumberInput {
  /** Of the campaign; empty: as the trunk says. */
  readonly callerNumbers: readonly string[];
  readonly localPresence: boolean;
  readonly trunk: { readonly callerNumber: string; readonly callerNumbers: readonly string[] };
  /** Whom it calls, E.164. */
  readonly to: string;
  readonly contactId: string;
  /** The number of the call to this contact, from 1: each one comes from the next number. */
  readonly call: number;
}

/** The same for the same call, whoever asks: contacts begin at different numbers, so that all are used alike. */
export function callerNumberOf({
  callerNumbers,
  localPresence,
  trunk,
  to,
  contactId,
  call,
}: CallerNumberInput): string {
  const owned = callerNumbers.filter((number) => number === trunk.callerNumber || trunk.callerNumbers.includes(number));
  if (owned.length === 0) return trunk.callerNumber;
  const near = localPresence ? nearest(owned, to) : owned;
  const start = createHash('sha256').update(contactId).digest().readUInt32BE(0);
  return near[(start + call - 1) % near.length] ?? trunk.callerNumber;
}

/** Of the same area code, else of the same state or province, else of the same country, else all. */
function nearest(numbers: readonly string[], to: string): readonly string[] {
  const alike = [areaCodeOf, regionOf, countryOf].map((of) => {
    const place = of(to);
    return place === null ? [] : numbers.filter((number) => of(number) === place);
  });
  return alike.find((found) => found.length > 0) ?? numbers;
}

/** Of calling code 1 only: elsewhere area codes have no one length. */
const areaCodeOf = (e164: string): string | null => /^\+1(\d{3})/.exec(e164)?.[1] ?? null;
