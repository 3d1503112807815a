import type { InDialogRequest, InDialogResult } from './dialog-requests';

interface Info {
  readonly contentType: string;
  readonly content: string;
  readonly resolve: (taken: boolean) => void;
}

/**
 * INFO of ours in one dialog, each after the answer to the one before: a digit that the network lets overtake another
 * would have that one refused as out of order (RFC 3261 §12.2.2).
 */
export class InfoRequests {
  readonly #request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void;
  /** The first is under way. */
  readonly #queue: Info[] = [];
  #stopped = false;

  constructor(request: (request: InDialogRequest, done: (result: InDialogResult) => void) => void) {
    this.#request = request;
  }

  /** Whether the peer takes it. */
  send(contentType: string, content: string): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#queue.push({ contentType, content, resolve });
      if (this.#queue.length === 1) this.#sendFirst();
    });
  }

  /** The dialog ends: no answer is waited for. */
  stop(): void {
    this.#stopped = true;
    for (const { resolve } of this.#queue.splice(0)) resolve(false);
  }

  #sendFirst(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    const { contentType, content, resolve } = first;
    this.#request({ method: 'INFO', headers: [], body: { contentType, content } }, (result) => {
      if (this.#queue[0] !== first) return;
      this.#queue.shift();
      resolve(typeof result === 'object' && result.status < 300);
      this.#sendFirst();
    });
  }
}
