import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { TIMESTAMPTZ, parseTimestamp } from './timestamps';

/** So long a statement that nobody waits for stays back at most for one to leave with. */
const LATER_MS = 5;

/**
 * A connection whose statement got no answer in time is unusable: the statement may still run, the transaction around it
 * may still be open, and whoever got the connection from the pool next would run inside it. It is cut, which makes the
 * pool drop it and the server roll back.
 *
 * Statements of one turn of the event loop leave in one packet: each packet costs both processes a call of the kernel and
 * wakes the server, which for a small read is a third of its cost.
 */
export class FailFastClient extends Client {
  #corked = false;
  #soon = false;
  #later: NodeJS.Timeout | null = null;

  constructor(config?: string | ClientConfig) {
    super(config);
    this.setTypeParser(TIMESTAMPTZ, parseTimestamp);
  }

  // The base class has eight overloads; this passes through whatever was given.
  // oxlint-disable-next-line typescript/explicit-module-boundary-types
  override query(...parameters: any[]): any {
    this.#cork();
    if (!this.#soon) setImmediate(this.#uncork);
    this.#soon = true;
    return this.#ask(parameters);
  }

  /** Leaves with the next statement: for the end of a transaction that changed nothing. */
  queryLater(text: string): Promise<unknown> {
    this.#cork();
    if (!this.#soon) this.#later ??= setTimeout(this.#uncork, LATER_MS);
    return this.#ask([text]) as Promise<unknown>;
  }

  #ask(parameters: unknown[]): unknown {
    const result: unknown = (super.query as (...all: unknown[]) => unknown).apply(this, parameters);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if ((error as Error).message === 'Query read timeout') this.connection.stream.destroy();
      });
    }
    return result;
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.connection.stream.cork();
  }

  readonly #uncork = (): void => {
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    this.#soon = false;
    if (!this.#corked) return;
    this.#corked = false;
    this.connection.stream.uncork();
  };
}
