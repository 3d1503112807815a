/** How many starts of workflows are under way at once: beyond what the server takes, only waiting grows. */
export class StartGate {
  readonly #limit: number;
  readonly #maxWaitMs: number;
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(options: { readonly limit: number; readonly maxWaitMs: number }) {
    this.#limit = options.limit;
    this.#maxWaitMs = options.maxWaitMs;
  }

  get active(): number {
    return this.#active;
  }

  /** Runs `task` in its turn; undefined when none came within the longest wait. */
  async run<T>(task: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    if (!(await this.#enter())) return undefined;
    try {
      return { value: await task() };
    } finally {
      this.#leave();
    }
  }

  #enter(): Promise<boolean> {
    if (this.#active < this.#limit) {
      this.#active += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admitted = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(admitted), 1);
        resolve(false);
      }, this.#maxWaitMs);
      this.#waiting.push(admitted);
    });
  }

  /** The place goes to the next in line, if there is one, without becoming free between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active -= 1;
    else next();
  }
}
