/**
 * The time zones in which a number may be, and the state whose law counts.
 *
 * What the contact's own record says counts alone. Else the number tells, and where it tells several zones all of them count:
 * - fixed lines: the zones of the longest known prefix;
 * - numbers of calling code 1, fixed or mobile: all zones of the area code. They are ported within it, and a mobile phone may
 *   have moved away altogether: who knows better gives the contact a zone;
 * - mobiles elsewhere: in countries that give them area codes, as fixed lines; else all zones of the country, unless these
 *   are too far apart for one window;
 * - everything that a plan gives to no place (toll-free, premium, shared cost, personal, VoIP, corporate numbers, calling
 *   codes of no country), and prefixes in no plan: the contact needs a zone.
 * The campaign's default zone stands in only where the number is of a known plan and silent, or in none: never for numbers
 * that are nobody's place by design. The law of the number's state counts whatever zone the contact's record says.
 */
import type { NumberType } from 'libphonenumber-js/max';
import { isExpensive } from '../dialling/phone-number';
import { numberFacts } from '../routing/number-facts';
import type { NumberFacts } from '../routing/number-facts';
import { AREA_CODE_TABLE } from './area-code-table';
import { NUMBER_ZONE_TABLE } from './number-zone-table';
import { HOUR_MS, isTimeZone, readClock } from './zone-clock';

/** Why the contact needs a zone of its own. */
export type ZoneNeed =
  | 'toll_free'
  | 'premium'
  | 'shared_cost'
  | 'not_geographic'
  /** A mobile of a country with clocks far apart, whose prefix says nothing of the place. */
  | 'mobile_without_geography'
  /** In no known plan, or no number. */
  | 'unknown';

export interface NumberZonesInput {
  readonly e164: string;
  /** The contact's own; one that the runtime does not know is as none. */
  readonly contactTimeZone: string | null;
  /** The campaign's. */
  readonly defaultTimeZone: string | null;
}

export type NumberZones =
  | {
      readonly known: true;
      /** IANA names, at least one; all must be open. */
      readonly zones: readonly string[];
      readonly from: 'contact' | 'number' | 'campaign';
      readonly region: string | null;
    }
  | { readonly known: false; readonly need: ZoneNeed; readonly region: string | null };

/** Zones of one country whose clocks differ by no more leave ten of the thirteen legal hours to call in. */
const ONE_WINDOW_SPREAD_MS = 3 * HOUR_MS;

/** Countries whose mobiles have area codes (libphonenumber, `GEO_MOBILE_COUNTRIES`). */
const GEOGRAPHIC_MOBILES: ReadonlySet<string> = new Set(['52', '54', '55', '62']);

const NEED_OF_TYPE: Readonly<Partial<Record<NonNullable<NumberType>, ZoneNeed>>> = {
  TOLL_FREE: 'toll_free',
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared_cost',
  PERSONAL_NUMBER: 'not_geographic',
  VOIP: 'not_geographic',
  UAN: 'not_geographic',
  PAGER: 'not_geographic',
  VOICEMAIL: 'not_geographic',
};

export function numberZones({ e164, contactTimeZone, defaultTimeZone }: NumberZonesInput): NumberZones {
  const region = regionOf(e164);
  if (contactTimeZone !== null && isTimeZone(contactTimeZone)) {
    return { known: true, zones: [contactTimeZone], from: 'contact', region };
  }
  const told = zonesTold(e164);
  if (typeof told !== 'string') return { known: true, zones: told, from: 'number', region };
  const mayDefault = told === 'mobile_without_geography' || told === 'unknown';
  if (mayDefault && defaultTimeZone !== null && isTimeZone(defaultTimeZone)) {
    return { known: true, zones: [defaultTimeZone], from: 'campaign', region };
  }
  return { known: false, need: told, region };
}

/** By whose clock a contact's calls are counted that has no zone of its own: the first one of its number's prefix. Null: it has none. */
export function clockZoneOf(contact: {
  readonly phoneNumber: string;
  readonly timeZone: string | null;
}): string | null {
  if (contact.timeZone !== null) return null;
  return longestPrefix(contact.phoneNumber.slice(1))?.zones[0] ?? null;
}

/** ISO 3166-2 by area code, of calling code 1 only. */
export function regionOf(e164: string): string | null {
  return e164.startsWith('+1') ? (REGION_OF_AREA_CODE.get(e164.slice(2, 5)) ?? null) : null;
}

function zonesTold(e164: string): readonly string[] | ZoneNeed {
  const parsed = numberFacts(e164);
  if (parsed === null) return 'unknown';
  const { type } = parsed;
  const need = type === undefined ? undefined : NEED_OF_TYPE[type];
  if (need !== undefined) return need;
  if (type === 'MOBILE' && parsed.countryCallingCode !== '1') return zonesOfMobile(parsed);
  const found = longestPrefix(parsed.number.slice(1));
  if (found === null) return 'unknown';
  if (isExpensive(e164)) return 'premium';
  // Of a number in no known range the country alone says too little: it may be toll-free, or nobody's.
  return type === undefined && found.prefix === parsed.countryCallingCode ? 'unknown' : found.zones;
}

function zonesOfMobile({ number, countryCallingCode, country }: NumberFacts): readonly string[] | ZoneNeed {
  if (GEOGRAPHIC_MOBILES.has(countryCallingCode)) return longestPrefix(number.slice(1))?.zones ?? 'unknown';
  // Territories and neighbours that share a calling code have their own prefixes below it.
  const zones = ZONES_OF_PREFIX.get(sharedBy(countryCallingCode, country)) ?? ZONES_OF_PREFIX.get(countryCallingCode);
  if (zones === undefined) return 'unknown';
  return spreadMs(zones) <= ONE_WINDOW_SPREAD_MS ? zones : 'mobile_without_geography';
}

/** Kazakhstan's half of Russia's calling code is the one that has mobiles and clocks of its own. */
function sharedBy(callingCode: string, country: string | undefined): string {
  return country === 'KZ' ? '77' : callingCode;
}

function spreadMs(zones: readonly string[]): number {
  const spreads = SEASONS_MS.map((atMs) => {
    const offsets = zones.map((zone) => readClock(zone, atMs).offsetMs);
    return Math.max(...offsets) - Math.min(...offsets);
  });
  return Math.max(...spreads);
}

/** A northern winter and a southern one. */
const SEASONS_MS = [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)];

function longestPrefix(digits: string): { readonly prefix: string; readonly zones: readonly string[] } | null {
  for (let length = Math.min(digits.length, LONGEST_PREFIX); length > 0; length -= 1) {
    const prefix = digits.slice(0, length);
    const zones = ZONES_OF_PREFIX.get(prefix);
    if (zones !== undefined) return { prefix, zones };
  }
  return null;
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

const ZONES_OF_PREFIX: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(NUMBER_ZONE_TABLE).flatMap(([zones, prefixes]) => {
    const list = words(zones);
    return words(prefixes).map((prefix) => [prefix, list] as const);
  }),
);

const LONGEST_PREFIX = Math.max(...[...ZONES_OF_PREFIX.keys()].map((prefix) => prefix.length));

const REGION_OF_AREA_CODE: ReadonlyMap<string, string> = new Map(
  Object.entries(AREA_CODE_TABLE).flatMap(([region, codes]) => words(codes).map((code) => [code, region] as const)),
);
