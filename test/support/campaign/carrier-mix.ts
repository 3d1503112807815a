/** How the people and machines behind a simulated carrier treat calls: by a seed, the same for the same number and call. */
import { createHash } from 'node:crypto';

import { seededRandom } from '../seeded-random';

export const CARRIER_OUTCOMES = [
  'answered',
  'voicemail',
  'busy',
  'no_answer',
  'declined',
  'blocked',
  'rejected',
  'congested',
] as const;
export type CarrierOutcome = (typeof CARRIER_OUTCOMES)[number];

/** Relative weights; what is not named does not happen. */
export type CarrierMix = Readonly<Partial<Record<CarrierOutcome, number>>>;

export interface CarrierTreatment {
  readonly outcome: CarrierOutcome;
  /** 180 first, this long; without an answer: until a CANCEL. */
  readonly ringMs: number;
  /** Then whoever has answered hangs up. */
  readonly talkMs: number;
}

export interface CarrierRules {
  readonly seed: number;
  readonly mix: CarrierMix;
  /** Both ends included. */
  readonly ringMs: readonly [number, number];
  readonly talkMs: readonly [number, number];
}

/** Of the n-th call (from 1) to a number. */
export function treatmentOf({ seed, mix, ringMs, talkMs }: CarrierRules, number: string, n: number): CarrierTreatment {
  const random = seededRandom(createHash('sha256').update(`${seed} ${number} ${n}`).digest().readInt32LE(0));
  const within = ([low, high]: readonly [number, number]): number => low + Math.floor(random() * (high - low + 1));
  const named = CARRIER_OUTCOMES.filter((outcome) => (mix[outcome] ?? 0) > 0);
  const total = named.reduce((sum, outcome) => sum + (mix[outcome] ?? 0), 0);
  let left = random() * total;
  const outcome = named.find((one) => (left -= mix[one] ?? 0) < 0) ?? named.at(-1);
  if (outcome === undefined) throw new Error('a mix without an outcome');
  return { outcome, ringMs: within(ringMs), talkMs: within(talkMs) };
}
