/** An upload of CSV as rows by the names of its columns: with or without BOM, separated by comma, semicolon or tab. */
import { parse } from 'csv-parse/sync';
import { variableNameOf } from '../../contract/placeholders';
import { ApiError, impossible } from '../errors';
import { CsvRecords, MAX_RECORD_CHARS } from './csv-records';
import type { CsvRecord } from './csv-records';

export type CsvRow =
  | { readonly row: number; readonly values: Readonly<Record<string, string>> }
  /** Why the row cannot be read. */
  | { readonly row: number; readonly broken: string };

export interface CsvColumns {
  /** As written in the header, see `variableNameOf`; names that the caller knows in lower case. */
  readonly names: readonly string[];
}

export interface CsvLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

const CSV_LIMITS: CsvLimits = { maxRows: 1_000_000, maxBytes: 1_000_000_000 };
const MAX_COLUMNS = 100;
const MAX_COLUMN_CHARS = 64;
const SEPARATORS = [',', ';', '\t'] as const;
/** Of UTF-16, as spreadsheets write "Unicode text". */
const UTF16_MARKS = [0xfffe, 0xfeff];

/**
 * In pieces, as they arrive: nothing more is read of the source while one is worked on. The first one is the header.
 * @param known names of columns that are found in whatever case they are written
 * @throws ApiError for what cannot be read at all, and where a limit is exceeded
 */
export async function* readCsvRows(
  source: AsyncIterable<Buffer>,
  known: readonly string[],
  limits: CsvLimits = CSV_LIMITS,
): AsyncGenerator<CsvColumns | readonly CsvRow[]> {
  const table = new CsvTable(known, limits);
  for await (const chunk of source) {
    const found = table.push(chunk);
    if (found.columns !== null) yield found.columns;
    if (found.rows.length > 0) yield found.rows;
  }
  const found = table.end();
  if (found.columns !== null) yield found.columns;
  if (found.rows.length > 0) yield found.rows;
}

interface Found {
  readonly columns: CsvColumns | null;
  readonly rows: readonly CsvRow[];
}

interface CsvBody {
  readonly records: CsvRecords;
  readonly columns: readonly string[];
  readonly separator: string;
}

class CsvTable {
  readonly #known: readonly string[];
  readonly #limits: CsvLimits;
  readonly #decoder = new TextDecoder('utf-8');
  #bytes = 0;
  /** Before its header is whole. */
  #beginning = '';
  #body: CsvBody | null = null;
  #rows = 0;

  constructor(known: readonly string[], limits: CsvLimits) {
    this.#known = known;
    this.#limits = limits;
  }

  push(chunk: Buffer): Found {
    if (this.#bytes === 0 && chunk.length > 1 && UTF16_MARKS.includes(chunk.readUInt16BE(0))) throw notUtf8();
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.maxBytes) {
      throw new ApiError(413, 'body_too_large', `A CSV takes up to ${this.#limits.maxBytes} bytes`);
    }
    return this.#read(this.#decoder.decode(chunk, { stream: true }), false);
  }

  end(): Found {
    return this.#read(this.#decoder.decode(), true);
  }

