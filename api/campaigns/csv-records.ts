/**
 * Cuts a CSV text that comes in pieces into the texts of its records (RFC 4180), without losing more than the line that is
 * wrong: after a quotation mark that nobody closes it goes on with the next line. What stands in a record's fields is read
 * by the library (`csv-rows.ts`).
 */

export type CsvRecord =
  | { readonly row: number; readonly text: string }
  /** The line is passed over. */
  | { readonly row: number; readonly broken: string };

/** Of a record, in characters. */
export const MAX_RECORD_CHARS = 64_000;
/** Of a record whose fields contain line ends. */
const MAX_RECORD_LINES = 100;
const UNCLOSED = 'a quotation mark is not closed';
const TOO_LONG = `longer than ${MAX_RECORD_CHARS} characters`;

export class CsvRecords {
  readonly #delimiter: string;
  /** Of the next record. */
  #row: number;
  /** From the beginning of a record on. */
  #rest = '';
  /** Within a line that is too long. */
  #dropping = false;

  /** @param firstRow number of the first record */
  constructor(delimiter: string, firstRow: number) {
    this.#delimiter = delimiter;
    this.#row = firstRow;
  }

  push(text: string): CsvRecord[] {
    return this.#cut(this.#rest + text, false);
  }

  /** What came without a line end behind it. */
  end(): CsvRecord[] {
    return this.#rest === '' && !this.#dropping ? [] : this.#cut(this.#rest, true);
  }

  #cut(text: string, final: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    let start = this.#dropping ? this.#dropLine(text, final, records) : 0;
    let quote = quoteFrom(text, start);
    while (start < text.length) {
      const lineEnd = endOfLine(text, start);
      // Looked for once for all the lines before it.
      if (quote < start) quote = quoteFrom(text, start);
      const end = quote > lineEnd ? lineEnd : this.#endOfRecord(text, start);
      const unfinished = end === null || (end === text.length && !final);
      if (unfinished && !final && text.length - start <= MAX_RECORD_CHARS && !this.#spansTooMany(text, start)) break;
      if (end !== null && end - start <= MAX_RECORD_CHARS && (end < text.length || final)) {
        this.#add(records, text.slice(start, end));
        start = end + 1;
      } else if (lineEnd < text.length || final) {
        records.push({ row: this.#row++, broken: lineEnd - start > MAX_RECORD_CHARS ? TOO_LONG : UNCLOSED });
        start = lineEnd + 1;
      } else {
        this.#dropping = true;
        start = text.length;
      }
    }
    this.#rest = text.slice(start);
    return records;
  }

  /** Where what follows the line begins. */
  #dropLine(text: string, final: boolean, records: CsvRecord[]): number {
    const end = endOfLine(text, 0);
    if (end < text.length || final) {
      records.push({ row: this.#row++, broken: TOO_LONG });
      this.#dropping = false;
    }
    return end + 1;
  }

  /** An empty line is counted, as spreadsheets do. */
  #add(records: CsvRecord[], record: string): void {
    const text = record.endsWith('\r') ? record.slice(0, -1) : record;
    const row = this.#row++;
    if (text.trim() !== '') records.push({ row, text });
  }

  #spansTooMany(text: string, start: number): boolean {
    let at = start;
    for (let lines = 0; lines < MAX_RECORD_LINES; lines += 1) {
      at = text.indexOf('\n', at) + 1;
      if (at === 0) return false;
    }
    return true;
  }

  /** Index of the line end behind it; null while a field is open. Only a quotation mark that begins a field opens one. */
  #endOfRecord(text: string, start: number): number | null {
    let at = start;
    while (at < text.length) {
      if (text[at] === '"') {
        const closed = this.#endOfField(text, at + 1);
        if (closed === null) return null;
        at = closed;
      }
      // To the end of the field, which has line ends no more.
      const end = endOfLine(text, at);
      const next = text.indexOf(this.#delimiter, at);
      if (next === -1 || next > end) return end;
      at = next + 1;
    }
    return text.length;
  }

  /** Index behind the quotation mark that closes it. */
  #endOfField(text: string, from: number): number | null {
    let at = from;
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote === -1) return null;
      if (text[quote + 1] !== '"') return quote + 1;
      at = quote + 2;
    }
  }
}

/** Index of the next line end, or of the end of the text. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : at;
}

function quoteFrom(text: string, from: number): number {
  const at = text.indexOf('"', from);
  return at === -1 ? text.length + 1 : at;
}
