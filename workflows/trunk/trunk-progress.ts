import type { TrunkConfirmation } from './activities';
import type { TrunkHealthChange, TrunkState } from './messages';

/** A node may have much to say; an operator reads the beginning of it. */
const MAX_REASONS = 10;

/**
 * How far a trunk's configuration has come, and how the trunk fares. Pure.
 *
 *     pending → looking → confirmed, or pending again when something was told meanwhile
 *
 * What the trunk is stands in the store. So a look that began after a message covers it, in whatever order messages come.
 */
export class TrunkProgress {
  #pending: boolean;
  #looking = false;
  #state: TrunkState;

  /** A new workflow has to look; one that goes on from an earlier run has looked. */
  constructor(resumed?: TrunkState) {
    this.#pending = resumed === undefined;
    this.#state = resumed ?? { confirmed: null, graceUntilMs: null, health: null };
  }

  get pending(): boolean {
    return this.#pending;
  }

  /** Some change is not known to be confirmed. */
  get underWay(): boolean {
    return this.#pending || this.#looking;
  }

  get state(): TrunkState {
    return this.#state;
  }

  /** A version that is confirmed needs no other look; an older one may come from a store that was set back. */
  changed(version: number): void {
    if (version !== this.#state.confirmed?.version) this.#pending = true;
  }

  /** What is told from here on needs another look. */
  looking(): void {
    this.#pending = false;
    this.#looking = true;
  }

  confirmed({ version, nodes, atMs, graceUntilMs }: TrunkConfirmation): void {
    this.#looking = false;
    this.#state = { ...this.#state, confirmed: { version, nodes, atMs }, graceUntilMs };
  }

  /** Epoch ms; null: the old password is gone, which is a change that nodes have to learn of. */
  graceEnds(untilMs: number | null): void {
    this.#state = { ...this.#state, graceUntilMs: untilMs };
    if (untilMs === null) this.#pending = true;
  }

  /** An older word than the last one comes late: it says nothing any more. */
  healthChanged(change: TrunkHealthChange): void {
    const last = this.#state.health;
    if (last !== null && Date.parse(change.at) < Date.parse(last.at)) return;
    this.#state = { ...this.#state, health: { ...change, reasons: change.reasons.slice(0, MAX_REASONS) } };
  }
}
