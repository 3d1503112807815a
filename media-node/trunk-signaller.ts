import { setMaxListeners } from 'node:events';
import type { TrunkHealth } from '../contract/trunk-health';
import type { Logger } from '../ops/logger';
import { retry } from '../ops/retry';
import type { Sleep } from '../ops/retry';
import { Semaphore } from '../ops/semaphore';
import type { SignalOutcome } from '../workflows/client/call-workflows';
import type { TrunkHealthChange } from '../workflows/trunk/messages';

const RETRIES = { pauseMs: 200, maximumPauseMs: 5_000 };
/** Signals under way at once: after an outage every trunk may have one to send. */
const MAX_PARALLEL = 8;

export interface TrunkSignallerOptions {
  readonly nodeId: string;
  /** Rejects while Temporal is away. */
  readonly signal: (trunkId: string, change: TrunkHealthChange) => Promise<SignalOutcome>;
  /** The workflow knows of the change that happened then, or there is none. */
  readonly onTold: (trunkId: string, sinceMs: number) => void;
  readonly logger: Logger;
  /** For tests. */
  readonly sleep?: Sleep;
}

/** The newest change of each trunk's state to its workflow, until it is acknowledged or there is a newer one. */
export class TrunkSignaller {
  readonly #options: TrunkSignallerOptions;
  readonly #waiting = new Map<string, TrunkHealth>();
  readonly #working = new Set<string>();
  readonly #places = new Semaphore(MAX_PARALLEL);
  readonly #closing = new AbortController();

  constructor(options: TrunkSignallerOptions) {
    this.#options = options;
    setMaxListeners(0, this.#closing.signal); // each trunk that waits listens
  }

  tell(trunkId: string, health: TrunkHealth): void {
    this.#waiting.set(trunkId, health);
    if (!this.#working.has(trunkId)) void this.#deliver(trunkId);
  }

  /** Another node tells of the trunk from now on. */
  forget(trunkId: string): void {
    this.#waiting.delete(trunkId);
  }

  /** What was not told by then is told by who looks after the trunk next. */
  close(): void {
    this.#closing.abort();
  }

  async #deliver(trunkId: string): Promise<void> {
    const { logger, sleep } = this.#options;
    this.#working.add(trunkId);
    try {
      while (this.#waiting.has(trunkId)) {
        await retry(() => this.#signal(trunkId), {
          ...RETRIES,
          signal: this.#closing.signal,
          onFailure: (error) => logger.debug({ trunkId, err: error }, "a trunk's health is told again"),
          ...(sleep === undefined ? {} : { sleep }),
        });
      }
    } catch {
      // Nothing but the end of this node ends it.
    } finally {
      this.#working.delete(trunkId);
    }
  }

  async #signal(trunkId: string): Promise<void> {
    await this.#places.acquire();
    try {
      const health = this.#waiting.get(trunkId);
      if (health === undefined) return;
      const { state, reasons, sinceMs } = health;
      const change = { state, reasons, at: new Date(sinceMs).toISOString(), nodeId: this.#options.nodeId };
      await this.#options.signal(trunkId, change);
      if (this.#waiting.get(trunkId) === health) this.#waiting.delete(trunkId);
      this.#options.onTold(trunkId, sinceMs);
    } finally {
      this.#places.release();
    }
  }
}
