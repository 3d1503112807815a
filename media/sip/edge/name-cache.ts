import type { Clock } from '../../clock';

/** What a name stands for, and for how long. */
export interface NameAnswer<V> {
  readonly value: V;
  readonly ttlMs: number;
}

interface NameCacheOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly maxNames: number;
  /** How long a failure stands: whoever asks meanwhile gets it at once (RFC 2308 §7). */
  readonly failureTtlMs: (error: unknown) => number;
}

interface Entry<V> {
  readonly value: Promise<V>;
  /** Infinity while the question is under way: whoever asks the same joins it. */
  untilMs: number;
}

/** Answers and failures of one kind of question. Bounded: the name that was asked for longest ago goes first. */
export class NameCache<V> {
  readonly #options: NameCacheOptions;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(options: NameCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Rejects with what `ask` rejected with, then and for as long as that failure stands. */
  get(name: string, ask: () => Promise<NameAnswer<V>>): Promise<V> {
    const { clock, maxNames } = this.#options;
    const known = this.#entries.get(name);
    this.#entries.delete(name);
    const entry = known !== undefined && known.untilMs > clock.now() ? known : this.#begin(ask);
    this.#entries.set(name, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxNames) break;
      this.#entries.delete(oldest);
    }
    return entry.value;
  }

  #begin(ask: () => Promise<NameAnswer<V>>): Entry<V> {
    const { clock, failureTtlMs } = this.#options;
    const value = ask().then(
      (answer) => {
        entry.untilMs = clock.now() + answer.ttlMs;
        return answer.value;
      },
      (error: unknown) => {
        entry.untilMs = clock.now() + failureTtlMs(error);
        throw error;
      },
    );
    value.catch(() => undefined); // whoever asked may have given up by then
    const entry: Entry<V> = { value, untilMs: Infinity };
    return entry;
  }
}
