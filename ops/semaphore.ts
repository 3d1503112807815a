export interface AcquireOptions {
  /** The longest wait. Default: as long as it takes. */
  readonly maxWaitMs?: number;
  /** Aborted: the place is not wanted any more. */
  readonly signal?: AbortSignal;
}

/**
 * A number of places and a line in front of them. Who leaves hands its place to the first in line at once: nobody who
 * comes between is faster, and there are never more inside than there are places.
 */
export class Semaphore {
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Other places than before; those taken beyond a lower limit are not given again until there is room. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#admit();
  }

  /** Takes a place if one is free. */
  tryAcquire(): boolean {
    if (this.#taken >= this.#limit) return false;
    this.#taken += 1;
    return true;
  }

  /** Takes a place in its turn; false when the wait was over or not wanted any more before it came. */
  acquire({ maxWaitMs, signal }: AcquireOptions = {}): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false);
    if (this.tryAcquire()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (admitted: boolean): void => {
        this.#waiting.delete(admit);
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        resolve(admitted);
      };
      const admit = (): void => settle(true);
      const leave = (): void => settle(false);
      const timer = maxWaitMs === undefined ? undefined : setTimeout(leave, maxWaitMs);
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(admit);
    });
  }

  /** Gives back a place that was taken, once. */
  release(): void {
    this.#taken -= 1;
    this.#admit();
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (!this.tryAcquire()) return;
      admit();
    }
  }
}
