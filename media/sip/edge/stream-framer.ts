import { bodyLength, contentLengthsOf, findHeadEnd } from '../message/framing';
import { MAX_HEADER_BYTES } from '../message/parser';
import { MAX_BODY_BYTES } from '../message/validation';
import { LongHead } from './long-head';

interface FramerEvents {
  /** Of a message that is too large only the head, or the beginning of that: enough to refuse it. */
  onMessage(message: Buffer): void;
  /** Double CRLF: the peer expects a single one back. */
  onPing(): void;
}

const EMPTY = Buffer.alloc(0);
const CR = 13;
const LF = 10;

/**
 * Cuts a byte stream into SIP messages by Content-Length (RFC 3261 §18.3) and finds keep-alives (RFC 5626 §4.4.1). What
 * is too large passes by without being kept, so that the messages behind it are found.
 */
export class StreamFramer {
  readonly #events: FramerEvents;
  #pending: Buffer = EMPTY;
  /** Whole length of the message that is being waited for, 0 while its head is incomplete. */
  #wanted = 0;
  #searched = 0;
  #longHead: LongHead | null = null;
  /** How much is still to come of a body that nobody reads. */
  #unwanted = 0;

  constructor(events: FramerEvents) {
    this.#events = events;
  }

  /** True while part of a message has arrived and the rest has not. */
  get partial(): boolean {
    return this.#pending.length > 0 || this.#unwanted > 0 || this.#longHead !== null;
  }

  /** @throws RangeError when the stream cannot be framed any more; the connection must be closed */
  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length > 0 && this.#next());
  }

  /** False when more bytes are needed. */
  #next(): boolean {
    if (this.#longHead !== null) return this.#passHead(this.#longHead);
    if (this.#unwanted > 0) return this.#passBody();
    return this.#wanted === 0 ? this.#readHead() : this.#readMessage();
  }

  #readHead(): boolean {
    this.#skipLineEnds();
    const head = findHeadEnd(this.#pending, Math.max(0, this.#searched - 3));
    if (head === null) {
      this.#searched = this.#pending.length;
      if (this.#pending.length > MAX_HEADER_BYTES) this.#longHead = new LongHead(this.#take(this.#pending.length));
      return false;
    }
    // Content-Length is mandatory on a stream; without it the message ends with its head and validation refuses it.
    const length = bodyLength(contentLengthsOf(this.#pending.toString('latin1', 0, head.end))) ?? 0;
    if (length <= MAX_BODY_BYTES) this.#wanted = head.bodyStart + length;
    else this.#refuse(this.#take(head.bodyStart), length);
    return true;
  }

  #readMessage(): boolean {
    if (this.#pending.length < this.#wanted) return false;
    const message = this.#take(this.#wanted);
    this.#wanted = 0;
    this.#events.onMessage(message);
    return true;
  }

  #passHead(head: LongHead): boolean {
    const end = head.push(this.#pending);
    this.#take(end ?? this.#pending.length);
    if (end === null) return false;
    this.#longHead = null;
    this.#refuse(head.beginning, bodyLength(head.contentLengths) ?? 0);
    return true;
  }

  #passBody(): boolean {
    this.#unwanted -= this.#take(Math.min(this.#unwanted, this.#pending.length)).length;
    return true;
  }

  /** Hands on what is to be refused. Behind a body of unknown length nothing can be found any more. */
  #refuse(head: Buffer, bodyBytes: number): void {
    this.#events.onMessage(head);
    if (Number.isNaN(bodyBytes)) throw new RangeError('unreadable Content-Length');
    this.#unwanted = bodyBytes;
  }

  #take(bytes: number): Buffer {
    const taken = this.#pending.subarray(0, bytes);
    this.#pending = this.#pending.length === bytes ? EMPTY : this.#pending.subarray(bytes);
    this.#searched = 0;
    return taken;
  }

  #skipLineEnds(): void {
    let skip = 0;
    while (this.#pending[skip] === CR && this.#pending[skip + 1] === LF) skip += 2;
    if (skip === 0) return;
    this.#take(skip);
    for (let pings = Math.floor(skip / 4); pings > 0; pings--) this.#events.onPing();
  }
}
