import fc from 'fast-check';

import { CallPace } from '../../../../media/call/call-pace';

describe('the pace of a trunk', () => {
  it('gives turns a second apart to a trunk of one call a second, in order', () => {
    let nowMs = 5;
    const pace = new CallPace({ now: () => nowMs });
    expect([0, 1, 2].map(() => pace.turn('a', 1, 1000))).toEqual([0, 1000, null]);
    expect(pace.turn('b', 1, 1000)).toBe(0);
    nowMs += 400;
    expect([pace.turn('a', 1, 1000), pace.turn('a', 1, 1600)]).toEqual([null, 1600]);
    nowMs += 60_000;
    expect(pace.turn('a', 1, 1000)).toBe(0);
  });

  it('is nobody’s concern without a limit', () => {
    const pace = new CallPace({ now: () => 0 });
    expect(Array.from({ length: 1000 }, () => pace.turn('a', null, 0))).toEqual(Array(1000).fill(0));
  });

  it('never lets two turns of a trunk lie closer than its rate allows', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 50, noNaN: true }), steps, (perSecond, waits) => {
        let nowMs = 0;
        const pace = new CallPace({ now: () => nowMs });
        const turns: number[] = [];
        for (const wait of waits) {
          nowMs += wait;
          const waitMs = pace.turn('a', perSecond, 1000);
          if (waitMs !== null) turns.push(nowMs + waitMs);
        }
        const gaps = turns.slice(1).map((turn, i) => turn - turns[i]!);
        for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(1000 / perSecond - 1e-6);
      }),
    );
  });
});
