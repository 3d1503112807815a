import { isStateEvent } from '../contract/events';
import type { CallEvent, CallEvents, StateEvent } from '../contract/events';
import { withDeadline } from '../ops/deadline';
import type { Logger } from '../ops/logger';
import type { EventSpool } from './event-spool';

/** An event waits this long at most for others to be written with it. */
const BATCH_MS = 200;
const BATCH_EVENTS = 500;
/** A batch that PostgreSQL has not taken by then goes to the spool. */
const WRITE_LIMIT_MS = 4_000;
/** Events in memory; what is above goes to the spool unasked. */
const MAX_BUFFERED = 20_000;
const RETRY_MS = 1_000;
/** A disk with little room takes a small batch between two that it refuses: one trouble, until it has taken all for so long. */
const SETTLED_MS = 5_000;

interface EventStore {
  /** Rejects while PostgreSQL is away. */
  insertBatch(events: readonly CallEvent[]): Promise<{ readonly rejected: readonly CallEvent[] }>;
}

export interface EventSinkOptions {
  readonly store: EventStore;
  readonly spool: EventSpool;
  readonly logger: Logger;
  /** Takes the state events, which also go to the call's workflow. */
  readonly onStateEvent?: (event: StateEvent) => void;
  readonly batchMs?: number;
  readonly retryMs?: number;
  readonly writeLimitMs?: number;
  readonly maxBuffered?: number;
  readonly settledMs?: number;
}

/** Counters of one call, both of them inclusive. */
interface CallSeqs {
  reported: number;
  /** Or given up. */
  stored: number;
}

/**
 * Every event of a node on its way into PostgreSQL, in batches; while it is away into files, which are emptied when it
 * is back. One writer at a time, and the events of a call in their order: who reads them while they are written must
 * not see a later one before an earlier one. So what this boot has spooled goes before what was reported since; what an
 * earlier boot left is of calls that are over, and follows a file at a time.
 *
 *     reported → buffer → (batch) → stored
 *                           ↓ PostgreSQL away, or too many
 *                         spool → stored
 */
export class EventSink implements CallEvents {
  readonly #options: EventSinkOptions;
  #buffer: CallEvent[] = [];
  /** Calls with events that are not stored yet, the spooled ones included. */
  readonly #open = new Map<string, CallSeqs>();
  readonly #flushes = new Map<string, Set<{ readonly seq: number; readonly done: (stored: boolean) => void }>>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #away = false;
  /** There are files of this boot, and of earlier ones. */
  #spooled = false;
  #leftOver = false;
  /** What is left of the file that is being emptied. */
  #head: { readonly file: string; readonly events: CallEvent[] } | null = null;
  /** The spool could not be written or read this time. */
  #failed = false;
  /** When the spool last refused what PostgreSQL did not take either (monotonic ms); null: it takes all, and that was said. */
  #refusedMs: number | null = null;
  /** Events that found no room anywhere since PostgreSQL went away. */
  #lost = 0;
  #closed = false;

  constructor(options: EventSinkOptions) {
    this.#options = options;
  }

  /** Begins to empty what an earlier boot has left. */
  start(): void {
    this.#leftOver = true;
    this.#schedule(0);
  }

