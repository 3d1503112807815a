import type { WatchTask } from '../workflows/client/node-workflows';
import { NodeStanding } from './node-standing';
import type { NodeStandingOptions } from './node-standing';

/** Shared by the activity that watches a node and by the node's registration: is it watched, and is it over? */
export class NodeLifetime {
  readonly standing: NodeStanding;
  readonly stopped: Promise<'stopped'>;
  #resolve: (value: 'stopped') => void = () => undefined;
  #watchedAtMs: number;
  #task: WatchTask | null = null;
  readonly #nowMs: () => number;

  constructor(options: NodeStandingOptions = {}) {
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
    this.standing = new NodeStanding(options);
    this.#watchedAtMs = this.#nowMs();
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

  /** The watch was ended, as it is when the node's workflow has not heard of it for too long. */
  unwatched(): void {
    this.standing.doubt();
  }

  /** A dial that reaches it now was not given up while it stood still. */
  get steady(): boolean {
    return this.standing.current === 'good' && !this.standing.justBack;
  }

  get unwatchedMs(): number {
    return this.#nowMs() - this.#watchedAtMs;
  }

  stop(): void {
    this.#resolve('stopped');
  }
}
