import { MAX_HEADER_BYTES } from '../message/parser';

interface FramerEvents {
  onMessage(message: Buffer): void;
  /** Double CRLF: the peer expects a single one back. */
  onPing(): void;
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);
const CR = 13;
const LF = 10;
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r\n/i;

/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 §18.3) and finds keep-alives (RFC 5626 §4.4.1). */
export class StreamFramer {
  readonly #events: FramerEvents;
  #pending: Buffer = EMPTY;
  /** Whole length of the message that is being waited for, 0 while its headers are incomplete. */
  #wanted = 0;
  #searched = 0;

  constructor(events: FramerEvents) {
    this.#events = events;
  }

  /** True while part of a message has arrived and the rest has not. */
  get partial(): boolean {
    return this.#pending.length > 0;
  }

  /** @throws RangeError when the stream cannot be framed any more; the connection must be closed */
  push(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#next());
  }

  #next(): boolean {
    if (this.#wanted === 0 && !this.#readHeaders()) return false;
    if (this.#pending.length < this.#wanted) return false;
    const message = this.#pending.subarray(0, this.#wanted);
    this.#pending = this.#pending.length === this.#wanted ? EMPTY : this.#pending.subarray(this.#wanted);
    this.#wanted = 0;
    this.#searched = 0;
    this.#events.onMessage(message);
    return this.#pending.length > 0;
  }

  #readHeaders(): boolean {
    this.#skipLineEnds();
    const end = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3), 'latin1');
    if (end < 0) {
      this.#searched = this.#pending.length;
      if (this.#pending.length > MAX_HEADER_BYTES) throw new RangeError('header section too large');
      return false;
    }
    if (end > MAX_HEADER_BYTES) throw new RangeError('header section too large');
    // Content-Length is mandatory on a stream; without it the message ends with its headers and validation refuses it.
    const length = CONTENT_LENGTH.exec(this.#pending.toString('latin1', 0, end + 2));
    this.#wanted = end + 4 + Number(length?.[1] ?? 0);
    if (this.#wanted > MAX_MESSAGE_BYTES) throw new RangeError('message too large');
    return true;
  }

  #skipLineEnds(): void {
    let skip = 0;
    while (this.#pending[skip] === CR && this.#pending[skip + 1] === LF) skip += 2;
    if (skip === 0) return;
    this.#pending = skip === this.#pending.length ? EMPTY : this.#pending.subarray(skip);
    this.#searched = 0;
    for (let pings = Math.floor(skip / 4); pings > 0; pings--) this.#events.onPing();
  }
}
