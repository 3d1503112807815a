/** What is to happen when, in simulated time: the earliest first, and of those at one time the one that was planned first. */
export interface PlannedEvent {
  readonly atMs: number;
  readonly run: (atMs: number) => Promise<void>;
}

export class EventQueue {
  readonly #heap: { readonly event: PlannedEvent; readonly order: number }[] = [];
  #planned = 0;

  get nextMs(): number {
    return this.#heap[0]?.event.atMs ?? Infinity;
  }

  plan(atMs: number, run: PlannedEvent['run']): void {
    this.#heap.push({ event: { atMs, run }, order: this.#planned++ });
    for (let at = this.#heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (this.#isBefore(parent, at)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  take(): PlannedEvent | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first.event;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const least = right < this.#heap.length && this.#isBefore(right, left) ? right : left;
      if (this.#isBefore(at, least)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a]!, this.#heap[b]!];
    return one.event.atMs - other.event.atMs < 0 || (one.event.atMs === other.event.atMs && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
