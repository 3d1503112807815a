import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from '@temporalio/worker';

/** Dials under way at once on one node. */
const MAX_DIALS = 50;

/**
 * Slots of the queue `media`: none while the node drains or is full, so that another node takes the dial. A poll that is
 * out already may still bring one; the node then refuses it and the workflow tries again.
 */
export class DialSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  readonly #max: number;
  readonly #waiting = new Set<() => void>();
  #accepting = false;
  #taken = 0;

  constructor(max: number = MAX_DIALS) {
    this.#max = max;
  }

  accept(accepting: boolean): void {
    this.#accepting = accepting;
    this.#serve();
  }

  reserveSlot(_context: unknown, abortSignal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      const serve = (): void => {
        this.#waiting.delete(serve);
        abortSignal.removeEventListener('abort', abort);
        this.#taken++;
        resolve({});
      };
      const abort = (): void => {
        this.#waiting.delete(serve);
        reject(abortError());
      };
      if (abortSignal.aborted) {
        abort();
        return;
      }
      abortSignal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(serve);
      this.#serve();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (!this.#free) return null;
    this.#taken++;
    return {};
  }

  markSlotUsed(): void {}

  releaseSlot(): void {
    this.#taken--;
    this.#serve();
  }

  get #free(): boolean {
    return this.#accepting && this.#taken < this.#max;
  }

  #serve(): void {
    for (const serve of this.#waiting) {
      if (!this.#free) return;
      serve();
    }
  }
}

function abortError(): Error {
  const error = new Error('the slot is not needed any more');
  error.name = 'AbortError';
  return error;
}
