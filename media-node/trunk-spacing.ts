import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import type { Sleep } from '../ops/retry';

/** Of the time between two turns; the rest is for what has come late, so that its lateness is made up for little by little. */
const SHARE = 0.98;

export interface TrunkSpacingOptions {
  /** Monotonic; for tests, as the next one. */
  readonly nowMs?: () => number;
  readonly sleep?: Sleep;
}

/**
 * The ledger says when the turn of an INVITE is; a PostgreSQL that answers late or a busy node makes it later, and the next
 * one, which comes in time, would follow it too soon. So on the way out of this node they are kept apart once more. What a
 * trunk sends over several nodes at a time is spaced by the ledger alone.
 */
export class TrunkSpacing {
  readonly #nowMs: () => number;
  readonly #sleep: Sleep;
  /** By trunk: of the last one, when it left; null as long as it waits. */
  readonly #last = new Map<
    string,
    { readonly left: Promise<void>; leftMs: number | null; readonly spacingMs: number }
  >();

  constructor({ nowMs, sleep }: TrunkSpacingOptions = {}) {
    this.#nowMs = nowMs ?? ((): number => performance.now());
    this.#sleep = sleep ?? sleepOnTimer;
  }

  /**
   * Resolves when the next INVITE of a trunk may leave, in the order of the calls of this function.
   * @param spacingMs from turn to turn, by the trunk's calls per second
   */
  async depart(trunkId: string, spacingMs: number): Promise<void> {
    const before = this.#last.get(trunkId);
    let leave: () => void = () => undefined;
    const own = { left: new Promise<void>((resolve) => (leave = resolve)), leftMs: null as number | null, spacingMs };
    this.#last.set(trunkId, own);
    try {
      await before?.left;
      const dueMs = (before?.leftMs ?? -Infinity) + SHARE * spacingMs;
      const waitMs = Math.ceil(dueMs - this.#nowMs());
      if (waitMs > 0) await this.#sleep(waitMs, undefined, {});
    } finally {
      own.leftMs = this.#nowMs();
      leave();
    }
  }

  /** Trunks that have been at rest since. */
  forget(): void {
    const nowMs = this.#nowMs();
    for (const [trunkId, { leftMs, spacingMs }] of this.#last) {
      if (leftMs !== null && nowMs - leftMs > spacingMs) this.#last.delete(trunkId);
    }
  }
}
