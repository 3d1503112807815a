import fc from 'fast-check';
import { TrunkSpacing } from '../../../media-node/trunk-spacing';
import { FakeClock } from '../../fakes/fake-clock';

const slept = (clock: FakeClock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimeout(resolve, ms));

test('INVITEs that come too close are kept apart, in their order, each trunk by itself; what comes in time does not wait', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ trunk: fc.constantFrom('a', 'b'), afterMs: fc.nat({ max: 1_500 }), late: fc.nat({ max: 300 }) }),
        {
          maxLength: 12,
        },
      ),
      async (calls) => {
        const clock = new FakeClock();
        // Wakes late, as a busy process does.
        let lateMs = 0;
        const spacing = new TrunkSpacing({
          nowMs: () => clock.now(),
          sleep: (ms) => slept(clock, ms + lateMs),
        });
        const left: { trunk: string; n: number; askedMs: number; leftMs: number }[] = [];
        for (const [n, { trunk, afterMs, late }] of calls.entries()) {
          await clock.advance(afterMs);
          lateMs = late;
          const askedMs = clock.now();
          void spacing.depart(trunk, 1_000).then(() => left.push({ trunk, n, askedMs, leftMs: clock.now() }));
        }
        await clock.advance(60_000);
        expect(left).toHaveLength(calls.length);
        for (const trunk of ['a', 'b']) {
          const own = left.filter((one) => one.trunk === trunk);
          expect(own.map(({ n }) => n)).toEqual(own.map(({ n }) => n).toSorted((a, b) => a - b));
          own.slice(1).forEach(({ askedMs, leftMs }, n) => {
            expect(leftMs - own[n]!.leftMs).toBeGreaterThanOrEqual(980);
            if (askedMs - own[n]!.leftMs >= 980) expect(leftMs).toBe(askedMs);
          });
        }
      },
    ),
  );
});

test('one that was late is made up for little by little', async () => {
  const clock = new FakeClock();
  const spacing = new TrunkSpacing({ nowMs: () => clock.now(), sleep: (ms) => slept(clock, ms) });
  const left: number[] = [];
  const depart = (): void => void spacing.depart('a', 1_000).then(() => left.push(clock.now()));
  await clock.advance(50);
  depart();
  for (let n = 0; n < 4; n++) {
    await clock.advance(n === 0 ? 950 : 1_000);
    depart();
  }
  await clock.advance(2_000);
  expect(left.map((ms) => ms - left[0]!)).toEqual([0, 980, 1_960, 2_950, 3_950]);
});

test('a trunk at rest is forgotten, one that has just sent or is about to is not', async () => {
  const clock = new FakeClock();
  const spacing = new TrunkSpacing({ nowMs: () => clock.now(), sleep: (ms) => slept(clock, ms) });
  await spacing.depart('a', 1_000);
  await clock.advance(500);
  spacing.forget();
  let left = false;
  void spacing.depart('a', 1_000).then(() => (left = true));
  await clock.advance(100);
  spacing.forget();
  expect(left).toBe(false);
  await clock.advance(380);
  expect(left).toBe(true);
  await clock.advance(1_001);
  spacing.forget();
  void spacing.depart('a', 10_000).then(() => (left = false));
  await clock.advance(0);
  expect(left).toBe(false);
});
