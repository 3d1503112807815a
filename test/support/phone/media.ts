/** The test's side of the phones' media thread. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Arrivals, FromMediaThread, Recording, StreamRemote, ToMediaThread } from './media-thread';

export type { Arrivals, Recording, StreamRemote } from './media-thread';

type Request = Extract<ToMediaThread, { request: number }>;
type WithoutRequest<T> = T extends Request ? Omit<T, 'request'> : never;

/** One thread for any number of phones. */
export class PhoneMedia {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (value: FromMediaThread['value']) => void>();
  #requests = 0;
  #streams = 0;

  constructor() {
    // The thread is TypeScript like everything here; tsx loads it.
    this.#worker = new Worker(
      `require(${JSON.stringify(require.resolve('tsx/cjs'))}); require(${JSON.stringify(join(__dirname, 'media-thread.ts'))});`,
      {
        eval: true,
      },
    );
    this.#worker.on('message', ({ request, value }: FromMediaThread) => {
      this.#waiting.get(request)?.(value);
      this.#waiting.delete(request);
    });
  }

  async open(address: string): Promise<PhoneStream> {
    const stream = ++this.#streams;
    const port = (await this.ask({ type: 'open', stream, address })) as number;
    return new PhoneStream(this, stream, port);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  tell(message: Exclude<ToMediaThread, Request>): void {
    this.#worker.postMessage(message);
  }

  ask(message: WithoutRequest<Request>): Promise<FromMediaThread['value']> {
    const request = ++this.#requests;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.#worker.postMessage({ ...message, request });
    });
  }
}

export class PhoneStream {
  readonly port: number;
  readonly #media: PhoneMedia;
  readonly #stream: number;

  constructor(media: PhoneMedia, stream: number, port: number) {
    this.#media = media;
    this.#stream = stream;
    this.port = port;
  }

  setRemote(remote: StreamRemote): void {
    this.#media.tell({ type: 'remote', stream: this.#stream, remote });
  }

  /** Resolves when the last sample was sent. */
  async play(pcm: Int16Array): Promise<void> {
    await this.#media.ask({ type: 'play', stream: this.#stream, pcm: pcm.slice() });
  }

  /** RFC 4733; resolves when the last end packet was sent. */
  async sendDigits(digits: string): Promise<void> {
    await this.#media.ask({ type: 'digits', stream: this.#stream, digits });
  }

  async recording(): Promise<Recording> {
    return (await this.#media.ask({ type: 'recording', stream: this.#stream })) as Recording;
  }

  /** When packets came, without what was in them. */
  async arrivals(): Promise<Arrivals> {
    return (await this.#media.ask({ type: 'arrivals', stream: this.#stream })) as Arrivals;
  }

  close(): void {
    this.#media.tell({ type: 'close', stream: this.#stream });
  }
}
