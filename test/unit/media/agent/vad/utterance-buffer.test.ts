import fc from 'fast-check';
import { UtteranceBuffer } from '../../../../../media/agent/vad/utterance-buffer';

function counting(from: number, length: number): Int16Array {
  return Int16Array.from({ length }, (_, i) => (from + i) % 30_000);
}

/** Comparing whole arrays by `toEqual` takes seconds. */
function expectSamples(actual: Int16Array, from: number, length: number): void {
  expect(Buffer.from(actual.buffer).equals(Buffer.from(counting(from, length).buffer))).toBe(true);
}

describe('UtteranceBuffer', () => {
  test('gives back any part of the look-back by absolute sample', () => {
    const buffer = new UtteranceBuffer();
    for (let at = 0; at < 80_000; at += 160) {
      buffer.append(counting(at, 160));
      buffer.keepFrom(at);
    }
    expect(buffer.end).toBe(80_000);
    expectSamples(buffer.read(76_000, 76_500), 76_000, 500);
  });

  test('keeps everything from the wanted sample on, up to its limit', () => {
    const buffer = new UtteranceBuffer();
    buffer.keepFrom(1_000);
    for (let at = 0; at < 160_000; at += 160) buffer.append(counting(at, 160));
    expectSamples(buffer.read(1_000, 160_000), 1_000, 159_000);
    for (let at = 160_000; at < 400_000; at += 160) buffer.append(counting(at, 160));
    expect(buffer.read(1_000, 2_000)).toHaveLength(0);
    expectSamples(buffer.read(300_000, 400_000), 300_000, 100_000);
  });

  test('never mixes samples up, whatever is appended and kept', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 6_000 }), fc.nat(8_000)), { maxLength: 60 }), (steps) => {
        const buffer = new UtteranceBuffer();
        for (const [length, back] of steps) {
          buffer.append(counting(buffer.end, length));
          buffer.keepFrom(buffer.end - back);
          const from = Math.max(0, buffer.end - Math.min(back, 4_000));
          expectSamples(buffer.read(from, buffer.end), from, buffer.end - from);
        }
      }),
      { numRuns: 50 },
    );
  });
});
