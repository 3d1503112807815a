/** How a trunk wants numbers in its INVITEs. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { PhoneNumber } from 'libphonenumber-js/max';
import type { OutboundTrunkProfile } from '../../contract/directory';

/** Where none is known of the country: ITU-T E.123's, and the most common. */
const INTERNATIONAL_PREFIX = '00';
/** North America's numbers are alike in all of its countries, and dialled with this from none of them. */
const NORTH_AMERICA = '1';
const NORTH_AMERICAN_PREFIX = '011';

type Format = Pick<OutboundTrunkProfile, 'numberFormat' | 'numberPrefix' | 'callerNumber'>;

/** User part of Request-URI and To. What is not E.164 stays as it is. */
export function calledUser(number: string, { numberFormat = 'e164', numberPrefix = '', callerNumber }: Format): string {
  switch (numberFormat) {
    case 'e164':
      return number;
    case 'e164_no_plus':
      return withoutPlus(number);
    case 'prefix':
      return `${numberPrefix}${withoutPlus(number)}`;
    case 'national':
      return nationalForm(number, callerNumber) ?? abroad(number, callerNumber);
  }
}

/** User part of From: in the same form, but nobody is called by it, so it has no prefix in front. */
export function callerUser(number: string, { numberFormat = 'e164', callerNumber }: Format): string {
  if (numberFormat === 'e164') return number;
  return (numberFormat === 'national' ? nationalForm(number, callerNumber) : withoutPlus(number)) ?? number;
}

const withoutPlus = (number: string): string => number.replace(/^\+/, '');
const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

/** With the trunk prefix of the country, where it has one; null for a number of elsewhere. */
function nationalForm(number: string, home: string): string | null {
  const [parsed, own] = [parsePhoneNumberFromString(number), parsePhoneNumberFromString(home)];
  if (parsed === undefined || parsed.countryCallingCode !== own?.countryCallingCode) return null;
  const digits = digitsOf(parsed.formatNational());
  return digits === '' ? null : digits;
}

function abroad(number: string, home: string): string {
  const own = parsePhoneNumberFromString(home);
  return own === undefined ? number : `${internationalPrefix(own)}${withoutPlus(number)}`;
}

function internationalPrefix({ country, countryCallingCode }: PhoneNumber): string {
  if (countryCallingCode === NORTH_AMERICA) return NORTH_AMERICAN_PREFIX;
  if (country === undefined) return INTERNATIONAL_PREFIX;
  // As a number of North America is dialled from there: `00 1 202 555 0100`.
  const dialled = parsePhoneNumberFromString('+12025550100')?.format('IDD', { fromCountry: country });
  const prefix = /^([\d~ ]+?) ?1 ?202/.exec(dialled ?? '')?.[1];
  return prefix === undefined ? INTERNATIONAL_PREFIX : digitsOf(prefix);
}
