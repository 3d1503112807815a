/** How long a silence ends the caller's turn, by what was said so far. */
const SHORT_SILENCE_MS = 500;
const USUAL_SILENCE_MS = 650;
export const LONG_SILENCE_MS = 800;

const TRAILING_WORDS = new Set(
  (
    'a an and as at because but by can could for from how i if in is it its like maybe my of on or our please so that ' +
    'the their then there this to um uh er erm hmm was well what when where which with would you your'
  ).split(' '),
);
/** Somebody who dictates a number pauses between its groups. */
const ENDS_IN_DIGITS =
  /(?:\d|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double))(?:[\s,.-]*(?:\d|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double)\b))+[\s,.-]*$/i;

export function silenceThatEndsTurn(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '') return USUAL_SILENCE_MS;
  if (/(?:,|;|:|-|–|\.\.\.|…)$/.test(trimmed) || ENDS_IN_DIGITS.test(trimmed)) return LONG_SILENCE_MS;
  const words = trimmed.toLowerCase().match(/[a-z']+/g) ?? [];
  const asksOrExclaims = /[?!]$/.test(trimmed);
  if (!asksOrExclaims && words.length > 1 && TRAILING_WORDS.has(words.at(-1)!)) return LONG_SILENCE_MS;
  return /[.?!]$/.test(trimmed) ? SHORT_SILENCE_MS : USUAL_SILENCE_MS;
}
