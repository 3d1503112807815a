/** E.164 numbers as the API accepts them: whatever libphonenumber calls possible, normalised. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { numberFacts } from '../routing/number-facts';

export type PhoneNumberResult =
  { readonly ok: true; readonly e164: string } | { readonly ok: false; readonly reason: 'emergency' | 'invalid' };

/** A whole number no longer than this is a short code, with or without `+` and country code before it. */
const SHORT_CODE_MAX_DIGITS = 6;
/** Nor is a national number this short anybody's: 112, 911, 999 … behind a country code. */
const SHORT_NATIONAL_MAX_DIGITS = 3;

/** Satellite systems and other shared codes that no country answers for (ITU-T E.164 §6.2.2, 6.2.3). */
const SHARED_CALLING_CODES = new Set(['870', '878', '881', '882', '883', '888', '979']);

/**
 * Reads a number given by a user. Possible, not valid, is asked: numbering plans change faster than metadata, and
 * documentation numbers such as +1555… are in no plan. Short codes and emergency numbers are told apart so that
 * they can be refused by name.
 */
export function parsePhoneNumber(text: string): PhoneNumberResult {
  const trimmed = text.trim();
  if (!/^\+?[\d\s().\-/]+$/.test(trimmed)) return { ok: false, reason: 'invalid' };
  const digits = trimmed.replaceAll(/\D/g, '');
  if (digits.length === 0) return { ok: false, reason: 'invalid' };
  if (digits.length <= SHORT_CODE_MAX_DIGITS) return { ok: false, reason: 'emergency' };
  if (!trimmed.startsWith('+')) return { ok: false, reason: 'invalid' };
  const parsed = parsePhoneNumberFromString(`+${digits}`);
  if (parsed === undefined) return { ok: false, reason: 'invalid' };
  if (parsed.nationalNumber.length <= SHORT_NATIONAL_MAX_DIGITS) return { ok: false, reason: 'emergency' };
  if (!parsed.isPossible()) return { ok: false, reason: 'invalid' };
  return { ok: true, e164: parsed.number };
}

/**
 * National numbers that begin like this are billed as premium, or shared, whether or not the rest is in a plan: the type
 * is known of valid numbers only, and a carrier dials the others too.
 */
const PREMIUM_PREFIXES: Readonly<Record<string, RegExp>> = {
  '1': /^(?:900|\d{3}976)/,
  '31': /^90[069]/,
  '33': /^89/,
  '34': /^(?:80[367]|90[1257])/,
  '39': /^89/,
  '44': /^(?:9|87[123])/,
  '49': /^(?:900|137)/,
};

/** Premium rate, satellite and other numbers that cost whoever dials them far more than a call. */
export function isExpensive(e164: string): boolean {
  const facts = numberFacts(e164);
  if (facts === null) return true;
  if (PREMIUM_PREFIXES[facts.countryCallingCode]?.test(facts.nationalNumber) === true) return true;
  return (
    facts.type === 'PREMIUM_RATE' || facts.type === 'SHARED_COST' || SHARED_CALLING_CODES.has(facts.countryCallingCode)
  );
}
