/** Longer than a loop that works is ever held up, and shorter than any silence for which a boot is given up. */
const STANDSTILL_MS = 3_000;
/** What reached the node while it stood still is handed over within this. */
const STALE_WORK_MS = 2_000;

export type Standing = 'good' | 'doubtful' | 'lost';

export interface NodeStandingOptions {
  readonly onLost?: () => void;
  /** Monotonic; for tests. */
  readonly nowMs?: () => number;
  /** A machine that was put to sleep may find its monotonic clock where it was. */
  readonly epochMs?: () => number;
}

/**
 * May this boot act for its calls?
 *
 *     good ⇄ doubtful → lost
 *       └───────────────↗
 *
 * `doubtful`: it stood still, or its watch ended without a word; others may have declared it lost meanwhile. Only an
 * answer that was asked for after the doubt arose ends it. Until then no new calls are taken, and what there is goes on:
 * with PostgreSQL and Temporal away nobody can have given it up since. `lost` is final.
 */
export class NodeStanding {
  readonly #onLost: () => void;
  readonly #nowMs: () => number;
  readonly #epochMs: () => number;
  #lost = false;
  #doubtedAtMs: number | null = null;
  #tickedAtMs: number;
  #tickedAtEpochMs: number;
  #backAtMs = -Infinity;

  constructor(options: NodeStandingOptions = {}) {
    this.#onLost = options.onLost ?? ((): void => undefined);
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.#epochMs = options.epochMs ?? Date.now;
    this.#tickedAtMs = this.#nowMs();
    this.#tickedAtEpochMs = this.#epochMs();
  }

  /** Asked for by what comes in first after a standstill: it does not wait for the next tick. */
  get current(): Standing {
    if (this.#lost) return 'lost';
    this.#look();
    return this.#doubtedAtMs === null ? 'good' : 'doubtful';
  }

  /** It stood still until a moment ago: what reaches it now may have been given up by who asked for it. */
  get justBack(): boolean {
    this.#look();
    return this.#nowMs() - this.#backAtMs < STALE_WORK_MS;
  }

  /** Each second, as long as the loop runs. */
  tick(): void {
    this.#look();
    this.#tickedAtMs = this.#nowMs();
    this.#tickedAtEpochMs = this.#epochMs();
  }

  doubt(): void {
    this.#doubtedAtMs = this.#nowMs();
  }

  /** Asks somebody who must know; to be called when he has said that the boot is not lost. */
  ask(): () => void {
    this.#look();
    const askedAtMs = this.#nowMs();
    return () => {
      if (this.#doubtedAtMs !== null && askedAtMs >= this.#doubtedAtMs) this.#doubtedAtMs = null;
    };
  }

  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost();
  }

  #look(): void {
    const nowMs = this.#nowMs();
    const gapMs = Math.max(nowMs - this.#tickedAtMs, this.#epochMs() - this.#tickedAtEpochMs);
    if (gapMs <= STANDSTILL_MS) return;
    this.#tickedAtMs = nowMs;
    this.#tickedAtEpochMs = this.#epochMs();
    this.#doubtedAtMs = nowMs;
    this.#backAtMs = nowMs;
  }
}
