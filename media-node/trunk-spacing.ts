import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import type { Sleep } from '../ops/retry';

/** Asked so long before it leaves: as a rule the answer is there by then. */
const LEAD_MS = 20;

/** Between two INVITEs at least: a little less than between two turns, so that what has come late is made up for. */
const leastMs = (spacingMs: number): number => spacingMs - Math.max(0.02 * spacingMs, Math.min(0.1 * spacingMs, 5));
/** What of the time that a timer or a question is late the next one makes up for at once. */
const slackMs = (spacingMs: number): number => Math.min(0.25 * spacingMs, 10);

export interface Departing<Refusal> {
  /** Nobody waits for it any more: it takes no turn. */
  readonly isOver: () => boolean;
  /** Asked right before it leaves, with how long it has waited here: why it is not to; null: it is. */
  readonly refusal: (waitedMs: number) => Promise<Refusal | null>;
}

const WANTED: Departing<never> = { isOver: () => false, refusal: () => Promise.resolve(null) };

export interface TrunkSpacingOptions {
  /** Monotonic; for tests, as the next one. */
  readonly nowMs?: () => number;
  readonly sleep?: Sleep;
}

interface Departure {
  readonly settled: Promise<void>;
  /** When it left, or the one before it where this one did not; null as long as it waits. */
  leftMs: number | null;
  readonly spacingMs: number;
}

/**
 * The ledger says when the turn of an INVITE is; a PostgreSQL that answers late or a busy node makes it later, and the next
 * one, which comes in time, would follow it too soon. So on the way out of this node they are kept apart once more. What a
 * trunk sends over several nodes at a time is spaced by the ledger alone.
 */
export class TrunkSpacing {
  readonly #nowMs: () => number;
  readonly #sleep: Sleep;
  /** By trunk: the last one. */
  readonly #last = new Map<string, Departure>();

  constructor({ nowMs, sleep }: TrunkSpacingOptions = {}) {
    this.#nowMs = nowMs ?? ((): number => performance.now());
    this.#sleep = sleep ?? sleepOnTimer;
  }

  /**
   * Resolves when the next INVITE of a trunk may leave, in the order of the calls of this function; or with its refusal.
   * @param spacingMs from turn to turn, by the trunk's calls per second
   * @throws what `refusal` rejects with
   */
  async depart<Refusal>(
    trunkId: string,
    spacingMs: number,
    { isOver, refusal }: Departing<Refusal> = WANTED,
  ): Promise<Refusal | null> {
    const sinceMs = this.#nowMs();
    const before = this.#last.get(trunkId);
    let settle: () => void = () => undefined;
    const own: Departure = { settled: new Promise((resolve) => (settle = resolve)), leftMs: null, spacingMs };
    this.#last.set(trunkId, own);
    await before?.settled;
    const beforeMs = before?.leftMs ?? -Infinity;
    const dueMs = beforeMs + leastMs(spacingMs);
    try {
      if (!isOver()) await this.#until(dueMs - LEAD_MS);
      if (isOver()) return null;
      const refused = await refusal(this.#nowMs() - sinceMs);
      if (refused !== null) return refused;
      await this.#until(dueMs);
      const nowMs = this.#nowMs();
      // Who did not wait for another has left when it came.
      own.leftMs = dueMs > sinceMs ? Math.max(dueMs, nowMs - slackMs(spacingMs)) : nowMs;
      return null;
    } finally {
      own.leftMs ??= beforeMs;
      settle();
    }
  }

  /** Trunks that have been at rest since. */
  forget(): void {
    const nowMs = this.#nowMs();
    for (const [trunkId, { leftMs, spacingMs }] of this.#last) {
      if (leftMs !== null && nowMs - leftMs > spacingMs) this.#last.delete(trunkId);
    }
  }

  async #until(atMs: number): Promise<void> {
    const waitMs = Math.floor(atMs - this.#nowMs());
    if (waitMs > 0) await this.#sleep(waitMs, undefined, {});
  }
}
