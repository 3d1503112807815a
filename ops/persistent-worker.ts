import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { Backoff } from './backoff';
import type { Logger } from './logger';
import type { Sleep } from './retry';

/** A worker that has run for a minute was no failed start. */
const RESTARTS = { pauseMs: 200, maximumPauseMs: 5_000, stableMs: 60_000 };

export interface PersistentWorkerOptions {
  readonly name: string;
  /** A worker that takes another one's place gets a connection of its own: the old one may be what failed. */
  readonly connect: () => Promise<NativeConnection>;
  readonly create: (connection: NativeConnection) => Promise<Worker>;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/**
 * A worker that goes on whatever happens to Temporal. The SDK repeats its polls by itself; should it give a worker up all
 * the same, another one takes its place.
 *
 *     starting → running ⇄ (pause) → stopped
 */
export class PersistentWorker {
  readonly #options: PersistentWorkerOptions;
  readonly #stopped = new AbortController();
  #worker: Worker | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: PersistentWorkerOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#worker?.getState() === 'RUNNING';
  }

  /** Resolves when the first worker runs; waits for Temporal as long as it takes. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop = this.#keepRunning(resolve);
    });
  }

  /** Lets what is under way end within the worker's own grace time. */
  async shutdown(): Promise<void> {
    this.#stopped.abort();
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown();
    await this.#loop;
  }

  async #keepRunning(onRunning: () => void): Promise<void> {
    const { name, logger, sleep = sleepOnTimer } = this.#options;
    const { signal } = this.#stopped;
    const backoff = new Backoff(RESTARTS);
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      let connection: NativeConnection | null = null;
      try {
        connection = await this.#options.connect();
        if (signal.aborted) return;
        const worker = await this.#options.create(connection);
        this.#worker = worker;
        const run = worker.run();
        onRunning();
        if (this.#isStopped()) worker.shutdown();
        await run;
      } catch (error) {
        logger.error({ worker: name, err: error }, 'worker failed and is started again');
      } finally {
        await connection?.close().catch(() => undefined); // a worker that did not end in time still holds it
      }
      const pauseMs = backoff.next(performance.now() - startedAtMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined); // stopped
    }
  }

  /** Asked again after an await. */
  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }
}
