/**
 * One clock for all sessions of a thread. A frame of 20 ms is cut into slots; a session lives in one of them and is
 * served at start + n·20 ms of an absolute schedule. One timer serves whatever is due, so that a thousand sessions cost
 * no more timers than one; for a slot without sessions nobody is woken, and few sessions share the slots that they can. After a stall the missed frames are skipped and
 * reported, never sent in a burst.
 *
 * Of the sessions that are due at once all read before any sends: what one says leaves by another without a wait.
 */
import { FRAME_MS } from '../audio/frame';

import type { Clock, TimerHandle } from '../clock';

const SLOT_MS = 2;
const SLOTS = FRAME_MS / SLOT_MS;
/** A new session is served within this time. */
const FIRST_SERVICE_SLOTS = 3;
/** So many are served within a fraction of a slot: for fewer it costs less to wake once than twice. */
const SHARED_SLOT = 8;
/** A round ends with it: where there is but one session, that is all it is woken for. */
const LAST_SLOT = 0;
/** Timers count whole milliseconds and may fire a fraction early: good enough. */
const EARLY_MS = 0.3;

export type PacerClock = Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>;

export interface PacedSession {
  /** A frame begins; `skipped`: those since the last that will never be sent. */
  onRead(nowMs: number, skipped: number): void;
  /** All that are due have read. */
  onSend(nowMs: number): void;
}

interface Entry {
  readonly session: PacedSession;
  /** Absolute number of the slot in which it is next due. */
  dueSlot: number;
  /** It has read, and is to send. */
  hasRead: boolean;
}

export interface PacerOptions {
  readonly clock: PacerClock;
  /** Once every 20 ms while there are sessions. */
  readonly onRound: () => void;
}

export class Pacer {
  readonly #clock: PacerClock;
  readonly #onRound: () => void;
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => []);
  readonly #entries = new Map<PacedSession, Entry>();
  #startMs = 0;
  /** Absolute number of the slot to serve next. */
  #next = 0;
  /** The slot that the timer was set for; those from `next` to it have no sessions. */
  #armed = 0;
  #timer: TimerHandle | null = null;

  constructor(options: PacerOptions) {
    this.#clock = options.clock;
    this.#onRound = options.onRound;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `beside`: in the slot of that one, if it is here; then the first service may take a round. */
  add(session: PacedSession, beside: PacedSession | null = null): void {
    if (this.#entries.has(session)) return;
    if (this.#entries.size === 0) {
      this.#startMs = this.#clock.now();
      this.#next = this.#armed = 0;
    }
    // Slots that have passed without sessions were not served; nor is a new one in them.
    this.#next = Math.max(this.#next, Math.min(this.#slotAt(this.#clock.now()) + 1, this.#armed));
    const other = beside === null ? undefined : this.#entries.get(beside);
    const dueSlot = other?.dueSlot ?? this.#choose();
    const entry = { session, dueSlot, hasRead: false };
    this.#entries.set(session, entry);
    this.#sessionsIn(dueSlot).push(entry);
    if (this.#timer !== null && dueSlot >= this.#armed) return;
    this.close();
    this.#arm();
  }

  remove(session: PacedSession): void {
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    this.#entries.delete(session);
    const slot = this.#sessionsIn(entry.dueSlot);
    slot.splice(slot.indexOf(entry), 1);
    if (this.#entries.size === 0) this.close();
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The first slot that is served anyway, while that has few sessions, else the emptiest. */
  #choose(): number {
    let dueSlot = this.#next;
    for (let slot = this.#next; slot < this.#next + FIRST_SERVICE_SLOTS; slot++) {
      const { length } = this.#sessionsIn(slot);
      if (this.#isServed(slot) && length < SHARED_SLOT) return slot;
      if (length < this.#sessionsIn(dueSlot).length) dueSlot = slot;
    }
    return dueSlot;
  }

  #isServed(slot: number): boolean {
    return slot % SLOTS === LAST_SLOT || this.#sessionsIn(slot).length > 0;
  }

  #sessionsIn(slot: number): Entry[] {
    return this.#slots[slot % SLOTS] as Entry[];
  }

  /** For the next slot with sessions, or the end of the round. */
  #arm(): void {
    let slot = this.#next;
    while (!this.#isServed(slot)) slot++;
    this.#armed = slot;
    const delayMs = this.#startMs + slot * SLOT_MS - this.#clock.now();
    this.#timer = this.#clock.setTimeout(this.#run, Math.max(0, Math.ceil(delayMs)));
  }

  #slotAt(nowMs: number): number {
    return Math.floor((nowMs - this.#startMs + EARLY_MS) / SLOT_MS);
  }

  readonly #run = (): void => {
    this.#timer = null;
    const present = this.#slotAt(this.#clock.now());
    // More than a round behind: what is due twice by now is served once, and counts the rest as skipped.
    if (present - this.#next >= SLOTS) this.#next = present - SLOTS + 1;
    while (this.#next <= present && this.#entries.size > 0) {
      const slot = this.#next++;
      this.#serve(slot);
      if (slot % SLOTS === LAST_SLOT) this.#onRound();
    }
    if (this.#entries.size > 0 && this.#timer === null) this.#arm();
  };

  #serve(slot: number): void {
    const entries = this.#sessionsIn(slot);
    // Backwards: a session may remove itself while it is served.
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i];
      if (entry === undefined || entry.dueSlot > slot) continue;
      const skipped = (slot - entry.dueSlot) / SLOTS;
      entry.dueSlot = slot + SLOTS;
      entry.hasRead = true;
      entry.session.onRead(this.#clock.now(), skipped);
    }
    // In the order in which they came: who supervises another comes after it, and hears what it sends.
    for (let i = 0; i < entries.length;) {
      const entry = entries[i] as Entry;
      if (entry.hasRead) {
        entry.hasRead = false;
        entry.session.onSend(this.#clock.now());
      }
      if (entries[i] === entry) i++;
    }
  }
}
