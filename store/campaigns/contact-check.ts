/** Whether a contact of a campaign may be called, and when; else every reason against it that is known without dialling. */
import { decideCaps } from './number-caps';
import type { CapRefusal, NumberCaps } from './number-caps';
import type { NumberPlace, DiallingWindow, WindowRefusal } from './dialling-window';
import { numberZones } from './number-zones';
import type { ZoneNeed } from './number-zones';
import { missingVariables } from './text-variables';

export const CONTACT_REFUSALS = [
  'suppressed',
  'no_consent',
  'missing_variable',
  'destination_not_allowed',
  'zone_unknown',
  'outside_window',
  'cap_per_day',
  'cap_per_week',
  'called_now',
] as const;
export type ContactRefusal = (typeof CONTACT_REFUSALS)[number];

export interface ContactRules {
  readonly window: DiallingWindow;
  /** Of contacts and numbers that tell none; null: none. */
  readonly defaultTimeZone: string | null;
  readonly ringMs: number;
  readonly caps: NumberCaps;
  readonly requireConsent: boolean;
  /** See `neededVariables`. */
  readonly needed: readonly string[];
}

export interface CheckedContact {
  readonly phoneNumber: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly consentId: string | null;
  readonly variables: Readonly<Record<string, string>>;
  readonly suppressed: boolean;
  /** By another campaign or by a call of none, or it calls, at this moment. */
  readonly calling: boolean;
  readonly dialledAt: readonly Date[];
  /** The toll-fraud guard's word, null where it has none. */
  readonly destinationRefusal: string | null;
}

export interface ContactObjection {
  readonly reason: ContactRefusal;
  /** For people. */
  readonly detail: string;
}

export interface ContactCheck {
  /** Empty: it may be called in the period. */
  readonly refusals: readonly ContactObjection[];
  /** When it may be called for the first time, epoch ms; null where it may not be in the period. */
  readonly earliestMs: number | null;
  readonly zones: readonly string[];
  /** Null: it is not known where the number is. */
  readonly place: NumberPlace | null;
}

/** @param fromMs of the period in which it could be called, until before `untilMs` */
export function checkContact(
  contact: CheckedContact,
  rules: ContactRules,
  fromMs: number,
  untilMs: number,
): ContactCheck {
  const refusals: ContactObjection[] = [];
  const refuse = (reason: ContactRefusal, detail: string): void => void refusals.push({ reason, detail });
  if (contact.suppressed) refuse('suppressed', 'The number is on a do-not-call list');
  if (rules.requireConsent && contact.consentId === null) refuse('no_consent', 'The contact has no consent_id');
  const missing = missingVariables(rules.needed, contact);
  if (missing.length > 0) refuse('missing_variable', `No value for ${missing.map((one) => `{{${one}}}`).join(', ')}`);
  if (contact.destinationRefusal !== null) refuse('destination_not_allowed', contact.destinationRefusal);
  const capped = decideCaps(rules.caps, contact.dialledAt.map(Number), fromMs);
  const freeMs = capped.allowedAtMs ?? Infinity;
  if (freeMs >= untilMs) for (const reason of capped.refusals) refuse(reason, CAP_DETAILS[reason]);
  if (contact.calling) refuse('called_now', 'A call with the number is under way');
  const place = placeOf(contact, rules);
  if ('need' in place) {
    refuse('zone_unknown', `The contact needs a time_zone: ${NEEDS[place.need]}`);
    return { refusals, earliestMs: null, zones: [], place: null };
  }
  // What the caps alone forbid is not the window's doing too.
  const openFromMs = freeMs < untilMs ? Math.max(fromMs, freeMs) : fromMs;
  const opensMs = rules.window.nextOpen(place, openFromMs, rules.ringMs);
  if (opensMs === null || opensMs >= untilMs) refuse('outside_window', closedBecause(place, rules, fromMs, opensMs));
  return { refusals, earliestMs: refusals.length === 0 ? opensMs : null, zones: place.zones, place };
}

const CAP_DETAILS: Readonly<Record<CapRefusal, string>> = {
  cap_per_day: 'The number was called as often as caps.per_number_per_day allows',
  cap_per_week: 'The number was called as often as caps.per_number_per_week allows',
};

const NEEDS: Readonly<Record<ZoneNeed, string>> = {
  toll_free: 'the number is toll-free',
  premium: 'the number is of premium rate',
  shared_cost: 'the number is of shared cost',
  not_geographic: 'the number is of no place',
  mobile_without_geography: 'a mobile of this country may be in zones that are too far apart',
  unknown: 'the number is in no known plan',
};

const CLOSED: Readonly<Record<WindowRefusal, string>> = {
  zone_unknown: 'the time zone is not known',
  campaign_day: 'no day of the window',
  campaign_holiday: 'a holiday of the window',
  campaign_hours: 'not in the hours of the window',
  legal_day: 'no day on which the law allows it',
  legal_holiday: 'a holiday by law',
  legal_hours: 'not in the legal hours',
  ring_past_window: 'it would still ring after the end',
};

export function placeOf(
  { phoneNumber, timeZone }: Pick<CheckedContact, 'phoneNumber' | 'timeZone'>,
  { defaultTimeZone }: Pick<ContactRules, 'defaultTimeZone'>,
): NumberPlace | { readonly need: ZoneNeed } {
  const found = numberZones({ e164: phoneNumber, contactTimeZone: timeZone, defaultTimeZone });
  return found.known ? { zones: found.zones, region: found.region } : { need: found.need };
}

function closedBecause(
  place: NumberPlace,
  { window, ringMs }: ContactRules,
  atMs: number,
  opensMs: number | null,
): string {
  const { refusals } = window.decide(place, atMs, ringMs);
  const reasons = refusals.map((refusal) => CLOSED[refusal]).join(', ');
  const opens = opensMs === null ? 'not open within 30 days' : `open again at ${new Date(opensMs).toISOString()}`;
  return `${reasons === '' ? 'closed' : reasons} in ${place.zones.join(', ')}; ${opens}`;
}
