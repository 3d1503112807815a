import { isStateEvent } from '../../media/control/contract';
import type { CallEvent, CallEvents, StateEvent } from '../../media/control/contract';
import type { Logger } from '../../ops/logger';
import type { EventSpool } from './event-spool';

/** An event waits this long at most for others to be written with it. */
const BATCH_MS = 200;
const BATCH_EVENTS = 500;
/** A batch that PostgreSQL has not taken by then goes to the spool. */
const WRITE_LIMIT_MS = 4_000;
/** Events in memory; what is above goes to the spool unasked. */
const MAX_BUFFERED = 20_000;
const RETRY_MS = 1_000;

export interface EventStore {
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
}

/**
 * Every event of a node on its way into PostgreSQL, in batches; while it is away into files, which are emptied when it
 * is back. One writer at a time:
 *
 *     reported → buffer → (batch) → stored
 *                           ↓ PostgreSQL away, or too many
 *                         spool → stored
 */
export class EventSink implements CallEvents {
  readonly #options: EventSinkOptions;
  #buffer: CallEvent[] = [];
  /** Reported and not stored yet, per call, the spooled ones included. */
  readonly #open = new Map<string, number>();
  readonly #flushes = new Map<string, Set<() => void>>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #away = false;
  #spooled = false;
  /** The spool could not be written or read just now. */
  #failed = false;
  #closed = false;

  constructor(options: EventSinkOptions) {
    this.#options = options;
  }

  /** Events that are not in PostgreSQL yet. */
  get pending(): number {
    let sum = 0;
    for (const count of this.#open.values()) sum += count;
    return sum;
  }

  /** Begins to empty what an earlier boot has left. */
  start(): void {
    this.#spooled = true;
    this.#schedule(0);
  }

  report(event: CallEvent): void {
    this.#buffer.push(event);
    this.#open.set(event.callId, (this.#open.get(event.callId) ?? 0) + 1);
    if (isStateEvent(event)) this.#options.onStateEvent?.(event);
    if (!this.#away && this.#buffer.length >= BATCH_EVENTS) this.#schedule(0);
    else if (this.#buffer.length > (this.#options.maxBuffered ?? MAX_BUFFERED)) this.#schedule(0);
    else this.#schedule(this.#options.batchMs ?? BATCH_MS);
  }

  async flush(callId: string, timeoutMs: number): Promise<void> {
    if (!this.#open.has(callId)) return;
    if (!this.#away) this.#schedule(0);
    await new Promise<void>((resolve) => {
      const waiting = this.#flushes.get(callId) ?? new Set();
      this.#flushes.set(callId, waiting);
      const done = (): void => {
        clearTimeout(limit);
        waiting.delete(done);
        if (waiting.size === 0) this.#flushes.delete(callId);
        resolve();
      };
      const limit = setTimeout(done, timeoutMs);
      waiting.add(done);
    });
  }

  /** Stores what is there, or spools it; nothing is lost, `report` must not be called any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
    if (this.#timer !== null) clearTimeout(this.#timer);
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
        if (this.#buffer.length > 0 || this.#spooled) {
          if (this.#away || this.#failed) this.#schedule(this.#options.retryMs ?? RETRY_MS);
          else this.#schedule(this.#flushes.size > 0 ? 0 : (this.#options.batchMs ?? BATCH_MS));
        }
      });
    }, delayMs);
  }

  async #write(): Promise<void> {
    this.#failed = false;
    try {
      while (this.#buffer.length > 0) {
        const batch = this.#buffer.splice(0, BATCH_EVENTS);
        if (!(await this.#store(batch))) await this.#spool([...batch, ...this.#buffer.splice(0)]);
      }
      if (this.#spooled && !this.#closed) await this.#emptySpool();
    } catch (error) {
      this.#failed = true;
      this.#options.logger.error({ err: error }, 'events could not be kept');
    }
  }

  /** False while PostgreSQL is away. */
  async #store(batch: readonly CallEvent[]): Promise<boolean> {
    try {
      const { rejected } = await withLimit(
        this.#options.store.insertBatch(batch),
        this.#options.writeLimitMs ?? WRITE_LIMIT_MS,
      );
      if (rejected.length > 0) this.#options.logger.error({ count: rejected.length }, 'events cannot be stored');
      if (this.#away) this.#options.logger.info({}, 'events are stored again');
      this.#away = false;
      this.#settle(batch);
      return true;
    } catch (error) {
      if (!this.#away) this.#options.logger.warn({ err: error }, 'events are kept in files');
      this.#away = true;
      return false;
    }
  }

  async #spool(events: CallEvent[]): Promise<void> {
    try {
      await this.#options.spool.append(events);
      this.#spooled = true;
    } catch (error) {
      // No disk either: memory it is, up to the limit, the oldest go first.
      const kept = [...events, ...this.#buffer];
      const lost = kept.splice(0, Math.max(0, kept.length - (this.#options.maxBuffered ?? MAX_BUFFERED)));
      this.#buffer = kept;
      this.#settle(lost);
      if (lost.length > 0) this.#options.logger.error({ count: lost.length }, 'events are lost');
      throw error;
    }
  }

  async #emptySpool(): Promise<void> {
    for (const file of await this.#options.spool.files()) {
      const { events, unreadable } = await this.#options.spool.read(file);
      if (unreadable > 0) this.#options.logger.warn({ unreadable }, 'spooled events were cut off');
      for (let at = 0; at < events.length; at += BATCH_EVENTS) {
        if (!(await this.#store(events.slice(at, at + BATCH_EVENTS)))) return;
      }
      await this.#options.spool.remove(file);
    }
    this.#spooled = false;
  }

  #settle(stored: readonly CallEvent[]): void {
    for (const { callId } of stored) {
      const open = this.#open.get(callId);
      if (open === undefined) continue; // of an earlier boot
      if (open > 1) {
        this.#open.set(callId, open - 1);
        continue;
      }
      this.#open.delete(callId);
      for (const done of this.#flushes.get(callId) ?? []) done();
    }
  }
}

async function withLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('PostgreSQL did not answer in time')), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
