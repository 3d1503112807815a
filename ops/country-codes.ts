import { getCountries } from 'libphonenumber-js/max';
import { commaList } from './env';

/** ISO codes between commas, of the countries that may be called. Of API and worker alike. */
export const countryCodes = commaList.transform((codes, context) => {
  const upper = codes.map((code) => code.toUpperCase());
  const unknown = upper.filter((code) => !getCountries().includes(code as never));
  if (unknown.length > 0) {
    context.addIssue({ code: 'custom', message: `not ISO country codes: ${unknown.join(', ')}` });
  }
  return upper;
});