  #read(text: string, final: boolean): Found {
    if (this.#body !== null) return { columns: null, rows: this.#rowsOf(this.#body, text, final) };
    this.#beginning += text;
    const lineEnd = this.#beginning.indexOf('\n');
    if (lineEnd === -1 && !final && this.#beginning.length <= MAX_RECORD_CHARS) return { columns: null, rows: [] };
    const header = lineEnd === -1 ? this.#beginning : this.#beginning.slice(0, lineEnd);
    const separator = separatorOf(header);
    const columns = columnsOf(header, separator, this.#known);
    const body = { records: new CsvRecords(separator, 2), columns, separator };
    this.#body = body;
    const rest = lineEnd === -1 ? '' : this.#beginning.slice(lineEnd + 1);
    this.#beginning = '';
    return { columns: { names: columns.filter((name) => name !== '') }, rows: this.#rowsOf(body, rest, final) };
  }

  #rowsOf({ records, columns, separator }: CsvBody, text: string, final: boolean): CsvRow[] {
    const found = [...records.push(text), ...(final ? records.end() : [])];
    this.#rows += found.length;
    if (this.#rows > this.#limits.maxRows) {
      throw new ApiError(413, 'too_many_rows', `A CSV takes up to ${this.#limits.maxRows} rows`);
    }
    return rowsOf(found, columns, separator);
  }
}

function rowsOf(records: readonly CsvRecord[], columns: readonly string[], separator: string): CsvRow[] {
  const whole = records.flatMap((record) => ('text' in record ? [record.text] : []));
  const cells = cellsOf(whole, separator);
  let n = 0;
  return records.map((record): CsvRow => {
    if ('broken' in record) return record;
    const own = cells[n++];
    if (own === null || own === undefined) return { row: record.row, broken: 'cannot be read as one row' };
    return rowOf(record.row, own, columns);
  });
}

/** Of each record, all at once; one at a time where the library counts otherwise. Null: not one record. */
function cellsOf(texts: readonly string[], separator: string): readonly (readonly string[] | null)[] {
  if (texts.length === 0) return [];
  const together = cellsIn(texts.join('\n'), separator);
  if (together?.length === texts.length) return together;
  return texts.map((text) => {
    const alone = cellsIn(text, separator);
    return alone?.length === 1 ? (alone[0] ?? null) : null;
  });
}

function cellsIn(text: string, delimiter: string): string[][] | null {
  try {
    return parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true, relax_quotes: true, trim: true });
  } catch {
    return null;
  }
}

function rowOf(row: number, cells: readonly string[], columns: readonly string[]): CsvRow {
  if (cells.length > columns.length && cells.slice(columns.length).some((cell) => cell !== '')) {
    return { row, broken: `has ${cells.length} values, the header ${columns.length}` };
  }
  const values: Record<string, string> = {};
  for (const [n, name] of columns.entries()) {
    const cell = cells[n];
    if (name !== '' && cell !== undefined && cell !== '') values[name] = cell;
  }
  return { row, values };
}

/** One that can be stored: whether a text can use it is the text's matter. */
export function isColumnName(name: string): boolean {
  return name.length <= MAX_COLUMN_CHARS && !/[\p{Cc}\u{FFFD}]/u.test(name);
}

/** The one that the header has most of. */
function separatorOf(header: string): string {
  const outside = header.replaceAll(/"(?:[^"]|"")*"/g, '');
  const count = (separator: string): number => outside.split(separator).length;
  return [...SEPARATORS].sort((a, b) => count(b) - count(a))[0] ?? ',';
}

function columnsOf(header: string, separator: string, known: readonly string[]): string[] {
  if (header.includes('\0')) throw notUtf8();
  const cells = header.length > MAX_RECORD_CHARS ? null : cellsIn(header.replace(/\r$/, ''), separator)?.[0];
  if (cells == null) throw impossible('invalid_header', 'The first line has to name the columns');
  if (cells.length > MAX_COLUMNS) throw impossible('invalid_header', `A CSV takes up to ${MAX_COLUMNS} columns`);
  const names = cells.map((cell) => {
    const name = variableNameOf(cell);
    return known.find((one) => one === name.toLowerCase()) ?? name;
  });
  const wrong = names.find((name) => !isColumnName(name));
  if (wrong !== undefined) {
    throw impossible('invalid_header', `The column "${wrong.slice(0, MAX_COLUMN_CHARS)}" has no name that can be used`);
  }
  const twice = names.find((name, n) => name !== '' && names.indexOf(name) !== n);
  if (twice !== undefined) throw impossible('invalid_header', `The column "${twice}" is there twice`);
  return names;
}

const notUtf8 = (): ApiError => impossible('invalid_header', 'The CSV is not in UTF-8');
