import fc from 'fast-check';
import { mixInto } from '../../../../media/audio/mix';

function mixed(one: number, other: number): number {
  const out = Int16Array.of(one);
  mixInto(out, Int16Array.of(other));
  return out[0]!;
}

const sample = fc.integer({ min: -32_768, max: 32_767 });

describe('two voices in one', () => {
  it('are their sum as long as that is not loud', () => {
    fc.assert(
      fc.property(fc.integer({ min: -12_288, max: 12_288 }), fc.integer({ min: -12_288, max: 12_288 }), (a, b) => {
        expect(mixed(a, b)).toBe(a + b);
      }),
    );
  });

  it('never reach the end of the scale, and are the louder the louder both are', () => {
    fc.assert(
      fc.property(sample, sample, sample, (a, b, c) => {
        expect(Math.abs(mixed(a, b))).toBeLessThan(32_767);
        if (b <= c) expect(mixed(a, b)).toBeLessThanOrEqual(mixed(a, c));
      }),
    );
  });

  it('bend without an edge where they begin to be too loud', () => {
    for (let sum = 24_000; sum < 26_000; sum++) expect(mixed(sum, 1) - mixed(sum, 0)).toBeLessThanOrEqual(1);
  });
});
