import { Semaphore } from '../../ops/semaphore';

/** How many starts of workflows are under way at once: beyond what the server takes, only waiting grows. */
export class StartGate {
  readonly #places: Semaphore;
  readonly #maxWaitMs: number;

  constructor(options: { readonly limit: number; readonly maxWaitMs: number }) {
    this.#places = new Semaphore(options.limit);
    this.#maxWaitMs = options.maxWaitMs;
  }

  get active(): number {
    return this.#places.taken;
  }

  /** Runs `task` in its turn; undefined when none came within the longest wait. */
  async run<T>(task: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    if (!(await this.#places.acquire({ maxWaitMs: this.#maxWaitMs }))) return undefined;
    try {
      return { value: await task() };
    } finally {
      this.#places.release();
    }
  }
}
