import type { Logger } from './logger';

export interface ShutdownStep {
  readonly name: string;
  /** `hurry` is aborted when a second signal says that the end shall not wait for anything. */
  readonly run: (hurry: AbortSignal) => Promise<void> | void;
}

export interface ShutdownOptions {
  readonly logger: Logger;
  /** After this a process that has not ended by itself exits with code 1. Default 45 s: a drain of 30 s and the rest. */
  readonly limitMs?: number;
  /** The process to listen to and to end; a fake in tests. */
  readonly process?: ShutdownProcess;
}

export interface ShutdownProcess {
  on(event: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'disconnect', listener: () => void): unknown;
  exit(code: number): void;
}

/** Signals this close together are one: a Ctrl-C reaches a process both from the terminal and forwarded by npm. */
const SAME_SIGNAL_MS = 500;

/**
 * The ordered end of a process. Steps run one after the other, the last added first, once, whatever asked for the end:
 * SIGINT, SIGTERM, SIGHUP, the parent gone (IPC `disconnect`) or {@link Shutdown.run}. A second signal aborts `hurry`. A step
 * that throws is logged and does not keep the others from running.
 *
 *     running → stopping (steps) → exit 0, or 1 after a failed start or past the limit
 */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #process: ShutdownProcess;
  readonly #steps: ShutdownStep[] = [];
  readonly #requested = new AbortController();
  readonly #hurry = new AbortController();
  #firstSignalAtMs: number | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ShutdownOptions) {
    this.#options = options;
    this.#process = options.process ?? process;
  }

  /** Aborted as soon as the end was asked for. */
  get requested(): AbortSignal {
    return this.#requested.signal;
  }

  /** Adds what has to be stopped; the last added stops first. */
  add(name: string, run: ShutdownStep['run']): void {
    this.#steps.push({ name, run });
  }

  /** Begins to listen to signals and to the parent; ends the process after the last step. */
  listen(): this {
    this.#process.on('SIGINT', () => this.#onSignal('SIGINT'));
    this.#process.on('SIGTERM', () => this.#onSignal('SIGTERM'));
    // The terminal was closed, or the connection to it lost.
    this.#process.on('SIGHUP', () => this.#onSignal('SIGHUP'));
    this.#process.on('disconnect', () => this.end('parent_gone', 0));
    return this;
  }

  /** Ends the process after its steps because of an error. */
  fail(error: unknown): void {
    this.#options.logger.fatal({ err: error }, 'process fails');
    this.end('failure', 1);
  }

  /** Ends the process with `code` after its steps. */
  end(reason: string, code: number): void {
    const limit = setTimeout(() => {
      this.#options.logger.error({ reason }, 'shutdown takes too long');
      this.#process.exit(1);
    }, this.#options.limitMs ?? 45_000);
    limit.unref();
    void this.run(reason).finally(() => {
      clearTimeout(limit);
      this.#process.exit(code);
    });
  }

  /** Runs the steps; a further call joins the first. */
  run(reason: string): Promise<void> {
    this.#running ??= this.#stop(reason);
    return this.#running;
  }

  #onSignal(signal: string): void {
    if (this.#firstSignalAtMs === undefined) {
      this.#firstSignalAtMs = performance.now();
      this.end(signal, 0);
    } else if (performance.now() - this.#firstSignalAtMs >= SAME_SIGNAL_MS) {
      if (!this.#hurry.signal.aborted) this.#options.logger.warn({ signal }, 'second signal: not waiting any longer');
      this.#hurry.abort();
    }
  }

  async #stop(reason: string): Promise<void> {
    const { logger } = this.#options;
    logger.info({ reason }, 'stopping');
    this.#requested.abort();
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.run(this.#hurry.signal);
        logger.debug({ step: step.name }, 'stopped');
      } catch (error) {
        logger.error({ step: step.name, err: error }, 'step of the shutdown failed');
      }
    }
    logger.info({ reason }, 'stopped');
  }
}
