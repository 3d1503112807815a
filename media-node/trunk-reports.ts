import type { NodeBoot } from '../contract/nodes';
import type { TrunkHealth } from '../contract/trunk-health';
import type { Logger } from '../ops/logger';
import type { TrunkHealthReport, TrunkHealthRepository } from '../store/repositories/trunk-health-repository';

export interface TrunkReportsOptions {
  readonly boot: NodeBoot;
  readonly store: Pick<TrunkHealthRepository, 'report'>;
  readonly logger: Logger;
}

const EVERY_MS = 1_000;
const MAX_ROWS = 500;

/** What is known of trunks, on its way to PostgreSQL: the newest of each, in batches; while PostgreSQL is away it waits. */
export class TrunkReports {
  readonly #options: TrunkReportsOptions;
  readonly #waiting = new Map<string, TrunkHealthReport>();
  /** What the trunks' workflows were told last. */
  readonly #told = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;

  constructor(options: TrunkReportsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), EVERY_MS);
  }

  add(trunkId: string, health: TrunkHealth): void {
    this.#waiting.set(trunkId, { trunkId, health, toldSinceMs: this.#told.get(trunkId) ?? null });
  }

  /** @param health as it is now */
  told(trunkId: string, sinceMs: number, health: TrunkHealth): void {
    this.#told.set(trunkId, sinceMs);
    this.add(trunkId, health);
  }

  /** The trunk is this node's no more. */
  forget(trunkId: string): void {
    this.#waiting.delete(trunkId);
    this.#told.delete(trunkId);
  }

  /** Resolves when what waited has been tried once. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#writing;
    await this.flush();
  }

  async #write(): Promise<void> {
    const { boot, store, logger } = this.#options;
    const all = [...this.#waiting.values()];
    for (let from = 0; from < all.length; from += MAX_ROWS) {
      const batch = all.slice(from, from + MAX_ROWS);
      try {
        const stored = new Set(await store.report(boot, batch));
        for (const report of batch) {
          if (stored.has(report.trunkId) && this.#waiting.get(report.trunkId) === report) {
            this.#waiting.delete(report.trunkId);
          }
        }
      } catch (error) {
        logger.debug({ err: error, trunks: all.length }, 'health of trunks is stored later');
        return;
      }
    }
  }
}
