import { OutgoingRequest } from './message/outgoing-request';

import type { Transport } from 'sip.js/lib/core/index.js';
import type { OutgoingResponse } from './message/serialiser';

/** Takes our requests to their sockets. */
export interface RequestTransport {
  readonly reliable: boolean;
  send(request: OutgoingRequest): Promise<void>;
}

/** Takes the answers to one request back. */
export interface ReplyTransport {
  readonly reliable: boolean;
  send(response: OutgoingResponse): Promise<void>;
}

/** What sip.js sends by. Requests of ours go their own way even while a request of the peer is being answered. */
export class StackTransport implements Transport {
  /** For a Via that sip.js would write: ours names the transport by which the request really leaves. */
  readonly protocol = 'UDP';
  readonly #requests: RequestTransport;
  readonly #replies: ReplyTransport | undefined;

  constructor(requests: RequestTransport, replies?: ReplyTransport) {
    this.#requests = requests;
    this.#replies = replies;
  }

  get reliable(): boolean {
    return (this.#replies ?? this.#requests).reliable;
  }

  send(text: string): Promise<void> {
    const message: unknown = text;
    if (message instanceof OutgoingRequest) return this.#requests.send(message);
    if (typeof message === 'string') return Promise.reject(new Error('sip.js wrote a message of its own'));
    if (this.#replies === undefined) return Promise.reject(new Error('an answer to no request'));
    return this.#replies.send(message as OutgoingResponse);
  }
}
