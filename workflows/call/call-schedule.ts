import { condition } from '@temporalio/workflow';
import type { CallInput } from './input';
import type { RescheduleRequest, RescheduleResult } from './messages';

/** When an outbound call is to be dialled, and until when it may be: as it was placed, and as it was changed since. */
export class CallSchedule {
  #dueAtMs: number | null = null;
  #expiresAtMs = Infinity;
  #changes = 0;

  constructor(input: CallInput) {
    if (input.direction === 'inbound') return;
    this.#dueAtMs = input.scheduledAtMs ?? null;
    this.#expiresAtMs = input.expiresAtMs ?? input.dialByMs;
  }

  /** Epoch ms; null: at once, or it has been due. */
  get dueAtMs(): number | null {
    return this.#dueAtMs;
  }

  /** Epoch ms. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** How often it was changed. */
  get changes(): number {
    return this.#changes;
  }

  /** Without a time of its own the end moves with the beginning. */
  change({ scheduledAtMs, expiresAtMs }: RescheduleRequest): RescheduleResult {
    const { dueAtMs } = this.#settings();
    if (scheduledAtMs !== undefined && dueAtMs === null) return { outcome: 'refused', code: 'not_scheduled' };
    const due = scheduledAtMs ?? dueAtMs;
    const moved = scheduledAtMs === undefined || dueAtMs === null ? 0 : scheduledAtMs - dueAtMs;
    const expires = expiresAtMs ?? this.#expiresAtMs + moved;
    if (due !== null && expires <= due) return { outcome: 'refused', code: 'expires_too_early' };
    this.#dueAtMs = due;
    this.#expiresAtMs = expires;
    this.#changes++;
    return { outcome: 'done', scheduledAtMs: due, expiresAtMs: expires };
  }

  /** Until it is due, which may be later or earlier than it was; at once after an outage that lasted longer. */
  async untilDue(over: () => boolean): Promise<void> {
    for (;;) {
      const { dueAtMs } = this.#settings();
      if (over() || dueAtMs === null) return;
      const leftMs = dueAtMs - Date.now();
      if (leftMs <= 0) break;
      const changes = this.#changes;
      await condition(() => over() || this.#changes > changes, leftMs, { summary: 'until it is to be dialled' });
    }
    this.#dueAtMs = null;
  }

  /** What a handler may have changed while others waited. */
  #settings(): { readonly dueAtMs: number | null } {
    return { dueAtMs: this.#dueAtMs };
  }
}
