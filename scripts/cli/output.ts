import type { ApiPage } from './api-client';
import { failureLines } from './failure';
import type { CliFailure } from './failure';
import { Spinner } from './spinner';
import { printable, recordLines, tableLines } from './table';
import type { Column } from './table';

export type CliStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

interface Remarks {
  readonly warnings?: readonly { readonly path: string; readonly message: string }[];
  readonly propagating?: boolean;
}

/** What was asked for goes to stdout, as tables or as JSON; whatever else there is to say to stderr. */
export class Output {
  /** `--json` */
  json = false;
  readonly #stdout: CliStream;
  readonly #stderr: CliStream;
  readonly #bold: boolean;
  readonly #spinner: Spinner;

  constructor(stdout: CliStream, stderr: CliStream, env: NodeJS.ProcessEnv) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    const capable = env['TERM'] !== 'dumb';
    this.#bold = stdout.isTTY === true && capable && (env['NO_COLOR'] ?? '') === '';
    this.#spinner = new Spinner(stderr, stderr.isTTY === true && capable);
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    if (this.json) return this.value(rows);
    if (rows.length === 0) return this.note('none');
    const [titles = '', ...lines] = tableLines(columns, rows);
    this.line(this.#bold ? `\u001b[1m${titles}\u001b[22m` : titles);
    for (const line of lines) this.line(line);
  }

  page<Row>(page: ApiPage<Row>, columns: readonly Column<Row>[]): void {
    if (this.json) return this.value(page);
    this.table(page.items, columns);
    if (page.next !== null) this.note(`there are more: --all, or --cursor ${page.next}`);
  }

  /** One thing with all its fields. */
  record(record: object): void {
    if (this.json) return this.value(record);
    const { warnings: _, propagating: __, ...fields } = record as Remarks;
    for (const line of recordLines(fields)) this.line(line);
    this.remarks(record);
  }

  /** What an answer says of itself, beside what was asked for. */
  remarks(answer: object): void {
    const { warnings = [], propagating } = answer as Remarks;
    for (const { path, message } of warnings) this.note(`warning: ${path}: ${message}`);
    if (propagating === true) this.note('propagating: not every media node acts on it yet');
  }

  /** JSON, for a reader that may want to look at it. */
  value(value: unknown): void {
    this.#write(this.#stdout, jsonText(value, 2));
  }

  /** JSON on one line, of many. */
  valueLine(value: unknown): void {
    this.#write(this.#stdout, jsonText(value));
  }

  line(text: string): void {
    this.#write(this.#stdout, text);
  }

  /** For people alone. */
  note(text: string): void {
    if (this.json) return;
    this.#write(this.#stderr, text.split('\n').map(printable).join('\n'));
  }

  failure(failure: CliFailure): void {
    if (this.json) return this.#write(this.#stderr, jsonText(failure));
    for (const line of failureLines(failure)) this.note(line);
  }

  /** Spins while `work` lasts. */
  async waiting<T>(label: string, work: Promise<T>): Promise<T> {
    this.#spinner.start(printable(label));
    try {
      return await work;
    } finally {
      this.#spinner.stop();
    }
  }

  #write(stream: CliStream, text: string): void {
    this.#spinner.clear();
    stream.write(`${text}\n`);
  }
}

/** JSON leaves control characters above U+007E as they are; a terminal may not. */
function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).split('\n').map(printable).join('\n');
}
