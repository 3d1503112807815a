/** A row of a list of contacts as somebody wrote it, and the contact that it stands for, or why it stands for none. */
import { parsePhoneNumber } from '../dialling/phone-number';
import { missingVariables } from './text-variables';
import { isTimeZone } from './zone-clock';

export interface GivenContact {
  readonly phoneNumber: string;
  readonly name: string;
  readonly timeZone: string;
  readonly consentId: string;
  readonly priority: string;
  /** Without empty values. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface ReadContact {
  /** E.164. */
  readonly phoneNumber: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly consentId: string | null;
  readonly priority: number;
  readonly variables: Readonly<Record<string, string>>;
}

export type ContactReading =
  { readonly ok: true; readonly contact: ReadContact } | { readonly ok: false; readonly reason: string };

const MAX_CONTACT_PRIORITY = 1000;
const MAX_NAME_CHARS = 255;
const MAX_VARIABLE_CHARS = 2000;
const MAX_VARIABLES_CHARS = 16_000;
const MAX_NUMBER_CHARS = 40;
/** What is no UTF-8 was read as this. */
const REPLACEMENT = '\u{FFFD}';

/** @param needed variables that the texts of the campaign use and only a contact can fill */
export function readContact(given: GivenContact, needed: readonly string[]): ContactReading {
  const phoneNumber = numberOf(given.phoneNumber);
  if (typeof phoneNumber !== 'string') return refused(phoneNumber.reason);
  const { name, timeZone, consentId, variables } = given;
  if (name.length > MAX_NAME_CHARS) return refused(`name: longer than ${MAX_NAME_CHARS} characters`);
  if (consentId.length > MAX_NAME_CHARS) return refused(`consent_id: longer than ${MAX_NAME_CHARS} characters`);
  if (timeZone !== '' && !isKnownZone(timeZone)) return refused('time_zone: no IANA time zone, such as Europe/Berlin');
  const priority = given.priority === '' ? 0 : Number(given.priority);
  if (!Number.isInteger(priority) || Math.abs(priority) > MAX_CONTACT_PRIORITY) {
    return refused(`priority: no whole number from -${MAX_CONTACT_PRIORITY} to ${MAX_CONTACT_PRIORITY}`);
  }
  const unfit = unfitVariables(variables) ?? unstorable({ name, consentId, ...variables });
  if (unfit !== null) return refused(unfit);
  const contact = { phoneNumber, name: orNull(name), timeZone: orNull(timeZone), consentId: orNull(consentId) };
  const missing = missingVariables(needed, { name: contact.name, variables });
  if (missing.length > 0) return refused(`no value for ${missing.map((one) => `{{${one}}}`).join(', ')}`);
  return { ok: true, contact: { ...contact, priority, variables } };
}

const refused = (reason: string): ContactReading => ({ ok: false, reason });
const orNull = (text: string): string | null => (text === '' ? null : text);

/** E.164, or why it is none. */
export function numberOf(text: string): string | { readonly reason: string } {
  if (text === '') return { reason: 'phone_number: empty' };
  if (text.length > MAX_NUMBER_CHARS) return { reason: 'phone_number: too long' };
  const parsed = parsePhoneNumber(text);
  if (parsed.ok) return parsed.e164;
  return {
    reason:
      parsed.reason === 'emergency'
        ? 'phone_number: an emergency number or a short code'
        : 'phone_number: not in E.164 format, such as +15551234567',
  };
}

function unfitVariables(variables: Readonly<Record<string, string>>): string | null {
  let chars = 0;
  for (const [name, value] of Object.entries(variables)) {
    if (value.length > MAX_VARIABLE_CHARS) return `${name}: longer than ${MAX_VARIABLE_CHARS} characters`;
    chars += name.length + value.length;
  }
  return chars > MAX_VARIABLES_CHARS ? `variables: longer than ${MAX_VARIABLES_CHARS} characters in all` : null;
}

function unstorable(texts: Readonly<Record<string, string>>): string | null {
  for (const [name, text] of Object.entries(texts)) {
    if (text.includes('\0')) return `${name}: contains U+0000`;
    if (text.includes(REPLACEMENT)) return `${name}: not in UTF-8`;
  }
  return null;
}

/** Of a million rows most name one of a few. */
const zones = new Map<string, boolean>();
const MOST_ZONES = 1000;

function isKnownZone(zone: string): boolean {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const found = zone.length <= MAX_NAME_CHARS && isTimeZone(zone);
  if (zones.size < MOST_ZONES) zones.set(zone, found);
  return found;
}
