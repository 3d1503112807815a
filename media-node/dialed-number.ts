import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** Visual separators a PBX may leave in. RFC 3966 §5.1.1 */
const SEPARATORS = /[\s().-]/g;
const MAX_USER_CHARS = 128;

/**
 * E.164 where the user part of a SIP URI can be read as such, else the user part itself; null when there is nothing to
 * read. `00` is taken for the international prefix; a bare national number stays as it is.
 */
export function readDialedNumber(userPart: string): string | null {
  // Parameters of the user part (`;phone-context=…`) are no part of the number. RFC 3261 §19.1.6
  const user = (userPart.split(';', 1)[0] ?? '').trim();
  if (user === '' || user.length > MAX_USER_CHARS || hasControlCharacter(user)) return null;
  const digits = user.replace(SEPARATORS, '');
  if (!/^\+?\d{3,20}$/.test(digits)) return user;
  const international = digits.startsWith('00') ? `+${digits.slice(2)}` : digits;
  if (!international.startsWith('+')) return international;
  return parsePhoneNumberFromString(international)?.number ?? international;
}

/**
 * Is `dialed` this number of ours? Many PBXs leave out the plus sign, some the country code too: then the digits decide,
 * all of them, or at least seven from the right when it is a national number.
 */
export function sameNumber(own: string, dialed: string): boolean {
  if (own === dialed) return true;
  if (dialed.startsWith('+') || !/^\d+$/.test(dialed)) return false;
  const digits = own.replace(/^\+/, '');
  if (digits === dialed) return true;
  // Parsing is dear, and this is asked for every number of an organisation.
  if (!digits.endsWith(dialed.replace(/^0+/, ''))) return false;
  const national = parsePhoneNumberFromString(own)?.nationalNumber;
  return national !== undefined && national.length >= 7 && dialed.replace(/^0+/, '') === national;
}

function hasControlCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
