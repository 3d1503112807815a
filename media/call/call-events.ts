/**
 * The events of one call, numbered 1, 2, 3 … without gaps. Until the call has an id (an inbound call before its
 * workflow is started) they wait here with their times; after `ended` nothing more is reported.
 */
import type { CallEvent, CallEvents } from '../../contract/events';
import type { Clock } from '../clock';

type Body<E> = E extends CallEvent ? Omit<E, 'callId' | 'orgId' | 'seq' | 'atMs'> : never;
/** A `CallEvent` before it is numbered. */
export type CallEventBody = Body<CallEvent>;

export class CallEventLog {
  readonly #sink: CallEvents;
  readonly #clock: Clock;
  #identity: { readonly callId: string; readonly orgId: string } | null = null;
  #waiting: { readonly atMs: number; readonly body: CallEventBody }[] = [];
  #lastSeq = 0;
  #lastAtMs = 0;
  #closed = false;

  constructor(sink: CallEvents, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The call has its id: what waited goes out in its order. */
  bind(callId: string, orgId: string): void {
    if (this.#identity) throw new Error('events of this call are bound already');
    this.#identity = { callId, orgId };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { atMs, body } of waiting) this.#emit(body, atMs);
  }

  report(body: CallEventBody): void {
    if (this.#closed) return;
    // A wall clock that steps back must not reorder a call.
    const atMs = Math.max(this.#clock.epochMs(), this.#lastAtMs);
    this.#lastAtMs = atMs;
    if (this.#identity) this.#emit(body, atMs);
    else this.#waiting.push({ atMs, body });
    if (body.type === 'ended') this.#closed = true;
  }

  /** The call never came into being: nothing waits any more. */
  discard(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  #emit(body: CallEventBody, atMs: number): void {
    const { callId, orgId } = this.#identity!;
    // What is spread first makes an object that each further property has to find its place in.
    this.#sink.report({ callId, orgId, seq: ++this.#lastSeq, atMs, ...body } as CallEvent);
  }
}
