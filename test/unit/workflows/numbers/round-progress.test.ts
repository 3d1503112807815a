import fc from 'fast-check';
import type { VerificationRound } from '../../../../contract/number-verification';
import { RoundProgress } from '../../../../workflows/numbers/round-progress';

const round = (n: number): VerificationRound => ({
  numberId: 'number',
  orgId: 'org',
  n,
  method: 'outbound_code',
  trunkId: 'trunk',
  expiresAtMs: n * 1_000,
});

const word = fc.record({
  type: fc.constantFrom('begin', 'called', 'over', 'gone'),
  n: fc.integer({ min: 1, max: 5 }),
});

test('whatever order words come in, only those of the latest round count, and none is taken back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(word, { maxLength: 30 }), (first, words) => {
      const progress = new RoundProgress(round(first));
      for (const { type, n } of words) {
        const before = { n: progress.round.n, called: progress.called, over: progress.isOver(progress.round) };
        if (type === 'begin') progress.begin(round(n));
        else if (type === 'called') progress.onCalled(n);
        else progress.onOver(n, type === 'gone');
        const after = progress.round;
        expect(after.n).toBe(type === 'begin' ? Math.max(before.n, n) : before.n);
        const anew = after.n > before.n;
        expect(progress.called).toBe(!anew && (before.called || (type === 'called' && n === before.n)));
        const ends = (type === 'over' || type === 'gone') && n === before.n;
        expect(progress.isOver(after)).toBe(!anew && (before.over || ends));
        // Of a round that was followed by another one nothing is left to do, and its call is of no use.
        for (let earlier = 1; earlier < after.n; earlier += 1) {
          expect([progress.isOver(round(earlier)), progress.isGivenUp(round(earlier))]).toEqual([true, true]);
        }
      }
    }),
  );
});

test('a code call goes on when the number is verified by it, and not when the number is given up', () => {
  const verified = new RoundProgress(round(1));
  verified.onOver(1, false);
  verified.onOver(1, true);
  expect([verified.isOver(round(1)), verified.isGivenUp(round(1))]).toEqual([true, false]);
  expect(verified.isDecided(round(1))).toBe(true);
  const deleted = new RoundProgress(round(1));
  deleted.onOver(1, true);
  expect([deleted.isGivenUp(round(1)), deleted.isDecided(round(1))]).toEqual([true, false]);
  const anew = new RoundProgress(round(1));
  expect(anew.isDecided(round(1))).toBe(false);
  anew.onOver(1, false);
  anew.begin(round(2));
  expect([anew.isDecided(round(1)), anew.isDecided(round(2))]).toEqual([false, false]);
});
