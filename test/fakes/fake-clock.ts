import type { Clock, TimerHandle } from '../../media/clock';

/** Time that passes only by `advance`; timers run in the order they are due. */
export class FakeClock implements Clock {
  readonly timeOriginMs = 1_700_000_000_000;
  #now = 0;
  #nextId = 1;
  readonly #timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  epochMs(): number {
    return this.timeOriginMs + this.#now;
  }

  get armed(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    this.#timers.set(id, { dueMs: this.#now + delayMs, callback });
    return { id };
  }

  clearTimeout(handle: TimerHandle): void {
    this.#timers.delete(handle.id);
  }

  /** Lets `ms` pass; promises settled by a timer run before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers].filter(([, t]) => t.dueMs <= end).sort((a, b) => a[1].dueMs - b[1].dueMs)[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.#now = next[1].dueMs;
      next[1].callback();
    }
    this.#now = end;
    await settle();
  }
}

/** Runs what is waiting on settled promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}
