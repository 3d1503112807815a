import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Logger } from './logger';

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;
/** A worker that has run this long was no failed start. */
const STEADY_MS = 60_000;

export interface PersistentWorkerOptions {
  readonly name: string;
  /** A worker that takes another one's place gets a connection of its own: the old one may be what failed. */
  readonly connect: () => Promise<NativeConnection>;
  readonly create: (connection: NativeConnection) => Promise<Worker>;
  readonly logger: Logger;
}

/**
 * A worker that goes on whatever happens to Temporal. The SDK repeats its polls by itself; should it give a worker up all
 * the same, another one takes its place.
 *
 *     starting → running ⇄ (pause) → stopped
 */
export class PersistentWorker {
  readonly #options: PersistentWorkerOptions;
  #worker: Worker | null = null;
  #stopped = false;
  #loop: Promise<void> | null = null;
  #wake: () => void = () => undefined;

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
    this.#stopped = true;
    this.#wake();
    if (this.#worker?.getState() === 'RUNNING') this.#worker.shutdown();
    await this.#loop;
  }

  async #keepRunning(onRunning: () => void): Promise<void> {
    const { name, logger } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#stopped) {
      const startedAtMs = performance.now();
      let connection: NativeConnection | null = null;
      try {
        connection = await this.#options.connect();
        if (this.#stopped) return;
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
      if (this.#stopped) return;
      if (performance.now() - startedAtMs > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }

  /** Asked again after an await. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
