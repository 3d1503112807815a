/** Where a sentence was cut: samples heard → words heard. */

/** Voices pause at punctuation; in units of a character's time. */
const PAUSE_WEIGHT: Readonly<Record<string, number>> = { ',': 4, ';': 5, ':': 5, '.': 6, '!': 6, '?': 6 };
const WORD_GAP_WEIGHT = 0.5;

/**
 * The words of `sentence` heard when `heardSamples` of its `totalSamples` were sent: a prefix of it. Time is shared
 * out by the characters of each word; a word counts as heard from its middle on.
 */
export function heardText(sentence: string, heardSamples: number, totalSamples: number): string {
  if (heardSamples <= 0 || totalSamples <= 0) return '';
  if (heardSamples >= totalSamples) return sentence;
  const words = [...sentence.matchAll(/\S+/g)].map((match) => ({
    end: match.index + match[0].length,
    spoken: match[0].length + WORD_GAP_WEIGHT,
    pause: PAUSE_WEIGHT[match[0].at(-1)!] ?? 0,
  }));
  // The pause after the last word was cut off when the sentence was synthesised.
  const total = words.reduce((sum, word, i) => sum + word.spoken + (i < words.length - 1 ? word.pause : 0), 0);
  const heard = (heardSamples / totalSamples) * total;
  let at = 0;
  let end = 0;
  for (const word of words) {
    if (at + word.spoken / 2 > heard) break;
    end = word.end;
    at += word.spoken + word.pause;
  }
  return sentence.slice(0, end);
}
