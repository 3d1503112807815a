/**
 * The code of a verification follows from the server's key and the round, as a one-time password follows from its counter
 * (RFC 4226 §5.3): whoever speaks or compares it computes it, and no table, history or message holds it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { NumberRound } from '../contract/number-verification';
import type { SecretBox } from './secrets';

const CODES = 1_000_000n;
const DIGITS = 6;

type DerivingKeys = Pick<SecretBox, 'derive'>;

/** Six digits. */
export function numberCode(secrets: DerivingKeys, { numberId, n }: NumberRound): string {
  const mac = createHmac('sha256', secrets.derive('number-codes')).update(`${numberId}\u0000${n}`, 'utf8').digest();
  // Of 2^64 values each code has as many as any other, but for one in 10^13.
  return String(mac.readBigUInt64BE() % CODES).padStart(DIGITS, '0');
}

/** In constant time. */
export function isNumberCode(secrets: DerivingKeys, round: NumberRound, given: string): boolean {
  const expected = Buffer.from(numberCode(secrets, round), 'utf8');
  const actual = Buffer.from(given, 'utf8');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
