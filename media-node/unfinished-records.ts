/**
 * Calls of this node that have ended and whose record is not complete yet: how far what comes after a call is behind. Their
 * records are asked for, since a workflow tells nobody that it has completed.
 */
import type { Logger } from '../ops/logger';
import { STUCK } from './node-load';

const EVERY_MS = 500;
/** Asked for at once, the oldest first. */
const MAX_ASKED = 500;
/**
 * When no record at all is completed for so long, whoever completes them is away, and to refuse calls would not bring them back:
 * calls go on without. What has ended until then says nothing about how much is too much.
 */
const AWAY_MS = 2_000;
/** Until that is sure nobody is refused for it. */
const QUIET_MS = 1_250;

export interface UnfinishedRecordsOptions {
  /** Which of these calls have a complete record. */
  readonly completed: (callIds: readonly string[]) => Promise<readonly string[]>;
  readonly logger: Logger;
  readonly nowMs?: () => number;
}

export class UnfinishedRecords {
  readonly #options: UnfinishedRecordsOptions;
  readonly #nowMs: () => number;
  /** When they ended, in this order. */
  readonly #endedMs = new Map<string, number>();
  /** When a record was last found complete, or none was missing. */
  #progressMs: number;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  constructor(options: UnfinishedRecordsOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.#progressMs = this.#nowMs();
  }

  get size(): number {
    return this.#endedMs.size;
  }

  /** How long ago the oldest of these calls ended, but for a few that may be stuck. */
  get behindMs(): number {
    if (this.#nowMs() - this.#progressMs > QUIET_MS) return 0;
    let skipped = 0;
    for (const endedMs of this.#endedMs.values()) if (skipped++ === STUCK) return this.#nowMs() - endedMs;
    return 0;
  }

  ended(callId: string): void {
    if (this.#endedMs.size === 0) this.#progressMs = this.#nowMs();
    this.#endedMs.set(callId, this.#nowMs());
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#looking || this.#endedMs.size === 0) return;
    this.#looking = true;
    try {
      const found = await this.#options.completed([...this.#endedMs.keys()].slice(0, MAX_ASKED));
      for (const callId of found) this.#endedMs.delete(callId);
      if (found.length > 0) this.#progressMs = this.#nowMs();
      else if (this.#nowMs() - this.#progressMs > AWAY_MS) this.#endedMs.clear();
    } catch (error) {
      // Without PostgreSQL no record can be completed, nor is it known which are.
      this.#options.logger.debug({ err: error }, 'records of ended calls cannot be asked for');
      this.#endedMs.clear();
    } finally {
      this.#looking = false;
    }
  }
}
