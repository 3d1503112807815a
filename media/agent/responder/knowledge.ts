/**
 * Finds the sentence of an agent's instructions that answers a question: words are stripped to their stems, common ones
 * dropped, rare ones weigh more, and a slip of the recogniser (one letter in a longer word) is forgiven.
 */
import { splitSentences } from '../turns/sentences';

/** Share of the question's weight that a sentence must account for. */
const MIN_SCORE = 0.5;
const FUZZY_FROM_LENGTH = 5;

const STOP_WORDS = new Set(
  (
    'a about after also am an and any are as at be been before but by can could do does for from get give got had has have he hello hey hi ' +
    'how i if in is it its just know let like may me my need no not of okay ok on or our please really she say should so some still ' +
    'tell than thank thanks that the their them then there they this to uh um us want was we well were what when where ' +
    'which who why will with would yeah yes you your'
  ).split(' '),
);

/** Told to the agent, not to the caller. */
const DIRECTIVE =
  /^(?:you(?:'re| are| must| should| can| will)?\b|your (?:name|role|task|job|goal)\b|be\b|always\b|never\b|do not\b|don't\b|please\b|greet\b|ask\b|answer\b|speak\b|act\b|keep\b|if\b|when\b)/i;

interface Fact {
  readonly sentence: string;
  readonly stems: ReadonlySet<string>;
}

export class Knowledge {
  readonly #facts: readonly Fact[];

  constructor(texts: readonly string[]) {
    this.#facts = texts
      .flatMap((text) => splitSentences(text))
      .filter((sentence) => !DIRECTIVE.test(sentence))
      .map((sentence) => ({ sentence, stems: new Set(stemsOf(sentence)) }));
  }

  /** The best fitting sentence, or null when nothing fits well enough. */
  answer(question: string): string | null {
    const asked = [...new Set(stemsOf(question))];
    if (asked.length === 0) return null;
    const weights = asked.map((stem) => this.#weight(stem));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let best: { sentence: string; score: number } | null = null;
    for (const fact of this.#facts) {
      const matched = asked.reduce((sum, stem, i) => sum + (hasStem(fact.stems, stem) ? weights[i]! : 0), 0);
      const score = matched / total;
      if (score >= MIN_SCORE && score > (best?.score ?? 0)) best = { sentence: fact.sentence, score };
    }
    return best?.sentence ?? null;
  }

  #weight(stem: string): number {
    const holding = this.#facts.filter((fact) => hasStem(fact.stems, stem)).length;
    // A word no sentence has may be a slip of the recogniser: it counts, but not as the rarest.
    return holding === 0 ? 1 : 1 + Math.log((this.#facts.length + 1) / (holding + 1));
  }
}

export function stemsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  return words
    .map((word) => word.replace(/'.*$/, ''))
    .filter((word) => word !== '' && !STOP_WORDS.has(word))
    .map(stem);
}

function stem(word: string): string {
  const bare = word.replace(/(?:ings?|ed|ies|es|s|ly)$/, '');
  return bare.length >= 3 ? bare.replace(/(.)\1$/, '$1').replace(/[ey]$/, '') : word;
}

export function hasStem(stems: ReadonlySet<string>, wanted: string): boolean {
  if (stems.has(wanted)) return true;
  if (wanted.length < FUZZY_FROM_LENGTH) return false;
  for (const candidate of stems)
    if (candidate.length >= FUZZY_FROM_LENGTH && withinOneEdit(candidate, wanted)) return true;
  return false;
}

/** Equal but for one letter inserted, dropped or replaced. */
function withinOneEdit(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let i = 0;
  while (i < short.length && short[i] === long[i]) i++;
  return short.slice(i) === long.slice(i + 1) || short.slice(i + 1) === long.slice(i + 1);
}
