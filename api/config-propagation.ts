/**
 * How long a change of the configuration is waited for. An answer that does not say `propagating` means that every media
 * node acts on it: the very next INVITE is judged by it.
 */
import { setTimeout as sleepOnTimer } from 'node:timers/promises';
import { NODE_SILENCE_MS } from '../contract/nodes';
import type { RouteAnswer } from './route';
import type { ApiStore } from './store';

/** An answer is held back no longer. */
const WITHIN_MS = 200;
/** A node hears of the change by NOTIFY and has loaded it some milliseconds later. */
const LOOK_EVERY_MS = 10;

export class ConfigPropagation {
  readonly #store: Pick<ApiStore, 'config' | 'mediaNodes'>;

  constructor(store: Pick<ApiStore, 'config' | 'mediaNodes'>) {
    this.#store = store;
  }

  /** Whether some node that lives does not act on this version yet. Where no node lives nobody is behind. */
  isBehind(version: number): Promise<boolean> {
    return this.#store.mediaNodes.isBehind(version, NODE_SILENCE_MS);
  }

  /** The answer to a change when all nodes act on it, or with `propagating`. */
  async awaited(change: Promise<RouteAnswer>): Promise<RouteAnswer> {
    const answer = await change;
    // At least the version of the change, also when the answer is one that was saved.
    const version = await this.#store.config.currentVersion();
    return (await this.reached(version))
      ? answer
      : { ...answer, body: { ...(answer.body as object), propagating: true } };
  }

  /** Whether all nodes act on this version, now or before an answer is held back too long. */
  async reached(version: number): Promise<boolean> {
    const untilMs = performance.now() + WITHIN_MS;
    while (await this.isBehind(version)) {
      if (performance.now() + LOOK_EVERY_MS > untilMs) return false;
      await sleepOnTimer(LOOK_EVERY_MS);
    }
    return true;
  }
}
