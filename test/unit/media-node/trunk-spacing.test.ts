import fc from 'fast-check';
import { TrunkSpacing } from '../../../media-node/trunk-spacing';
import { FakeClock } from '../../fakes/fake-clock';

const slept = (clock: FakeClock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimeout(resolve, ms));

interface Left {
  readonly n: number;
  readonly trunk: string;
  readonly askedMs: number;
  readonly leftMs: number;
  readonly waitedMs: number;
}

/** A clock by which sleepers wake late, as those of a busy process do. */
function setUp() {
  const clock = new FakeClock();
  const left: Left[] = [];
  const state = { lateMs: 0, askMs: 0, refusal: null as string | null, over: new Set<number>() };
  const spacing = new TrunkSpacing({ nowMs: () => clock.now(), sleep: (ms) => slept(clock, ms + state.lateMs) });
  let n = 0;
  const depart = (spacingMs: number, trunk = 'a'): Promise<string | null> => {
    const [own, askedMs, { askMs, refusal }] = [n++, clock.now(), { ...state }];
    let waited = 0;
    const answer = spacing.depart(trunk, spacingMs, {
      isOver: () => state.over.has(own),
      refusal: async (waitedMs) => {
        waited = waitedMs;
        if (askMs > 0) await slept(clock, askMs);
        return refusal;
      },
    });
    return answer.then((refused) => {
      if (refused === null && !state.over.has(own))
        left.push({ n: own, trunk, askedMs, leftMs: clock.now(), waitedMs: waited });
      return refused;
    });
  };
  return { clock, left, state, spacing, depart };
}

test('INVITEs that come too close are kept apart, in their order, each trunk by itself; what comes in time does not wait', async () => {
  const call = fc.record({
    trunk: fc.constantFrom('a', 'b'),
    afterMs: fc.nat({ max: 1_500 }),
    lateMs: fc.nat({ max: 300 }),
    askMs: fc.constantFrom(0, 0, 5, 400),
    refusal: fc.constantFrom(null, null, 'unwanted'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 12 }), async (calls) => {
      const { clock, left, state, depart } = setUp();
      for (const { trunk, afterMs, lateMs, askMs, refusal } of calls) {
        await clock.advance(afterMs);
        Object.assign(state, { lateMs, askMs, refusal });
        void depart(1_000, trunk);
      }
      await clock.advance(60_000);
      expect(left).toHaveLength(calls.filter(({ refusal }) => refusal === null).length);
      for (const trunk of ['a', 'b']) {
        const own = left.filter((one) => one.trunk === trunk);
        expect(own.map(({ n }) => n)).toEqual(own.map(({ n }) => n).toSorted((a, b) => a - b));
        // What is 10 ms late is taken for in time.
        own.slice(1).forEach(({ leftMs }, n) => expect(leftMs - own[n]!.leftMs).toBeGreaterThanOrEqual(970));
      }
    }),
  );
});

test('one that was late is made up for little by little', async () => {
  const { clock, left, depart } = setUp();
  await clock.advance(50);
  void depart(1_000);
  for (let n = 1; n <= 4; n++) {
    await clock.advance(n * 1_000 - clock.now());
    void depart(1_000);
  }
  await clock.advance(2_000);
  expect(left.map(({ leftMs }) => leftMs - left[0]!.leftMs)).toEqual([0, 980, 1_960, 2_950, 3_950]);
});

test.each([1, 10, 40, 50])(
  'at %i a second a second of lateness is made up for, by timers that are late',
  async (perSecond) => {
    const { clock, left, state, depart } = setUp();
    Object.assign(state, { lateMs: 4, askMs: 3 });
    const spacingMs = 1_000 / perSecond;
    const calls = 60 * perSecond;
    // Those of the first second come at its end.
    await clock.advance(1_000);
    for (let n = 0; n < calls; n++) {
      await clock.advance(Math.max(0, n * spacingMs - clock.now()));
      void depart(spacingMs);
    }
    await clock.advance(10_000);
    expect(left).toHaveLength(calls);
    const { askedMs, leftMs } = left.at(-1)!;
    expect(leftMs - askedMs).toBeLessThanOrEqual(30);
  },
);

test('what it is asked before it leaves does not bring it nearer to the next one, and who is refused takes no turn', async () => {
  const { clock, left, state, depart } = setUp();
  void depart(1_000);
  await clock.advance(700);
  state.askMs = 300;
  void depart(1_000);
  state.askMs = 0;
  state.refusal = 'paused';
  const refused = depart(1_000);
  state.refusal = null;
  void depart(1_000);
  await clock.advance(5_000);
  expect(await refused).toBe('paused');
  expect(left.map(({ leftMs }) => leftMs)).toEqual([0, 1_260, 2_230]);
  expect(left.map(({ waitedMs }) => waitedMs)).toEqual([0, 260, 1_510]);
});

test('who was given up while he waited takes no turn, however many there are', async () => {
  const { clock, left, state, depart } = setUp();
  for (let n = 0; n < 100; n++) void depart(1_000);
  await clock.advance(10);
  for (let n = 1; n < 99; n++) state.over.add(n);
  for (let ms = 0; ms < 2_500; ms += 1) await clock.advance(1);
  expect(left.map(({ n, leftMs }) => [n, leftMs])).toEqual([
    [0, 0],
    [99, 980],
  ]);
});

test('a question that fails keeps nobody back', async () => {
  const { clock, left, spacing, depart } = setUp();
  const failed = spacing.depart('a', 1_000, {
    isOver: () => false,
    refusal: () => Promise.reject(new Error('away')),
  });
  void depart(1_000);
  await expect(failed).rejects.toThrow('away');
  await clock.advance(0);
  expect(left).toHaveLength(1);
});

test('a trunk at rest is forgotten, one that has just sent or is about to is not', async () => {
  const { clock, left, spacing, depart } = setUp();
  await depart(1_000);
  await clock.advance(500);
  spacing.forget();
  void depart(1_000);
  await clock.advance(100);
  spacing.forget();
  expect(left).toHaveLength(1);
  await clock.advance(380);
  expect(left).toHaveLength(2);
  await clock.advance(1_001);
  spacing.forget();
  void depart(10_000);
  await clock.advance(0);
  expect(left).toHaveLength(3);
});
