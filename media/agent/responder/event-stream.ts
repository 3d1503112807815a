/**
 * Incremental parser of `text/event-stream` (WHATWG HTML §9.2.6): bytes in any portions, the data of each event out.
 * Event names, ids and retry times are of no use here and dropped.
 */

/** An event that never ends is not kept for ever. */
const MAX_EVENT_CHARACTERS = 1_000_000;

export class EventStreamParser {
  readonly #decoder = new TextDecoder('utf-8');
  #buffer = '';
  #data: string[] = [];
  #size = 0;

  /** Throws RangeError when an event exceeds one million characters. */
  push(bytes: Uint8Array): string[] {
    this.#buffer += this.#decoder.decode(bytes, { stream: true });
    const events: string[] = [];
    for (;;) {
      const end = /\r\n|\n|\r/.exec(this.#buffer);
      // A CR at the very end may be half of a CR LF.
      if (!end || (end[0] === '\r' && end.index === this.#buffer.length - 1)) break;
      const line = this.#buffer.slice(0, end.index);
      this.#buffer = this.#buffer.slice(end.index + end[0].length);
      const event = this.#onLine(line);
      if (event !== null) events.push(event);
    }
    if (this.#buffer.length + this.#size > MAX_EVENT_CHARACTERS) throw new RangeError('event too long');
    return events;
  }

  #onLine(line: string): string | null {
    if (line === '') {
      const data = this.#data;
      this.#data = [];
      this.#size = 0;
      return data.length > 0 ? data.join('\n') : null;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'data') return null;
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    this.#data.push(value);
    this.#size += value.length;
    return null;
  }
}
