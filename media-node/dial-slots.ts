import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from '@temporalio/worker';
import { Semaphore } from '../ops/semaphore';

/**
 * Dials under way at once on one node: many, because those to trunks that cannot be reached wait for up to 3 s, and the
 * others must not wait behind them.
 */
const MAX_DIALS = 500;

/**
 * Slots of the queue `media`: none while the node drains or is full, so that another node takes the dial. A poll that is
 * out already may still bring one; the node then refuses it and the workflow tries again.
 */
export class DialSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  readonly #max: number;
  readonly #slots = new Semaphore(0);

  constructor(max: number = MAX_DIALS) {
    this.#max = max;
  }

  accept(accepting: boolean): void {
    this.#slots.resize(accepting ? this.#max : 0);
  }

  /** @throws the reason of `abortSignal`, by which the SDK knows that it has asked for the rejection */
  async reserveSlot(_context: unknown, abortSignal: AbortSignal): Promise<SlotPermit> {
    if (!(await this.#slots.acquire({ signal: abortSignal }))) throw abortSignal.reason;
    return {};
  }

  tryReserveSlot(): SlotPermit | null {
    return this.#slots.tryAcquire() ? {} : null;
  }

  markSlotUsed(): void {}

  releaseSlot(): void {
    this.#slots.release();
  }
}
