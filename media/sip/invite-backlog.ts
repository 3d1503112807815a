/**
 * INVITEs that open calls, between the socket and whoever serves them. All else is served as it is read; they wait until the
 * socket is read empty. So ACK, BYE and CANCEL go before them, what is ended makes room for what begins, and a backlog stands
 * here, where its age is known, and not in the kernel, which would drop what it has no room for.
 *
 *   socket ──► ACK, BYE, responses … ──────────────────► served
 *         └──► INVITE without To tag ──► waits ──(turn)──► served, or `late` when nobody can wait for it any more
 */
import { LoopStrain } from './loop-strain';
import { branchOf, isCancel, opensCall } from './message/first-look';

import type { Clock } from '../clock';
import type { Flow } from './edge/flow';

/** Of each turn of the event loop, for INVITEs; then what else has come is looked at. One costs about a millisecond. */
const SLICE_MS = 2;
/** libuv reads so many datagrams of a socket at once: when they come there are probably more. */
const FULL_READ_DATAGRAMS = 32;
/** Without a rest for this long a thread is strained. After a burst or a stall one that has time to spare rests sooner. */
const STRAINED_AFTER_MS = 500;
/**
 * A thread that sheds rests soon, and would be behind again before the next half second is over: whoever was overloaded a
 * moment ago is again at the first sign of it.
 */
const AGAIN_AFTER_MS = 50;
const MOMENT_MS = 2_000;
/** However much else comes, INVITEs get a slice of their own after this. */
const MAX_POSTPONED_MS = 20;
/** While the thread is strained. */
const DEFAULT_MAX_WAIT_MS = 20;
/** When fewer than these wait, to refuse one of them would help nobody. */
const CROWD = 5;
/** Whoever calls at one instant is answered, however long that takes: so many INVITEs without a rest are more than a burst. */
const BURST = 64;
/** For one more the oldest is refused. */
const MAX_WAITING = 4_096;
/** Places of served ones are given back when there are so many. */
const COMPACTED_AT = 512;

interface Waiting {
  readonly bytes: Buffer;
  readonly flow: Flow;
  readonly readMs: number;
  /** Since when it may have waited to be read. */
  readonly sinceMs: number;
}

/** How a message has come to be served. */
export interface Wait {
  /** When it was read from the socket. */
  readonly readMs: number;
  /** It has waited for too long, and others do behind it. */
  readonly late: boolean;
}

export interface InviteBacklogOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly serve: (bytes: Buffer, flow: Flow, wait: Wait) => void;
  /** In each turn in which this thread has been behind for a while, by more calls than a burst has. */
  readonly onStrain?: () => void;
  /** How long an INVITE may wait while the thread is strained. Default 20. */
  readonly maxWaitMs?: number | undefined;
  /** How long this thread has waited for events in all. */
  readonly restedMs?: () => number;
  /** Runs it once what has arrived is read. */
  readonly afterReading?: (turn: () => void) => void;
}

export class InviteBacklog {
  readonly #options: InviteBacklogOptions;
  readonly #restedMs: () => number;
  readonly #afterReading: (turn: () => void) => void;
  readonly #strain = new LoopStrain();
  #waiting: Waiting[] = [];
  /** Of `#waiting`: those before it are served. */
  #head = 0;
  /** Messages since the last turn. */
  #read = 0;
  /** INVITEs since the last rest. */
  #arrived = 0;
  /** Since when messages that are read now may have waited; null: nothing was read in this turn. */
  #unreadSinceMs: number | null = null;
  /** When it was overloaded last. */
  #overloadedMs = -Infinity;
  /** When INVITEs were first put off for what else has come. */
  #postponedMs: number | null = null;
  #scheduled = false;

  constructor(options: InviteBacklogOptions) {
    this.#options = options;
    this.#restedMs = options.restedMs ?? ((): number => performance.eventLoopUtilization().idle);
    this.#afterReading = options.afterReading ?? setImmediate;
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  receive(bytes: Buffer, flow: Flow): void {
    const readMs = this.#options.clock.now();
    this.#unreadSinceMs ??= this.#postponedMs ?? this.#strain.unreadSinceMs(readMs, this.#restedMs());
    this.#read++;
    this.#schedule();
    if (opensCall(bytes)) {
      this.#arrived++;
      if (this.size >= MAX_WAITING) this.#serveOldest(true);
      this.#waiting.push({ bytes, flow, readMs, sinceMs: this.#unreadSinceMs });
      return;
    }
    // It would find nothing to cancel, and the call would be set up (RFC 3261 §9.2).
    if (this.size > 0 && isCancel(bytes)) this.#serveCancelled(bytes);
    this.#options.serve(bytes, flow, { readMs, late: false });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#afterReading(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const now = this.#options.clock.now();
    const more = this.#read >= FULL_READ_DATAGRAMS;
    this.#read = 0;
    this.#unreadSinceMs = null;
    this.#strain.turn(now, this.#restedMs());
    if (this.#strain.rested) this.#arrived = this.size;
    const overloaded = this.#isOverloaded(now);
    if (overloaded) {
      this.#overloadedMs = now;
      this.#options.onStrain?.();
    }
    if (this.size === 0) return;
    if (more) this.#postponedMs ??= now;
    if (this.#postponedMs === null || !more || now - this.#postponedMs > MAX_POSTPONED_MS) {
      this.#postponedMs = null;
      this.#serveSlice(now, overloaded);
    }
    if (this.size > 0) this.#schedule();
  };

  #isOverloaded(nowMs: number): boolean {
    const again = nowMs - this.#overloadedMs < MOMENT_MS;
    return this.#strain.strainMs > (again ? AGAIN_AFTER_MS : STRAINED_AFTER_MS) && this.#arrived > BURST;
  }

  #serveSlice(beganMs: number, overloaded: boolean): void {
    const { maxWaitMs = DEFAULT_MAX_WAIT_MS } = this.#options;
    let now = beganMs;
    do {
      const { sinceMs } = this.#waiting[this.#head]!;
      this.#serveOldest(overloaded && this.size >= CROWD && now - sinceMs > maxWaitMs);
      now = this.#options.clock.now();
    } while (this.size > 0 && now - beganMs < SLICE_MS);
  }

  #serveOldest(late: boolean): void {
    const { bytes, flow, readMs } = this.#waiting[this.#head++]!;
    if (this.#head === this.#waiting.length || this.#head === COMPACTED_AT) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    this.#options.serve(bytes, flow, { readMs, late });
  }

  #serveCancelled(cancel: Buffer): void {
    const branch = branchOf(cancel);
    const index = this.#waiting.findIndex(({ bytes }, n) => n >= this.#head && branchOf(bytes) === branch);
    if (index < 0) return;
    const [{ bytes, flow, readMs }] = this.#waiting.splice(index, 1) as [Waiting];
    this.#options.serve(bytes, flow, { readMs, late: false });
  }
}
