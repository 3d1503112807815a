import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { ParsedStatements, StatementGroup } from './statement-group';
import type { Answer, Statement } from './statement-group';
import { parseTextArray, TEXT_ARRAY } from './text-arrays';
import { TIMESTAMPTZ, parseTimestamp } from './timestamps';

export interface FailFastConfig extends ClientConfig {
  /**
   * For the answer to a statement; none by default. Not the driver's `query_timeout`, which makes a function for each
   * statement that outlives its rows (see `StatementGroup`).
   */
  readonly answerTimeoutMs?: number;
}

/**
 * A connection whose statement got no answer in time is unusable: the statement may still run, the transaction around it
 * may still be open, and whoever got the connection from the pool next would run inside it. It is cut, which makes the
 * pool drop it and the server roll back.
 *
 * Statements of one turn of the event loop leave in one packet: each packet costs both processes a call of the kernel and
 * wakes the server, which for a small read is a third of its cost.
 */
export class FailFastClient extends Client {
  readonly #answerTimeoutMs: number | undefined;
  readonly #parsed = new ParsedStatements();
  #corked = false;

  constructor(config: FailFastConfig = {}) {
    super(config);
    this.#answerTimeoutMs = config.answerTimeoutMs;
    this.setTypeParser(TIMESTAMPTZ, parseTimestamp);
    this.setTypeParser(TEXT_ARRAY, parseTextArray);
  }

  // The base class has eight overloads; what has parameters is a group of its own, all else passes through.
  // oxlint-disable-next-line typescript/explicit-module-boundary-types
  override query(...parameters: any[]): any {
    const [text, values, ...others]: unknown[] = parameters;
    const alone = typeof text === 'string' && Array.isArray(values) && others.length === 0;
    if (alone) return this.group([{ text, values }]).then((answers) => answers.at(-1));
    const result: unknown = this.#ask(parameters);
    return result instanceof Promise ? this.#inTime(result) : result;
  }

  /**
   * Each answer, or the error of the first that failed: none behind it was done.
   * @param ms For the answers, where that is not what it is for all other statements.
   */
  group(statements: readonly Statement[], ms = this.#answerTimeoutMs): Promise<readonly Answer[]> {
    const group = new StatementGroup(statements, this.#parsed, this);
    const answers = answersOf(group, ms === undefined ? undefined : setTimeout(cutOff, ms, this, group));
    this.#ask([group]);
    return answers;
  }

  async #inTime(result: Promise<unknown>): Promise<unknown> {
    const ms = this.#answerTimeoutMs;
    if (ms === undefined) return result;
    let late: NodeJS.Timeout | undefined;
    const never = new Promise((_, reject) => {
      late = setTimeout(cutOff, ms, this, { callback: reject });
    });
    return Promise.race([result, never]).finally(() => clearTimeout(late));
  }

  #ask(parameters: unknown[]): unknown {
    this.#cork();
    return (super.query as (...all: unknown[]) => unknown).apply(this, parameters);
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.connection.stream.cork();
    setImmediate(() => {
      this.#corked = false;
      this.connection.stream.uncork();
    });
  }
}

/** Whoever asked hears it first, by the name that the driver gives to it. */
function cutOff(client: FailFastClient, { callback }: Pick<StatementGroup, 'callback'>): void {
  callback(new Error('Query read timeout'));
  client.connection.stream.destroy();
}

function answersOf(group: StatementGroup, late: NodeJS.Timeout | undefined): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    group.callback = settling(resolve, reject, late);
  });
}

function settling(
  resolve: (answers: readonly Answer[]) => void,
  reject: (error: Error) => void,
  late: NodeJS.Timeout | undefined,
): StatementGroup['callback'] {
  return (error, answers = []) => {
    clearTimeout(late);
    if (error === null) resolve(answers);
    else reject(error);
  };
}
