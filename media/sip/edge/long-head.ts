import { contentLengthsOf } from '../message/framing';

const BLANK_LINE = /\n\r?\n/;
/** What is kept of a line. A Content-Length beyond it cannot be read any more. */
const KEPT_LINE = 512;

/**
 * A head that is too long to be kept: its beginning, which says who asks, and, of the rest as it comes by, where it ends
 * and what Content-Length it has.
 */
export class LongHead {
  readonly beginning: Buffer;
  readonly contentLengths: string[] = [];
  #unread: string;

  constructor(bytes: Buffer) {
    this.beginning = bytes;
    this.#unread = this.#readLines(bytes.toString('latin1'));
  }

  /** How many bytes of the chunk belong to the head; null: all, and it goes on. */
  push(chunk: Buffer): number | null {
    const before = this.#unread.length;
    const text = this.#unread + chunk.toString('latin1');
    const blank = BLANK_LINE.exec(text);
    if (blank === null) {
      this.#unread = this.#readLines(text);
      return null;
    }
    this.#readLines(`${text.slice(0, blank.index + 1)}end`);
    return blank.index + blank[0].length - before;
  }

  /** One that repeats the first adds nothing, and a second one says already that it cannot be told. */
  #note(length: string): void {
    const known = this.contentLengths;
    if (known.length === 0 || (known.length === 1 && known[0] !== length)) known.push(length);
  }

  /** Takes the lines that are complete, which the beginning of the next one shows, and gives back what follows. */
  #readLines(text: string): string {
    const last = startOfLastLine(text);
    for (const length of contentLengthsOf(`\n${text.slice(0, last)}`)) this.#note(length);
    const unread = text.slice(last);
    return unread.length <= KEPT_LINE ? unread : `${unread.slice(0, KEPT_LINE - 3)}?${unread.slice(-2)}`;
  }
}

/** Where the last line begins that continues none before it; 0 when there is none. */
function startOfLastLine(text: string): number {
  for (let end = text.length - 1; end > 0;) {
    const lineFeed = text.lastIndexOf('\n', end - 1);
    if (lineFeed < 0) return 0;
    if (!/[ \t\r\n]/.test(text[lineFeed + 1]!)) return lineFeed + 1;
    end = lineFeed;
  }
  return 0;
}
