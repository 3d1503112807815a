/**
 * Keys of one of two joined peers for the other, where the RTP thread does not pass them by itself: those that come by INFO,
 * and those of telephone-events for a peer that takes none. Some phones tell of a press both ways; then the event is the
 * one that counts.
 */
import { TimerSet, type Clock } from '../../clock';
import type { KeyPress, Leg } from '../leg/leg';

/** Of one press told by INFO when it begins, the telephone-event is over by then; a key that is held longer may count twice, once. */
const TWIN_MS = 400;
/** Of somebody who presses faster than anybody: what is beyond is dropped. */
const MAX_WAITING = 32;

type RelayedLeg = Pick<Leg, 'remote' | 'keysBy' | 'relay'>;

export class KeyRelay {
  readonly #from: RelayedLeg;
  readonly #to: RelayedLeg;
  readonly #timers: TimerSet<`${number}`>;
  readonly #waiting = new Map<`${number}`, string>();
  #next = 0;
  /** The peer has told of one press in both ways. */
  #tellsTwice = false;

  constructor(from: RelayedLeg, to: RelayedLeg, clock: Clock) {
    this.#from = from;
    this.#to = to;
    this.#timers = new TimerSet(clock);
  }

  onDigit(digit: string, { by, twin }: KeyPress): void {
    if (twin) this.#tellsTwice = true;
    if (by === 'event') {
      this.#withdraw(digit);
      // With a telephone-event of its own it is there already.
      if (!twin && this.#to.keysBy === 'info') this.#to.relay(digit);
    } else if (!twin) this.#informed(digit);
  }

  /** The two are parted. */
  close(): void {
    this.#timers.clearAll();
    this.#waiting.clear();
  }

  #informed(digit: string): void {
    if (this.#to.keysBy !== 'rfc4733' || !sendsEvents(this.#from)) return this.#to.relay(digit);
    if (this.#tellsTwice || this.#waiting.size >= MAX_WAITING) return;
    const key = `${this.#next++}` as const;
    this.#waiting.set(key, digit);
    this.#timers.arm(key, TWIN_MS, () => {
      this.#waiting.delete(key);
      this.#to.relay(digit);
    });
  }

  #withdraw(digit: string): void {
    const [key] = [...this.#waiting].find(([, waits]) => waits === digit) ?? [];
    if (key === undefined) return;
    this.#timers.clear(key);
    this.#waiting.delete(key);
  }
}

function sendsEvents({ remote }: RelayedLeg): boolean {
  return remote?.telephoneEventPayloadType != null;
}
