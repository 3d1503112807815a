/** The one place where numbers of SIP URIs are read: in E.164, without its plus sign, with a prefix, in national form. */
import { getCountries, getCountryCallingCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Visual separators a PBX may leave in. RFC 3966 §5.1.1 */
const SEPARATORS = /[\s().-]/g;
const MAX_USER_CHARS = 128;
/** Whatever is shorter is an extension or a short code and stays as it is. */
const MIN_NUMBER_DIGITS = 7;
const NUMBER = new RegExp(`^\\+?\\d{${MIN_NUMBER_DIGITS},20}$`);
const SHORT_NUMBER = /^\+?\d{3,}$/;
/** `sip:2079460000;phone-context=+44@…`: in which numbering plan the number is national. RFC 3966 §5.1.5 */
const PHONE_CONTEXT = /;phone-context=\+(\d{1,15})(?:;|$)/i;

/** What is dialled before a country code: anywhere, from North America, Australia, Japan and Korea, Russia. */
const INTERNATIONAL_PREFIXES = ['00', '011', '0011', '010', '810'] as const;
/** Where an unknown number has another one than 00. */
const PREFIX_OF: Readonly<Record<string, string>> = { '1': '011', '7': '810', '61': '0011', '81': '010' };

/** Calling codes are prefix-free. Those of no country: ITU-T E.164 §6.2.2, 6.2.3. */
const CALLING_CODES: ReadonlySet<string> = new Set(
  getCountries()
    .map((country): string => getCountryCallingCode(country))
    .concat('800', '808', '870', '878', '881', '882', '883', '888', '979'),
);

export interface UserPart {
  /** What to record where nothing better is known. */
  readonly text: string;
  /** Digits, and the plus sign if it had one; null for names, extensions and short codes. */
  readonly number: string | null;
  /** Calling code of its `phone-context`. */
  readonly context: string | null;
}

/** Null when there is nothing to read. */
export function readUserPart(userPart: string): UserPart | null {
  // Parameters of the user part are no part of the number. RFC 3261 §19.1.6
  const text = (userPart.split(';', 1)[0] ?? '').trim();
  if (text === '' || text.length > MAX_USER_CHARS || hasControlCharacter(text)) return null;
  const digits = text.replace(SEPARATORS, '');
  if (!NUMBER.test(digits)) return { text: SHORT_NUMBER.test(digits) ? digits : text, number: null, context: null };
  const context = PHONE_CONTEXT.exec(userPart)?.[1];
  return { text: digits, number: digits, context: context === undefined ? null : callingCodeOf(`+${context}`) };
}

/** The last digits, which every spelling of a number keeps. */
export function endingOf(number: string): string {
  return number.slice(-MIN_NUMBER_DIGITS);
}

export function callingCodeOf(e164: string): string | null {
  for (let length = 1; length <= 3; length += 1) {
    const code = e164.slice(1, 1 + length);
    if (CALLING_CODES.has(code)) return code;
  }
  return null;
}

/** The number in E.164 for each international prefix it may begin with. */
export function withoutPrefix(number: string): string[] {
  return INTERNATIONAL_PREFIXES.filter((prefix) => number.startsWith(prefix)).map(
    (prefix) => `+${number.slice(prefix.length)}`,
  );
}

/** In E.164, as its own numbering plan writes it: also `+44 (0)20 …`. */
export function asWritten(number: string): string | undefined {
  return parsePhoneNumberFromString(number)?.number;
}

/** In E.164, as it is read by whoever is in the numbering plan of that calling code. */
export function nationalNumber(number: string, callingCode: string): string | undefined {
  return parsePhoneNumberFromString(number, { defaultCallingCode: callingCode, extract: false })?.number;
}

/**
 * A number that is not ours, in E.164 where there is no doubt. `home` is the calling code of whom it was dialled to:
 * without a plus sign a number is national there, or it has its country code; the numbering plans tell which.
 */
export function readForeign({ number, text, context }: UserPart, home: string | null): string {
  if (number === null) return text;
  if (number.startsWith('+')) return asWritten(number) ?? number;
  const plan = context ?? home;
  for (const prefix of ['00', PREFIX_OF[plan ?? '']]) {
    if (prefix === undefined || !number.startsWith(prefix)) continue;
    const international = parsePhoneNumberFromString(`+${number.slice(prefix.length)}`);
    if (international?.isPossible() === true) return international.number;
  }
  if (plan === null) return number;
  const national = parsePhoneNumberFromString(number, { defaultCallingCode: plan, extract: false });
  const whole = parsePhoneNumberFromString(`+${number}`);
  const possible = [national, whole].filter((reading) => reading?.isPossible() === true);
  // With seven digits more extensions than numbers are possible.
  const likely = number.length > MIN_NUMBER_DIGITS ? possible[0] : undefined;
  // Documentation numbers such as +1555… are in no plan; of the others, one is in the plan that it belongs to.
  const valid =
    possible.length > 1 || likely === undefined ? possible.find((reading) => reading?.isValid()) : undefined;
  return (valid ?? likely)?.number ?? number;
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
