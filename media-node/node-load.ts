/**
 * What a node refuses because others are behind: Temporal with the starts or the state events of its calls, or Temporal, worker
 * and PostgreSQL with the records of those that have ended. The further behind, the larger the share, so that what is let in settles at what
 * they keep up with: no pendulum between all and nothing.
 */
import type { Overload, OverloadReason } from '../contract/directory';

/** For starts, which callers wait for: from the first on some calls are refused, from the second on all. */
const STARTS_MS = { from: 500, to: 1_500 } as const;
/** For the rest all calls are refused when it is so many times further behind than it may be. */
const ALL_AT = 3;
/** Whoever is behind is so with many: these few may be stuck, or have ended at one instant, and are no load. */
export const STUCK = 24;
/** INVITEs may come by the thousand; what they are told is so old at most. */
const KEPT_MS = 100;

export interface NodeLoadOptions {
  /** So far state events and records may be behind. A record is usually complete some tenths of a second after its call. */
  readonly maxBehindMs: number;
  /** For how long the oldest start of a workflow, but for those that are stuck, has been waited for. */
  readonly startsBehindMs: () => number;
  /** For how long the oldest state event, but for those that are stuck, has waited for its acknowledgement. */
  readonly stateEventsBehindMs: () => number;
  /** The same of an ended call for its record. */
  readonly recordsBehindMs: () => number;
  readonly nowMs?: () => number;
}

export class NodeLoad {
  readonly #options: NodeLoadOptions;
  readonly #nowMs: () => number;
  #overload: Overload | null = null;
  #lookedMs = -Infinity;

  constructor(options: NodeLoadOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
  }

  get overload(): Overload | null {
    const now = this.#nowMs();
    if (now - this.#lookedMs < KEPT_MS) return this.#overload;
    this.#lookedMs = now;
    const { maxBehindMs, startsBehindMs, stateEventsBehindMs, recordsBehindMs } = this.#options;
    const rest = { from: maxBehindMs, to: ALL_AT * maxBehindMs };
    const starts = overloadOf('starts', startsBehindMs(), STARTS_MS);
    const events = overloadOf('state_events', stateEventsBehindMs(), rest);
    const records = overloadOf('records', recordsBehindMs(), rest);
    this.#overload = larger(larger(starts, events), records);
    return this.#overload;
  }
}

function larger(one: Overload | null, other: Overload | null): Overload | null {
  return (one?.share ?? 0) >= (other?.share ?? 0) ? one : other;
}

function overloadOf(
  reason: OverloadReason,
  behindMs: number,
  { from, to }: { readonly from: number; readonly to: number },
): Overload | null {
  const share = Math.min(1, (behindMs - from) / (to - from));
  return share > 0 ? { reason, share } : null;
}
