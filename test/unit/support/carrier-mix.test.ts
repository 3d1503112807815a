import { treatmentOf } from '../../support/campaign/carrier-mix';
import type { CarrierOutcome, CarrierRules } from '../../support/campaign/carrier-mix';

const RULES: CarrierRules = { seed: 7, mix: { answered: 3, busy: 1 }, ringMs: [20, 60], talkMs: [1_000, 1_200] };
const NUMBERS = Array.from({ length: 2_000 }, (_, n) => `+1555${String(n).padStart(7, '0')}`);

const outcomes = (rules: CarrierRules, n = 1): CarrierOutcome[] =>
  NUMBERS.map((number) => treatmentOf(rules, number, n).outcome);

it('treats the same call to a number alike, and another one, or by another seed, otherwise', () => {
  expect(outcomes(RULES)).toEqual(outcomes(RULES));
  expect(outcomes(RULES)).not.toEqual(outcomes({ ...RULES, seed: 8 }));
  expect(outcomes(RULES)).not.toEqual(outcomes(RULES, 2));
});

it('has the shares that were asked for, and nothing else', () => {
  const answered = outcomes(RULES).filter((one) => one === 'answered').length;
  expect(answered / NUMBERS.length).toBeCloseTo(0.75, 1);
  expect(new Set(outcomes(RULES))).toEqual(new Set(['answered', 'busy']));
});

it('rings and talks within the bounds, both of which occur', () => {
  const all = NUMBERS.map((number) => treatmentOf({ ...RULES, ringMs: [20, 22] }, number, 1).ringMs);
  expect(new Set(all)).toEqual(new Set([20, 21, 22]));
});
