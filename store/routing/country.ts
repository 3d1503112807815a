import { getCountries, getCountryCallingCode } from 'libphonenumber-js/max';
import { numberFacts } from './number-facts';

/** ISO code of the number's country; an undecidable number belongs to its calling code's main country (+1 → US). */
export function countryOf(e164: string): string | null {
  const facts = numberFacts(e164);
  if (facts === null) return null;
  return facts.country ?? mainCountry(facts.countryCallingCode);
}

/** Countries that share a calling code and whose alphabetical first is not the main one. */
const MAIN_COUNTRIES: Readonly<Record<string, string>> = {
  '1': 'US',
  '7': 'RU',
  '39': 'IT',
  '44': 'GB',
  '47': 'NO',
  '61': 'AU',
  '212': 'MA',
  '262': 'RE',
  '290': 'SH',
  '358': 'FI',
  '590': 'GP',
  '599': 'CW',
};

function mainCountry(callingCode: string): string | null {
  const main = MAIN_COUNTRIES[callingCode];
  if (main !== undefined) return main;
  return getCountries().find((country) => getCountryCallingCode(country) === callingCode) ?? null;
}
