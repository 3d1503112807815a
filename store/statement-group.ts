/**
 * Statements that leave together and are answered as one: the server sends nothing before the Sync message behind the last
 * of them, and does none after one that has failed (PostgreSQL, "Frontend/Backend Protocol", Pipelining). The driver puts
 * a Sync behind each, and each is a packet back and a waking of this process: for a small read, more than its answer costs.
 * Without BEGIN among them they are one transaction.
 */
import { Query } from 'pg';
import type { Connection, CustomTypesConfig, FieldDef } from 'pg';
import { prepareValue } from 'pg/lib/utils';
import { preparedName } from './prepared';

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  /** What it answers is not looked at. */
  readonly quiet?: true;
}

/** What TypeORM reads of the driver's result. */
export interface Answer {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** How rows are made of a statement's answer. */
interface RowShape {
  readonly names: readonly string[];
  readonly parsers: readonly ((text: string) => unknown)[];
  readonly empty: Readonly<Record<string, null>>;
}

interface Step {
  readonly text: string;
  readonly quiet: boolean;
  /** By which the server knows its text, or gets to know it now. */
  readonly name: string | undefined;
  readonly parse: boolean;
  readonly parameters: readonly (string | Buffer | null)[];
  readonly rows: Record<string, unknown>[];
  shape: RowShape | undefined;
  command: string;
  rowCount: number | null;
}

/** What a message of the driver's parser holds of these. */
interface Message {
  readonly fields: readonly FieldDef[];
  readonly text: string;
}

/** The driver's connection as the driver itself uses it; its declared types are older. */
interface Wire {
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(portal: { readonly statement: string; readonly values: readonly unknown[] }): void;
  describe(portal: { readonly type: 'P'; readonly name: '' }): void;
  execute(): void;
  close(statement: { readonly type: 'S'; readonly name: string }): void;
  sync(): void;
}

/** What the server of one connection has parsed by name, and how the answers to it look. */
export class ParsedStatements {
  readonly #shapes = new Map<string, RowShape | undefined>();
  readonly #unconfirmed = new Set<string>();

  /** While it is not known whether the server has taken a name, its text is sent without. */
  nameFor(text: string): string | undefined {
    const name = preparedName(text);
    return name === undefined || this.#unconfirmed.has(name) ? undefined : name;
  }

  has(name: string): boolean {
    return this.#shapes.has(name);
  }

  shape(name: string): RowShape | undefined {
    return this.#shapes.get(name);
  }

  sent(name: string): void {
    this.#unconfirmed.add(name);
  }

  confirm(name: string, shape: RowShape | undefined): void {
    this.#unconfirmed.delete(name);
    this.#shapes.set(name, shape);
  }

  /** The next to ask has it parsed anew. */
  forget(name: string): void {
    this.#unconfirmed.delete(name);
    this.#shapes.delete(name);
  }
}

/** `cached plan must not change result type`, after a migration; `prepared statement does not exist`. */
const STALE = ['0A000', '26000'];

/**
 * What the driver is given to ask. Functions that it has of its own make V8 (of Node 20) keep it, and with it all rows,
 * until the next collection of the old generation: half of all that was made survived each scavenge. So what it does
 * stands on its prototype, and its callback is made where neither it nor its rows are in scope (`FailFastClient`).
 */
export class StatementGroup extends Query {
  static {
    // The driver's types declare a property.
    this.prototype.submit = function (this: StatementGroup, connection: Connection): Error | null {
      return this.#send(connection as unknown as Wire);
    };
  }

  readonly #statements: readonly Statement[];
  readonly #parsed: ParsedStatements;
  readonly #types: CustomTypesConfig;
  #steps: readonly Step[] = [];
  /** Of the step whose answer comes next. */
  #at = 0;
  #unreadable: Error | undefined;
  /** Set by whoever asks. */
  declare callback: (error: Error | null, answers?: readonly Answer[]) => void;

  constructor(statements: readonly Statement[], parsed: ParsedStatements, types: CustomTypesConfig) {
    super('');
    this.#statements = statements;
    this.#parsed = parsed;
    this.#types = types;
  }

  /** What has an error of its own here never leaves: its group would be done without it. */
  #send(wire: Wire): Error | null {
    let parameters: Step['parameters'][];
    try {
      parameters = this.#statements.map(({ values = [] }) => values.map(prepareValue));
    } catch (error) {
      return error as Error;
    }
    this.#steps = this.#statements.map((statement, n) => this.#stepOf(statement, parameters[n] ?? []));
    for (const { name = '', parse, text, parameters: values, quiet } of this.#steps) {
      if (parse) {
        // It may be there from a group that failed behind it.
        if (name !== '') wire.close({ type: 'S', name });
        wire.parse({ name, text });
      }
      wire.bind({ statement: name, values });
      if (!quiet && parse) wire.describe({ type: 'P', name: '' });
      wire.execute();
    }
    wire.sync();
    return null;
  }

  #stepOf({ text, quiet }: Statement, parameters: Step['parameters']): Step {
    const name = this.#parsed.nameFor(text);
    const known = name !== undefined && this.#parsed.has(name);
    if (name !== undefined && !known) this.#parsed.sent(name);
    const shape = known ? this.#parsed.shape(name) : undefined;
    return {
      text,
      quiet: quiet === true,
      name,
      parse: !known,
      parameters,
      rows: [],
      shape,
      command: '',
      rowCount: null,
    };
  }

  handleRowDescription({ fields }: Message): void {
    const step = this.#steps[this.#at];
    if (step === undefined) return;
    step.shape = {
      names: fields.map(({ name }) => name),
      parsers: fields.map(
        ({ dataTypeID }) => this.#types.getTypeParser(dataTypeID, 'text') as (text: string) => unknown,
      ),
      empty: Object.fromEntries(fields.map(({ name }) => [name, null])),
    };
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const step = this.#steps[this.#at];
    if (step?.shape === undefined || step.quiet) return;
    try {
      step.rows.push(rowOf(step.shape, fields));
    } catch (error) {
      this.#unreadable ??= error as Error;
    }
  }

  /** `INSERT 0 1`, `SELECT 3`, `COMMIT` */
  handleCommandComplete({ text }: Pick<Message, 'text'>): void {
    const step = this.#steps[this.#at++];
    if (step === undefined) return;
    const blank = text.indexOf(' ');
    step.command = blank < 0 ? text : text.slice(0, blank);
    if (blank >= 0) step.rowCount = Number(text.slice(text.lastIndexOf(' ') + 1));
  }

  handleEmptyQuery(): void {
    this.#at++;
  }

  handleError(error: Error & { readonly code?: string }): void {
    const stale = STALE.includes(error.code ?? '');
    for (const [at, { name, parse }] of this.#steps.entries()) {
      if (name === undefined) continue;
      if (stale || (parse && at >= this.#at)) this.#parsed.forget(name);
      else if (parse) this.#parsed.confirm(name, this.#steps[at]?.shape);
    }
    this.callback(error);
  }

  handleReadyForQuery(): void {
    for (const { name, parse, shape } of this.#steps) {
      if (name !== undefined && parse) this.#parsed.confirm(name, shape);
    }
    if (this.#unreadable !== undefined) this.callback(this.#unreadable);
    else this.callback(null, this.#steps);
  }
}

function rowOf({ names, parsers, empty }: RowShape, values: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = { ...empty };
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] ?? null;
    if (value !== null) row[names[i]!] = parsers[i]!(value);
  }
  return row;
}
