/** What the numbering plans say of a number. Of the same few thousand numbers many things are asked, one right after the other. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { NumberType, PhoneNumber } from 'libphonenumber-js/max';

const MOST_KEPT = 2_000;

const kept = new Map<string, NumberFacts | null>();

export class NumberFacts {
  readonly #parsed: PhoneNumber;
  #type: { readonly of: NumberType | undefined } | null = null;

  constructor(parsed: PhoneNumber) {
    this.#parsed = parsed;
  }

  /** E.164. */
  get number(): string {
    return this.#parsed.number;
  }

  /** ISO code; undefined where the plan tells none. */
  get country(): string | undefined {
    return this.#parsed.country;
  }

  get countryCallingCode(): string {
    return this.#parsed.countryCallingCode;
  }

  get nationalNumber(): string {
    return this.#parsed.nationalNumber;
  }

  /** Of valid numbers only. */
  get type(): NumberType | undefined {
    this.#type ??= { of: this.#parsed.getType() };
    return this.#type.of;
  }
}

/** Null of what is no number. */
export function numberFacts(e164: string): NumberFacts | null {
  const known = kept.get(e164);
  if (known !== undefined) return known;
  const parsed = parsePhoneNumberFromString(e164);
  const facts = parsed === undefined ? null : new NumberFacts(parsed);
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(e164, facts);
  return facts;
}
