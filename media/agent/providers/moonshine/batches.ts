/**
 * Which utterances are decoded together. A step of the decoder costs little more for eight than for one, but all of them have
 * to be equally long, and what is made so by silence must not become another utterance by it. They have 300 ms of it behind
 * them already (`hearings.ts`). Of 938 words in sentences of more than three, 88 were wrong with that, 92 with 200 ms more, 103
 * with the most that is added here, 105 without any: who is heard in a batch is heard as well as before. Of 204 words of short
 * answers it was 74, 86, 94 and 71: they become no longer.
 */
import { MAX_BATCH } from './messages';

/** At the graph's rate. */
const MOST_PADDING_SAMPLES = 4_000;
const MOST_PADDING_SHARE = 0.3;
const SHORT_SAMPLES = 12_000;

/**
 * The one that waits longest, and of the others, in their order, those that go with it.
 * @param lengths of what waits, in samples at the graph's rate
 * @returns places in `lengths`, ascending; empty when nothing waits
 */
export function nextBatch(lengths: readonly number[]): number[] {
  const [first] = lengths;
  if (first === undefined) return [];
  let [shortest, longest] = [first, first];
  const batch = [0];
  for (let place = 1; place < lengths.length && batch.length < MAX_BATCH; place++) {
    const length = lengths[place]!;
    const [low, high] = [Math.min(shortest, length), Math.max(longest, length)];
    if (high - low > paddingOf(low)) continue;
    [shortest, longest] = [low, high];
    batch.push(place);
  }
  return batch;
}

function paddingOf(length: number): number {
  return length < SHORT_SAMPLES ? 0 : Math.min(MOST_PADDING_SAMPLES, length * MOST_PADDING_SHARE);
}
