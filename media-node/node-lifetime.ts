import type { WatchTask } from '../workflows/client/node-workflows';

/** Shared by the activity that watches a node and by the node's registration: is it watched, and is it over? */
export class NodeLifetime {
  readonly stopped: Promise<'stopped'>;
  #resolve: (value: 'stopped') => void = () => undefined;
  #watchedAtMs: number;
  #task: WatchTask | null = null;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#watchedAtMs = nowMs();
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The node's workflow watches this boot at this moment, by this activity. */
  watched(task: WatchTask | null = this.#task): void {
    this.#watchedAtMs = this.#nowMs();
    this.#task = task;
  }

  /** The activity that watched last, null before the first. */
  get task(): WatchTask | null {
    return this.#task;
  }

  get unwatchedMs(): number {
    return this.#nowMs() - this.#watchedAtMs;
  }

  stop(): void {
    this.#resolve('stopped');
  }
}
