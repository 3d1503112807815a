import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { ParsedStatements, StatementGroup } from './statement-group';
import type { Answer, Statement } from './statement-group';
import { TIMESTAMPTZ, parseTimestamp } from './timestamps';

/**
 * A connection whose statement got no answer in time is unusable: the statement may still run, the transaction around it
 * may still be open, and whoever got the connection from the pool next would run inside it. It is cut, which makes the
 * pool drop it and the server roll back.
 *
 * Statements of one turn of the event loop leave in one packet: each packet costs both processes a call of the kernel and
 * wakes the server, which for a small read is a third of its cost.
 */
export class FailFastClient extends Client {
  readonly #parsed = new ParsedStatements();
  #corked = false;

  constructor(config?: string | ClientConfig) {
    super(config);
    this.setTypeParser(TIMESTAMPTZ, parseTimestamp);
  }

  // The base class has eight overloads; what has parameters is a group of its own, all else passes through.
  // oxlint-disable-next-line typescript/explicit-module-boundary-types
  override query(...parameters: any[]): any {
    const [text, values, ...others]: unknown[] = parameters;
    const alone = typeof text === 'string' && Array.isArray(values) && others.length === 0;
    if (alone) return this.group([{ text, values }]).then((answers) => answers.at(-1));
    return this.#ask(parameters);
  }

  /** Each answer, or the error of the first that failed: none behind it was done. */
  group(statements: readonly Statement[]): Promise<readonly Answer[]> {
    return new Promise((resolve, reject) => {
      const group = new StatementGroup(statements, this.#parsed, this);
      group.callback = (error, answers = []) => {
        if (error === null) resolve(answers);
        else reject(error);
        if (error?.message === 'Query read timeout') this.connection.stream.destroy();
      };
      this.#ask([group]);
    });
  }

  #ask(parameters: unknown[]): unknown {
    this.#cork();
    const result: unknown = (super.query as (...all: unknown[]) => unknown).apply(this, parameters);
    if (result instanceof Promise) {
      result.catch((error: Error) => {
        if (error.message === 'Query read timeout') this.connection.stream.destroy();
      });
    }
    return result;
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
