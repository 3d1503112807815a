/** Cuts streamed text into sentences, so that the first can be spoken before the last is written. */

/** A sentence that never ends is cut at a comma or a space before it gets this long. */
const MAX_SENTENCE_CHARACTERS = 220;

const ABBREVIATION = /(?:^|\s|\()(?:mr|mrs|ms|dr|prof|st|vs|no|e\.g|i\.e|a\.m|p\.m|etc|inc|ltd|co)\.$/i;

export class SentenceSplitter {
  #buffer = '';

  /** Adds text and returns the sentences it completes. A full stop counts only once something follows it. */
  push(delta: string): string[] {
    this.#buffer += delta;
    const sentences: string[] = [];
    for (let cut = this.#nextCut(); cut !== null; cut = this.#nextCut()) {
      const sentence = this.#buffer.slice(0, cut).trim();
      this.#buffer = this.#buffer.slice(cut);
      if (sentence !== '') sentences.push(sentence);
    }
    return sentences;
  }

  /** What is left when the text has ended. */
  flush(): string[] {
    const rest = this.#buffer.trim();
    this.#buffer = '';
    return rest === '' ? [] : [rest];
  }

  #nextCut(): number | null {
    for (const match of this.#buffer.matchAll(/[.!?…]+["')\]”’]*(?=\s)|\n+/g)) {
      const end = match.index + match[0].length;
      if (match[0] === '.' && ABBREVIATION.test(this.#buffer.slice(0, end))) continue;
      return end;
    }
    if (this.#buffer.length <= MAX_SENTENCE_CHARACTERS) return null;
    const head = this.#buffer.slice(0, MAX_SENTENCE_CHARACTERS);
    const at = Math.max(head.lastIndexOf(', ') + 1, head.lastIndexOf('; ') + 1) || head.lastIndexOf(' ');
    return at > 0 ? at : MAX_SENTENCE_CHARACTERS;
  }
}

export function splitSentences(text: string): string[] {
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}
