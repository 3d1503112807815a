import fc from 'fast-check';

import { CallPace } from '../../../../media/call/call-pace';

describe('the pace of a trunk', () => {
  it('lets a trunk of one call a second have one a second, and another its own', () => {
    let nowMs = 5;
    const pace = new CallPace({ now: () => nowMs });
    const arrives = (trunkId: string): boolean => pace.arrives(trunkId, 1);
    expect([arrives('a'), arrives('a'), arrives('b')]).toEqual([true, false, true]);
    nowMs += 400;
    expect(arrives('a')).toBe(false);
    nowMs += 600;
    expect([arrives('a'), arrives('a')]).toEqual([true, false]);
    nowMs += 60_000;
    expect([arrives('a'), arrives('a')]).toEqual([true, false]);
  });

  it('lets the calls of one second come at once', () => {
    let nowMs = 0;
    const pace = new CallPace({ now: () => nowMs });
    const burst = (): number => Array.from({ length: 20 }, () => pace.arrives('a', 5)).filter(Boolean).length;
    expect(burst()).toBe(5);
    nowMs += 200;
    expect(burst()).toBe(1);
    nowMs += 5_000;
    expect(burst()).toBe(5);
  });

  it('is nobody’s concern without a limit', () => {
    const pace = new CallPace({ now: () => 0 });
    expect(Array.from({ length: 1000 }, () => pace.arrives('a', null))).toEqual(Array(1000).fill(true));
  });

  it('lets no more calls come in any time than its rate allows, and the burst of a second', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 50, noNaN: true }), waits, (perSecond, steps) => {
        let nowMs = 0;
        const pace = new CallPace({ now: () => nowMs });
        const cameMs: number[] = [];
        for (const wait of steps) {
          nowMs += wait;
          if (pace.arrives('a', perSecond)) cameMs.push(nowMs);
        }
        for (const [first, fromMs] of cameMs.entries()) {
          for (let last = first; last < cameMs.length; last++) {
            const seconds = (cameMs[last]! - fromMs) / 1000;
            expect(last - first + 1).toBeLessThanOrEqual(perSecond * (seconds + 0.001) + Math.max(1, perSecond) + 1e-6);
          }
        }
      }),
    );
  });
});
