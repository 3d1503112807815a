/** Whom a phone system may send our calls to within itself: the user part that it names. */
import type { ReferRefusal } from '../../contract/directory';
import { readUserPart, withoutPrefix } from './dialed-number';
import { isExpensive, parsePhoneNumber } from '../dialling/phone-number';

/**
 * As they are dialled, without and with the digit for an outside line. Of numbers this short most are extensions, so here it
 * takes a list: ITU-T E.161.1's two, and those of the countries where a short number is no likely extension.
 */
const EMERGENCY_NUMBERS: ReadonlySet<string> = new Set(
  ['112', '911', '999', '000', '110', '118', '119', '933', '988', '995', '997', '998', '1122', '116117'].flatMap(
    (number) => [number, `0${number}`, `9${number}`],
  ),
);
const NORTH_AMERICAN = /^1\d{10}$/;

/** Null where it may: an extension, a name, or a number that dials may go to. */
export function refuseReferredUser(user: string): ReferRefusal | null {
  const read = readUserPart(user);
  if (read === null) return 'not_a_target';
  if (EMERGENCY_NUMBERS.has(read.text.replace(/^\+/, ''))) return 'emergency_number';
  const written = read.number ?? read.text;
  if (!/^\+?\d+$/.test(written)) return null;
  for (const number of international(written)) {
    const parsed = parsePhoneNumber(number);
    if (!parsed.ok && parsed.reason === 'emergency') return 'emergency_number';
    if (parsed.ok && isExpensive(parsed.e164)) return 'destination_not_allowed';
  }
  return null;
}

/** In every way in which it may be one of another country; what is national there the phone system knows better. */
function international(number: string): readonly string[] {
  if (number.startsWith('+')) return [number];
  return NORTH_AMERICAN.test(number) ? [`+${number}`] : withoutPrefix(number);
}
