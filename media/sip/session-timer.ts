import { TimerSet } from '../clock';

import type { Clock } from '../clock';
import type { SessionInterval } from './session-expires';

/**
 *         ┌──────────────────────────────┐
 *   off ──┼─► waiting ──► refreshing ────┤    we refresh: at half the interval, and again after a failure
 *         └─► watching ──────────────────┴──► expired
 *
 * Each 2xx to a session refresh request starts it anew (RFC 4028 §10).
 */
type SessionTimerState = 'off' | 'waiting' | 'refreshing' | 'watching' | 'expired';

const NEXT: Readonly<Record<SessionTimerState, readonly SessionTimerState[]>> = {
  off: ['off', 'waiting', 'watching'],
  waiting: ['off', 'waiting', 'watching', 'refreshing', 'expired'],
  refreshing: ['off', 'waiting', 'watching', 'expired'],
  watching: ['off', 'waiting', 'watching', 'expired'],
  // A refresh may still come while our BYE waits for the ACK of the 2xx.
  expired: ['off', 'waiting', 'watching'],
};

interface SessionTimerOptions {
  readonly clock: Clock;
  /** It is our turn: a refresh must go out, whose end is told by `start` or `retryAfter`. */
  readonly onRefresh: () => void;
  /** No refresh came in time, the peer's or ours. */
  readonly onExpired: () => void;
}

export class SessionTimer {
  readonly #options: SessionTimerOptions;
  readonly #timers: TimerSet<'refresh' | 'expiry'>;
  #interval: SessionInterval | null = null;
  #state: SessionTimerState = 'off';

  constructor(options: SessionTimerOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.clock);
  }

  get state(): SessionTimerState {
    return this.#state;
  }

  /** What was agreed on last; null: the session does not expire. */
  get interval(): SessionInterval | null {
    return this.#interval;
  }

  /** Another interval, or the same one, begins. */
  start(interval: SessionInterval | null): void {
    this.#timers.clearAll();
    this.#interval = interval;
    if (interval === null) {
      this.#transition('off');
      return;
    }
    const { seconds, refresher } = interval;
    this.#transition(refresher === 'us' ? 'waiting' : 'watching');
    if (refresher === 'us') this.#armRefresh((seconds * 1_000) / 2);
    this.#timers.arm('expiry', expiryMs(seconds), () => {
      this.#timers.clearAll();
      this.#transition('expired');
      this.#options.onExpired();
    });
  }

  /** Our refresh failed; it is tried once more, if the session lasts that long. */
  retryAfter(delayMs: number): void {
    if (this.#state !== 'refreshing') throw new Error(`session timer refreshes nothing while it is ${this.#state}`);
    this.#transition('waiting');
    this.#armRefresh(delayMs);
  }

  stop(): void {
    this.#timers.clearAll();
    this.#interval = null;
    this.#transition('off');
  }

  #armRefresh(delayMs: number): void {
    this.#timers.arm('refresh', delayMs, () => {
      this.#transition('refreshing');
      this.#options.onRefresh();
    });
  }

  #transition(next: SessionTimerState): void {
    if (!NEXT[this.#state].includes(next)) throw new Error(`session timer cannot go from ${this.#state} to ${next}`);
    this.#state = next;
  }
}

/** RFC 4028 §10: before the end by 32 s or a third of the interval, whichever is less. */
function expiryMs(seconds: number): number {
  return (seconds - Math.min(32, seconds / 3)) * 1_000;
}
