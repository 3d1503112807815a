import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { NodePresence } from '../../contract/nodes';

export interface NodeWatchState {
  /** The boot that is being watched. */
  readonly bootId: string | null;
  readonly lostBoots: readonly string[];
}

export type Verdict = 'alive' | 'lost' | 'unclear';

/** Boots that were replaced or lost are remembered, so that a late word of theirs is recognised. */
const REMEMBERED_BOOTS = 20;

/** Which boot of a media node is the current one, and which are lost. Pure. */
export class NodeWatch {
  #bootId: string | null;
  #lostBoots: string[];

  constructor(state: NodeWatchState) {
    this.#bootId = state.bootId;
    this.#lostBoots = [...state.lostBoots];
  }

  get bootId(): string | null {
    return this.#bootId;
  }

  get state(): NodeWatchState {
    return { bootId: this.#bootId, lostBoots: [...this.#lostBoots] };
  }

  isLost(bootId: string): boolean {
    return this.#lostBoots.includes(bootId);
  }

  /** True when it is news: the boot before, if any, is lost from here on. */
  started(bootId: string): boolean {
    if (this.#bootId === bootId) return false;
    if (this.#bootId !== null) this.#remember(this.#bootId);
    this.#lostBoots = this.#lostBoots.filter((boot) => boot !== bootId);
    this.#bootId = bootId;
    return true;
  }

  /** Orderly: nothing of it is left. */
  stopped(bootId: string): boolean {
    if (this.#bootId !== bootId) return false;
    this.#bootId = null;
    return true;
  }

  lost(bootId: string): void {
    this.#remember(bootId);
    if (this.#bootId === bootId) this.#bootId = null;
  }

  #remember(bootId: string): void {
    if (!this.#lostBoots.includes(bootId)) this.#lostBoots.push(bootId);
    this.#lostBoots = this.#lostBoots.slice(-REMEMBERED_BOOTS);
  }
}

/**
 * `ping`: the boot that answered, null when none did. Loss = another boot answers, or nobody answers and the node has
 * been silent for too long. `presence` is `unknown` while PostgreSQL is away: then nothing is decided.
 */
export function judge(bootId: string, ping: string | null, presence: NodePresence | null | 'unknown'): Verdict {
  if (ping !== null) return ping === bootId ? 'alive' : 'lost';
  if (presence === 'unknown') return 'unclear';
  if (presence === null) return 'lost';
  if (presence.bootId !== bootId || presence.silentMs > NODE_SILENCE_MS) return 'lost';
  return 'unclear';
}
