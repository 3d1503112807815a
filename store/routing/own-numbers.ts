import type { DialedNumber, OwnNumber } from '../../contract/inbound-routing';
import {
  asWritten,
  callingCodeOf,
  endingOf,
  nationalNumber,
  readForeign,
  readUserPart,
  withoutPrefix,
} from './dialed-number';
import type { UserPart } from './dialed-number';

type Known = { -readonly [Field in keyof OwnNumber]: OwnNumber[Field] } & { readonly callingCode: string | null };
type Meant = Pick<DialedNumber, 'own' | 'spelling' | 'ambiguous'>;

const NOT_OURS: Meant = { own: null, spelling: null, ambiguous: false };

/**
 * The numbers of one organisation, verified or on its trunk, found by whatever way a carrier writes them. All spellings
 * of a number end in the same digits: only numbers with that ending are compared, however many there are.
 */
export class OwnNumbers {
  readonly #numbers = new Map<string, Known>();
  readonly #byEnding = new Map<string, Set<Known>>();
  readonly #countByCallingCode = new Map<string, number>();

  /** Its agent, or null. */
  verify(phoneNumber: string, agentId: string | null): void {
    const known = this.#add(phoneNumber);
    known.verified = true;
    known.agentId = agentId;
  }

  unverify(phoneNumber: string): void {
    const known = this.#numbers.get(phoneNumber);
    if (known === undefined) return;
    known.verified = false;
    known.agentId = null;
    this.#drop(known);
  }

  putOnTrunk(phoneNumbers: readonly string[]): void {
    for (const phoneNumber of phoneNumbers) this.#add(phoneNumber).onTrunk = true;
  }

  takeOffTrunk(phoneNumbers: readonly string[]): void {
    for (const phoneNumber of phoneNumbers) {
      const known = this.#numbers.get(phoneNumber);
      if (known === undefined) continue;
      known.onTrunk = false;
      this.#drop(known);
    }
  }

  /** Null when the user part has nothing to look for. */
  dialed(userPart: string): DialedNumber | null {
    const user = readUserPart(userPart);
    if (user === null) return null;
    const meant = this.#meant(user);
    return { ...meant, recorded: meant.own?.phoneNumber ?? readForeign(user, this.#home()) };
  }

  /** The number of whoever called `dialedNumber`, for the record. */
  caller(userPart: string, dialedNumber: string): string {
    const user = readUserPart(userPart);
    if (user === null) return userPart;
    const home = this.#numbers.get(dialedNumber)?.callingCode ?? this.#home();
    return readForeign(user, home);
  }

  /** What is written out decides before what could be meant. */
  #meant(user: UserPart): Meant {
    const { number } = user;
    if (number === null) return NOT_OURS;
    const exact = (e164: string | undefined): Known | undefined =>
      e164 === undefined ? e164 : this.#numbers.get(e164);
    const found = (own: OwnNumber, spelling: Meant['spelling']): Meant => ({ own, spelling, ambiguous: false });
    if (number.startsWith('+')) {
      const own = exact(number) ?? (this.#endingLike(number).size === 0 ? undefined : exact(asWritten(number)));
      return own === undefined ? NOT_OURS : found(own, null);
    }
    const whole = exact(`+${number}`);
    if (whole !== undefined) return found(whole, 'without_plus');
    for (const e164 of withoutPrefix(number)) {
      const own = exact(e164);
      if (own !== undefined) return found(own, 'international_prefix');
    }
    return this.#national(number, user.context);
  }

  /** A national number of two of our countries is the one of its context, else none: a guess would reach strangers. */
  #national(number: string, context: string | null): Meant {
    const readings = new Map<string, string | undefined>();
    const matches = [...this.#endingLike(number)].filter(({ phoneNumber, callingCode }) => {
      if (callingCode === null) return false;
      if (!readings.has(callingCode)) readings.set(callingCode, nationalNumber(number, callingCode));
      return readings.get(callingCode) === phoneNumber;
    });
    const own = matches.length > 1 ? matches.find(({ callingCode }) => callingCode === context) : matches[0];
    if (own !== undefined) return { own, spelling: 'national', ambiguous: false };
    return matches.length > 1 ? { ...NOT_OURS, ambiguous: true } : NOT_OURS;
  }

  #endingLike(number: string): ReadonlySet<Known> {
    return this.#byEnding.get(endingOf(number)) ?? new Set();
  }

  /** The calling code that all numbers share. */
  #home(): string | null {
    const [only, another] = this.#countByCallingCode.keys();
    return another === undefined ? (only ?? null) : null;
  }

  #add(phoneNumber: string): Known {
    const before = this.#numbers.get(phoneNumber);
    if (before !== undefined) return before;
    const callingCode = callingCodeOf(phoneNumber);
    const known: Known = { phoneNumber, callingCode, verified: false, agentId: null, onTrunk: false };
    this.#numbers.set(phoneNumber, known);
    const ending = endingOf(phoneNumber);
    const alike = this.#byEnding.get(ending);
    if (alike === undefined) this.#byEnding.set(ending, new Set([known]));
    else alike.add(known);
    if (callingCode !== null) {
      this.#countByCallingCode.set(callingCode, (this.#countByCallingCode.get(callingCode) ?? 0) + 1);
    }
    return known;
  }

  #drop(known: Known): void {
    const { phoneNumber, callingCode } = known;
    if (known.verified || known.onTrunk || !this.#numbers.delete(phoneNumber)) return;
    const ending = endingOf(phoneNumber);
    const alike = this.#byEnding.get(ending);
    alike?.delete(known);
    if (alike?.size === 0) this.#byEnding.delete(ending);
    if (callingCode === null) return;
    const left = (this.#countByCallingCode.get(callingCode) ?? 0) - 1;
    if (left > 0) this.#countByCallingCode.set(callingCode, left);
    else this.#countByCallingCode.delete(callingCode);
  }
}
