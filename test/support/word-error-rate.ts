/** Word error rate: substitutions, deletions and insertions per word of the reference (NIST scoring, without weights). */

const NUMBERS: Readonly<Record<string, string>> = {
  '0': 'zero',
  '1': 'one',
  '2': 'two',
  '3': 'three',
  '4': 'four',
  '5': 'five',
  '6': 'six',
  '7': 'seven',
  '8': 'eight',
  '9': 'nine',
  '10': 'ten',
};

/** Lower case, without punctuation, small numbers as words. */
export function words(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll(/[’']/g, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => NUMBERS[word] ?? word);
}

/** 0 for the same words; above 1 when more was heard than said. */
export function wordErrorRate(reference: string, hypothesis: string): number {
  const said = words(reference);
  const heard = words(hypothesis);
  if (said.length === 0) return heard.length === 0 ? 0 : 1;
  let row = heard.map((_, j) => j + 1);
  row.unshift(0);
  said.forEach((word, i) => {
    const next = [i + 1];
    heard.forEach((other, j) => {
      const substitution = (row[j] as number) + (word === other ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    });
    row = next;
  });
  return (row.at(-1) as number) / said.length;
}
