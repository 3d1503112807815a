/** Shared by the activity that watches a node and by the node's registration: is it watched, and is it over? */
export class NodeLifetime {
  readonly stopped: Promise<'stopped'>;
  #resolve: (value: 'stopped') => void = () => undefined;
  #watchedAtMs: number;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
    this.#watchedAtMs = nowMs();
    this.stopped = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The node's workflow watches this boot at this moment. */
  watched(): void {
    this.#watchedAtMs = this.#nowMs();
  }

  get unwatchedMs(): number {
    return this.#nowMs() - this.#watchedAtMs;
  }

  stop(): void {
    this.#resolve('stopped');
  }
}
