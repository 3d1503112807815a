import fc from 'fast-check';

import { sequenceDistance, timestampDistance, unwrapTimestamp } from '../../../../media/rtp/sequence-number';

describe('RTP serial numbers', () => {
  test.each([
    [0, 1, 1],
    [65535, 0, 1],
    [0, 65535, -1],
    [65530, 5, 11],
    [0, 32767, 32767],
    [0, 32768, -32768],
  ])('sequence distance from %i to %i is %i', (from, to, distance) => {
    expect(sequenceDistance(from, to)).toBe(distance);
  });

  test.each([
    [0xffffff60, 0, 160],
    [0, 0xffffff60, -160],
    [5, 5, 0],
  ])('timestamp distance from %i to %i is %i', (from, to, distance) => {
    expect(timestampDistance(from, to)).toBe(distance);
  });

  it('unwrapping follows a timestamp through any number of roll-overs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.array(fc.integer({ min: -1_000_000, max: 2_000_000_000 }), { maxLength: 30 }),
        (start, steps) => {
          let truth = start;
          let unwrapped = start;
          for (const step of steps) {
            truth = Math.max(0, truth + step);
            unwrapped = unwrapTimestamp(unwrapped, truth % 4294967296);
            expect(unwrapped).toBe(truth);
          }
        },
      ),
    );
  });
});
