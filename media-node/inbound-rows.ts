import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { Sleep } from '../ops/retry';
import { isDataError } from '../store/errors';
import type { NewCall } from '../store/repositories/call-row';

/** Written at once; of calls that come together the next ones wait for these. */
const MAX_PARALLEL = 4;
const RETRIES = { pauseMs: 500, maximumPauseMs: 5_000 };
/** What is above is left to the ends of the calls, the oldest first. */
const MAX_WAITING = 20_000;

export interface InboundRowsOptions {
  /** Repeating it changes nothing. Rejects while PostgreSQL is away. */
  readonly insert: (call: NewCall) => Promise<unknown>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/**
 * The rows of calls that have come in, written by the node that has them as soon as their workflows are started, so that the
 * API knows a call before it is answered. While PostgreSQL is away they wait in memory; one that dies with the node is made
 * at the call's end.
 */
export class InboundRows {
  readonly #options: InboundRowsOptions;
  readonly #waiting: NewCall[] = [];
  readonly #closing = new AbortController();
  #writers = 0;
  #idle: () => void = () => undefined;

  constructor(options: InboundRowsOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  add(call: NewCall): void {
    this.#waiting.push(call);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    if (this.#writers < MAX_PARALLEL) void this.#write();
  }

  /** Resolves when all are written, or after `timeoutMs`; nothing is repeated after that. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#writers > 0) {
      const idle = new Promise<void>((resolve) => (this.#idle = resolve));
      await withDeadline(idle, timeoutMs).catch(() => undefined); // the ends of the calls make the rest
    }
    this.#closing.abort();
  }

  async #write(): Promise<void> {
    this.#writers++;
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) await this.#insert(call);
    if (--this.#writers === 0) this.#idle();
  }

  async #insert(call: NewCall): Promise<void> {
    const { insert, logger, sleep = sleepOnTimer } = this.#options;
    const { signal } = this.#closing;
    try {
      await retry(() => insert(call), { ...RETRIES, signal, sleep, passes: (error) => !isDataError(error) });
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error, callId: call.id }, 'the row of a call cannot be stored');
    }
  }
}
