import { setTimeout as sleep } from 'node:timers/promises';

import { Backoff } from '../../ops/backoff';
import type { Logger } from '../../ops/logger';
import { isAlive } from '../process/pid-file';
import type { ProcessRecord } from '../process/pid-file';
import { LIMITED_RESTARTS } from './restart-policy';

/** `PostgresServer` and `TemporalServer`: started again they keep ports and data. */
interface RestartableServer {
  readonly record: ProcessRecord | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It runs, and says itself that it serves nothing. Never rejects. */
  isBroken?(): Promise<boolean>;
}

export interface WatchedServerOptions {
  readonly name: string;
  readonly server: RestartableServer;
  readonly logger: Logger;
  readonly backoff?: Backoff;
  /** How often a server that runs is asked whether it is broken. Default 2 s. */
  readonly askEveryMs?: number;
  readonly onGiveUp: (error: Error) => void;
}

/** Also a server taken over from a killed supervisor is watched, and that is nobody's child: so by looking. */
const LOOK_EVERY_MS = 200;
const ASK_EVERY_MS = 2_000;
/** In a row: one may be of a moment that passes. */
const BROKEN_ANSWERS = 3;

/** Starts an embedded server again when it dies, and when it lives and yet serves nothing. */
export class WatchedServer {
  readonly #options: WatchedServerOptions;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #starting: Promise<void> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();
  #askAtMs = 0;
  #brokenAnswers = 0;

  constructor(options: WatchedServerOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? new Backoff(LIMITED_RESTARTS);
  }

  async start(): Promise<void> {
    const { name, server, logger } = this.#options;
    const startedMs = performance.now();
    this.#starting = server.start();
    await this.#starting;
    logger.info(
      { process: name, pid: server.record?.pid, tookMs: Math.round(performance.now() - startedMs) },
      'server ready',
    );
    if (!this.#stopped.signal.aborted) this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    // What is only starting has to be there before it can be stopped.
    await this.#starting.catch(() => undefined);
    await this.#watching;
    await this.#options.server.stop();
  }

  async #watch(): Promise<void> {
    const { name, server, logger } = this.#options;
    let upSinceMs = performance.now();
    while (await this.#wait(LOOK_EVERY_MS)) {
      const failure = await this.#failure();
      if (failure === null) continue;
      const waitMs = this.#backoff.next(performance.now() - upSinceMs);
      if (this.#backoff.exhausted) {
        this.#options.onGiveUp(new Error(`${name} ended ${this.#backoff.failures} times in a row`));
        return;
      }
      logger.error({ process: name, waitMs }, `${failure}: starting it again`);
      // The first restart is immediate: every live call waits for it.
      if (this.#backoff.failures > 1 && !(await this.#wait(waitMs))) return;
      try {
        upSinceMs = performance.now();
        await server.start();
        logger.info({ process: name, tookMs: Math.round(performance.now() - upSinceMs) }, 'server ready again');
      } catch (error) {
        logger.error({ process: name, err: error }, 'server does not start');
      }
    }
  }

  /** Why it is to be started again; what is broken is stopped first. */
  async #failure(): Promise<string | null> {
    const { server, askEveryMs = ASK_EVERY_MS } = this.#options;
    if (server.record === undefined || !isAlive(server.record)) return 'server died';
    if (server.isBroken === undefined || performance.now() < this.#askAtMs) return null;
    this.#brokenAnswers = (await server.isBroken()) ? this.#brokenAnswers + 1 : 0;
    this.#askAtMs = performance.now() + askEveryMs;
    if (this.#brokenAnswers < BROKEN_ANSWERS) return null;
    this.#brokenAnswers = 0;
    await server.stop();
    return 'server serves nothing any more';
  }

  /** `false` when the watch is over. */
  async #wait(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.#stopped.signal });
      return true;
    } catch {
      return false; // aborted: the only way a sleep fails
    }
  }
}
