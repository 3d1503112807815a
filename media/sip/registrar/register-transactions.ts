import { keepNewest } from '../../../ops/keep-newest';

import type { Clock } from '../../clock';
import type { Refusal } from '../message/validation';

/** How long a request may be repeated: Timer J (RFC 3261 §17.2.2). */
const TIMER_J_MS = 32_000;
const MAX_TRANSACTIONS = 20_000;

interface Entry {
  /** Null while it is being made. */
  answer: Refusal | null;
  readonly sinceMs: number;
}

/**
 * The server transactions of REGISTERs whose credentials were good: a repetition gets the same answer, and not that of a
 * nonce which was used before.
 */
export class RegisterTransactions {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined for a request that is new. */
  find(key: string): Refusal | 'pending' | undefined {
    this.#forget();
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : (entry.answer ?? 'pending');
  }

  begin(key: string): (answer: Refusal) => void {
    const entry: Entry = { answer: null, sinceMs: this.#clock.now() };
    this.#entries.set(key, entry);
    keepNewest(this.#entries, MAX_TRANSACTIONS);
    return (answer) => {
      entry.answer = answer;
    };
  }

  /** Entries are in order of their age, so only the front has to be looked at. */
  #forget(): void {
    const now = this.#clock.now();
    for (const [key, { sinceMs }] of this.#entries) {
      if (now - sinceMs <= TIMER_J_MS) return;
      this.#entries.delete(key);
    }
  }
}
