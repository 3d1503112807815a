/** How many calls a campaign may start at a moment, and by which of its trunks: few more than leave within a second. */

export interface TurnTrunk {
  readonly id: string;
  readonly maxCallsPerSecond: number | null;
  readonly maxConcurrentCalls: number | null;
  /** Slots that are taken, by whomever. */
  readonly leases: number;
  /** Calls of this campaign that were started and have no turn yet. */
  readonly undialled: number;
  /** Those that have one: a slot is theirs, and the INVITE leaves in a moment. */
  readonly admitted: number;
  /** The carrier wants to be left in peace for so long; 0: it does not. */
  readonly coolMs: number;
}

export interface TurnLimits {
  readonly maxConcurrentCalls: number | null;
  readonly callsPerSecond: number | null;
  /** 1, or less where a guard has slowed the campaign. */
  readonly pace: number;
  /** Contacts with a call under way. */
  readonly calling: number;
  /** Of the organisation; null: no limit. */
  readonly organisationFree: number | null;
}

/**
 * A node waits a second for the turn of a call; one whose turn is later waits in its workflow, and asks again. By the time that it asks
 * a call has come nearer: as a rule it asks once, and the trunk has calls for as long as a turn of dialling may be late.
 */
const AHEAD_SECONDS = 1.25;
/** Without a rate: as many as are started in one turn. */
const UNLIMITED_AHEAD = 20;

interface TrunkRoom {
  readonly trunk: TurnTrunk;
  left: number;
  taken: number;
}

/** The calls that wait are few, so that a pause has few to recall; the ledger is what spaces them. */
export class TurnRoom {
  readonly #trunks: readonly TrunkRoom[];
  #left: number;

  constructor(trunks: readonly TurnTrunk[], limits: TurnLimits) {
    const { pace } = limits;
    const ahead = (perSecond: number | null): number =>
      Math.max(1, Math.floor(perSecond === null ? UNLIMITED_AHEAD * pace : AHEAD_SECONDS * perSecond * pace));
    this.#trunks = trunks
      .filter(({ coolMs }) => coolMs <= 0)
      .map((trunk) => {
        const free =
          trunk.maxConcurrentCalls === null ? Infinity : Math.max(0, trunk.maxConcurrentCalls - trunk.leases);
        const left = Math.min(ahead(trunk.maxCallsPerSecond) - trunk.admitted, free + 1) - trunk.undialled;
        return { trunk, left, taken: 0 };
      });
    const undialled = trunks.reduce((sum, trunk) => sum + trunk.undialled, 0);
    const admitted = trunks.reduce((sum, trunk) => sum + trunk.admitted, 0);
    this.#left = Math.min(
      (limits.maxConcurrentCalls ?? Infinity) - limits.calling,
      limits.callsPerSecond === null ? Infinity : ahead(limits.callsPerSecond) - undialled - admitted,
      limits.organisationFree === null ? Infinity : limits.organisationFree + 1 - undialled,
    );
  }

  /** How many calls there is room for; fewer where a trunk may not call a number. */
  get left(): number {
    const ofTrunks = this.#trunks.reduce((sum, { left }) => sum + Math.max(0, left), 0);
    return Math.max(0, Math.min(this.#left, ofTrunks));
  }

  /** Of those that may be used the one that has taken the least for its rate; null: there is no room. */
  take<Trunk extends TurnTrunk>(allowed: readonly Trunk[]): Trunk | null {
    const ids = new Map(allowed.map((trunk) => [trunk.id, trunk]));
    let best: TrunkRoom | null = null;
    for (const candidate of this.#left > 0 ? this.#trunks : []) {
      if (candidate.left <= 0 || !ids.has(candidate.trunk.id)) continue;
      if (best === null || load(candidate) < load(best)) best = candidate;
    }
    if (best === null) return null;
    best.left -= 1;
    best.taken += 1;
    this.#left -= 1;
    return ids.get(best.trunk.id) ?? null;
  }
}

function load({ trunk, taken }: TrunkRoom): number {
  return (taken + trunk.undialled + trunk.admitted + 1) / (trunk.maxCallsPerSecond ?? UNLIMITED_AHEAD);
}
