import fc from 'fast-check';
import { nextBatch } from '../../../../media/agent/providers/moonshine/batches';
import { MAX_BATCH } from '../../../../media/agent/providers/moonshine/messages';

const SECOND = 8_000;
const lengths = fc.array(fc.integer({ min: 1, max: 15 * SECOND }), { maxLength: 40 });

describe('the next batch of utterances', () => {
  test('is nothing of nothing', () => {
    expect(nextBatch([])).toEqual([]);
  });

  test('begins with the one that waits longest, and takes along what is about as long', () => {
    expect(nextBatch([4 * SECOND, SECOND, 4.3 * SECOND, 9 * SECOND, 3.9 * SECOND])).toEqual([0, 2, 4]);
  });

  test('makes no short answer another one by silence', () => {
    expect(nextBatch([0.6 * SECOND, 0.7 * SECOND, 0.6 * SECOND, 1.6 * SECOND])).toEqual([0, 2]);
  });

  test('is never too large, in order, and made longer by half a second or a third of each at most', () => {
    fc.assert(
      fc.property(lengths, (waiting) => {
        const batch = nextBatch(waiting);
        expect(batch.length).toBeLessThanOrEqual(MAX_BATCH);
        expect(batch[0]).toBe(waiting.length === 0 ? undefined : 0);
        expect(batch).toEqual([...new Set(batch)].sort((a, b) => a - b));
        const taken = batch.map((place) => waiting[place]!);
        for (const length of taken) {
          expect(Math.max(...taken) - length).toBeLessThanOrEqual(Math.min(SECOND / 2, length * 0.3));
        }
      }),
    );
  });

  test('leaves nothing waiting for ever', () => {
    fc.assert(
      fc.property(lengths, (waiting) => {
        let [left, rounds] = [[...waiting], 0];
        while (left.length > 0) {
          const batch = new Set(nextBatch(left));
          left = left.filter((_, place) => !batch.has(place));
          rounds++;
        }
        expect(rounds).toBeLessThanOrEqual(waiting.length);
      }),
    );
  });
});