  report(event: CallEvent): void {
    this.#buffer.push(event);
    const open = this.#open.get(event.callId);
    if (open === undefined) this.#open.set(event.callId, { reported: event.seq, stored: event.seq - 1 });
    else open.reported = event.seq;
    if (isStateEvent(event)) this.#options.onStateEvent?.(event);
    if (!this.#away && this.#buffer.length >= BATCH_EVENTS) this.#schedule(0);
    else if (this.#buffer.length > this.#maxBuffered && !this.#failed) this.#schedule(0);
    else this.#schedule(this.#options.batchMs ?? BATCH_MS);
  }

  async flush(callId: string, timeoutMs: number): Promise<boolean> {
    const seq = this.#open.get(callId)?.reported;
    if (seq === undefined) return true;
    if (!this.#away) this.#schedule(0);
    const waiting = this.#flushes.get(callId) ?? new Set();
    this.#flushes.set(callId, waiting);
    const leave = (): void => {
      waiting.delete(flush);
      if (waiting.size === 0) this.#flushes.delete(callId);
    };
    let resolveStored: (stored: boolean) => void = () => undefined;
    const stored = new Promise<boolean>((resolve) => (resolveStored = resolve));
    const done = (kept: boolean): void => {
      leave();
      resolveStored(kept);
    };
    const flush = { seq, done };
    waiting.add(flush);
    return await withDeadline(stored, timeoutMs).catch(() => {
      leave();
      return false; // too late: the caller goes on without
    });
  }

  /** Stores what is there, or spools it; what neither takes is lost. `report` must not be called any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#lose(this.#buffer.splice(0));
  }

  get #maxBuffered(): number {
    return this.#options.maxBuffered ?? MAX_BUFFERED;
  }

  get #settledMs(): number {
    return this.#options.settledMs ?? SETTLED_MS;
  }

  #schedule(delayMs: number): void {
    if (this.#writing !== null || this.#closed) return;
    if (this.#timer !== null) {
      if (delayMs > 0) return;
      clearTimeout(this.#timer);
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        if (this.#buffer.length > 0 || this.#spooled || this.#leftOver) {
          if (this.#away || this.#failed) this.#schedule(this.#options.retryMs ?? RETRY_MS);
          else this.#schedule(this.#flushes.size > 0 ? 0 : (this.#options.batchMs ?? BATCH_MS));
        }
      });
    }, delayMs);
  }

  /** Never rejects: what fails is tried again. */
  async #write(): Promise<void> {
    this.#failed = false;
    if (this.#spooled) {
      // Asking a silent PostgreSQL takes seconds, after which a killed process would have lost what is only in memory.
      if (this.#away || this.#closed) await this.#spool(this.#buffer.splice(0));
      if (!this.#closed && !(await this.#emptyOwnSpool())) return;
    }
    while (this.#buffer.length > 0) {
      const batch = this.#buffer.splice(0, BATCH_EVENTS);
      if (await this.#store(batch)) continue;
      await this.#spool([...batch, ...this.#buffer.splice(0)]);
      return;
    }
    if (this.#leftOver && !this.#closed) await this.#emptyLeftOver();
  }

  /** False while PostgreSQL is away. */
  async #store(batch: readonly CallEvent[]): Promise<boolean> {
    try {
      const { rejected } = await withDeadline(
        this.#options.store.insertBatch(batch),
        this.#options.writeLimitMs ?? WRITE_LIMIT_MS,
        { message: 'PostgreSQL did not answer in time' },
      );
      if (rejected.length > 0) {
        this.#options.logger.error({ count: rejected.length }, 'events cannot be stored');
        this.#settle(rejected, false);
      }
      if (this.#away) this.#options.logger.info({ lost: this.#lost }, 'events are stored again');
      this.#away = false;
      this.#lost = 0;
      this.#settle(batch, true);
      return true;
    } catch (error) {
      if (!this.#away) this.#options.logger.warn({ err: error }, 'events are kept in files');
      this.#away = true;
      return false;
    }
  }

  /** In pieces, so that a full disk costs the attempt of one. */
  async #spool(events: CallEvent[]): Promise<void> {
    const { spool, logger } = this.#options;
    try {
      while (events.length > 0) {
        await spool.append(events.slice(0, BATCH_EVENTS));
        events.splice(0, BATCH_EVENTS);
        this.#spooled = true;
      }
      if (this.#refusedMs === null || performance.now() - this.#refusedMs < this.#settledMs) return;
      this.#refusedMs = null;
      logger.info({}, 'events are kept in files again');
    } catch (error) {
      // No disk either: memory it is, up to the limit, the oldest go first.
      this.#buffer = [...events, ...this.#buffer];
      this.#failed = true;
      const told = this.#refusedMs !== null;
      this.#refusedMs = performance.now();
      if (!told) logger.error({ err: error }, 'events could not be kept in a file: they wait in memory');
      this.#lose(this.#buffer.splice(0, Math.max(0, this.#buffer.length - this.#maxBuffered)));
    }
  }

  /** Their records will say `truncated`. */
  #lose(events: readonly CallEvent[]): void {
    if (events.length === 0) return;
    this.#lost += events.length;
    this.#options.logger.error({ lost: events.length }, 'events are lost: neither PostgreSQL nor a file takes them');
    this.#settle(events, false);
  }

  /** False while PostgreSQL is away. */
  async #emptyOwnSpool(): Promise<boolean> {
    for (let files = await this.#filesOf('own'); files.length > 0;) {
      for (const file of files) {
        if ((await this.#emptyFile(file)) === 'away') return false;
        // What is reported meanwhile waits behind the files, in memory only as far as there is room.
        if (this.#buffer.length > this.#maxBuffered) await this.#spool(this.#buffer.splice(0));
      }
      files = this.#failed ? [] : await this.#filesOf('own');
    }
    this.#spooled = this.#failed;
    return true;
  }

  async #emptyLeftOver(): Promise<void> {
    const files = await this.#filesOf('earlier');
    for (const file of files) {
      const outcome = await this.#emptyFile(file);
      if (outcome === 'away') return;
      // One at a time, so that live events do not wait; but one that cannot be read holds up none of the others.
      if (outcome === 'emptied') break;
    }
    this.#leftOver = files.length > 1 || this.#failed;
  }

  /** A disk that fails must not hold up what can be stored without it: here and below it is tried again later. */
  async #filesOf(boots: 'own' | 'earlier'): Promise<readonly string[]> {
    try {
      return await this.#options.spool.files(boots);
    } catch (error) {
      this.#failed = true;
      this.#options.logger.error({ err: error }, 'spooled events cannot be found');
      return [];
    }
  }

  /** `away`: PostgreSQL. `unreadable`: it is tried again later. */
  async #emptyFile(file: string): Promise<'emptied' | 'away' | 'unreadable'> {
    const { spool, logger } = this.#options;
    try {
      if (this.#head?.file !== file) {
        const { events, unreadable } = await spool.read(file);
        if (unreadable > 0) logger.warn({ unreadable }, 'spooled events were cut off');
        this.#head = { file, events };
      }
      for (const { events } = this.#head; events.length > 0; events.splice(0, BATCH_EVENTS)) {
        if (!(await this.#store(events.slice(0, BATCH_EVENTS)))) return 'away';
      }
      await spool.remove(file);
      this.#head = null;
      return 'emptied';
    } catch (error) {
      this.#failed = true;
      logger.error({ err: error }, 'spooled events cannot be read');
      return 'unreadable';
    }
  }

  /** Counted by the seq of the last one, so that what is written twice is not counted twice. */
  #settle(settled: readonly CallEvent[], stored: boolean): void {
    for (const { callId, seq } of settled) {
      const open = this.#open.get(callId);
      if (open === undefined) continue; // of an earlier boot
      open.stored = Math.max(open.stored, seq);
      if (open.stored >= open.reported) this.#open.delete(callId);
      for (const flush of this.#flushes.get(callId) ?? []) if (flush.seq <= open.stored) flush.done(stored);
    }
  }
}
