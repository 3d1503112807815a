/**
 * One RTP thread as the main thread sees it: the commands that one turn of the event loop has for it leave as one
 * message. The ports that it has prepared are known here, so that a session is open before the thread has heard of it;
 * it hears of it with the session's first command.
 */
import { Worker } from 'node:worker_threads';

import { endOfTurn } from './end-of-turn';
import { threadEntry } from '../thread-entry';
import { RtpError } from './rtp-error';

import type { Transferable } from 'node:worker_threads';
import type { RtpSessionOptions } from './rtp-session';
import type { FromRtpThread, RtpReply, RtpSessionNews, RtpThreadOptions, ToRtpThread } from './thread-messages';

export interface RtpWorkerOptions {
  readonly thread: RtpThreadOptions;
  readonly name: string;
  readonly onNews: (news: RtpSessionNews) => void;
  readonly onFault: (mediaId: number | null, message: string) => void;
  readonly onGraph: (graph: string) => void;
  readonly onFailure: (error: Error) => void;
}

interface Pending {
  readonly resolve: (reply: RtpReply) => void;
  readonly reject: (error: RtpError) => void;
}

type Request = Extract<ToRtpThread, { request: number }>;
type WithoutRequest<T> = T extends Request ? Omit<T, 'request'> : never;

export class RtpWorker {
  readonly #options: RtpWorkerOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #prepared = new Map<string, number[]>();
  /** Sessions that the thread has not heard of. */
  readonly #unheard = new Map<number, ToRtpThread>();
  #worker: Worker | null = null;
  #outbox: ToRtpThread[] = [];
  #lastRequest = 0;
  #closing = false;

  constructor(options: RtpWorkerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { thread, name } = this.#options;
    const worker = new Worker(threadEntry(__dirname, 'rtp-thread'), { workerData: thread, name });
    this.#worker = worker;
    worker.on('message', (messages: readonly FromRtpThread[]) => {
      for (const message of messages) this.#receive(message);
    });
    worker.on('error', (error: Error) => this.#fail(error));
    worker.on('exit', (code) => {
      if (!this.#closing) this.#fail(new RtpError('thread_lost', `the RTP thread ended with code ${code}`));
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('online', resolve);
      worker.once('error', reject);
    });
  }

  /** Port of the new session. @throws RtpError `no_port`, `bind_failed`, `closed` */
  async open(mediaId: number, options: RtpSessionOptions): Promise<number> {
    const port = this.#worker === null ? undefined : this.#prepared.get(options.localAddress)?.shift();
    if (port !== undefined) {
      this.#unheard.set(mediaId, { type: 'adopt', mediaId, port, options });
      return port;
    }
    const reply = await this.request({ type: 'open', mediaId, options });
    if (reply.kind !== 'opened') throw new RtpError('bind_failed', 'unexpected answer of the RTP thread');
    return reply.localPort;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null || this.#closing) return;
    this.#closing = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await this.request({ type: 'stop' }).catch(() => undefined);
    await exited;
    this.#worker = null;
    this.#rejectPending(new RtpError('closed', 'the RTP engine is closed'));
  }

  post(message: ToRtpThread): void {
    if (this.#worker === null) return;
    if ('mediaId' in message) this.#introduce(message.mediaId);
    if ('otherId' in message) this.#introduce(message.otherId);
    this.#push(message);
  }

  request(message: WithoutRequest<Request>): Promise<RtpReply> {
    if (this.#worker === null) return Promise.reject(new RtpError('closed', 'the RTP engine is not running'));
    const request = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      this.post({ ...message, request } as ToRtpThread);
    });
  }

  #introduce(mediaId: number): void {
    const adopt = this.#unheard.get(mediaId);
    if (adopt === undefined) return;
    this.#unheard.delete(mediaId);
    this.#push(adopt);
  }

  #push(message: ToRtpThread): void {
    if (this.#outbox.length === 0) endOfTurn(() => this.#flush());
    this.#outbox.push(message);
  }

  #flush(): void {
    const messages = this.#outbox;
    this.#outbox = [];
    try {
      this.#send(messages);
    } catch {
      // One that cannot be cloned must not take those of other calls with it.
      for (const message of messages) this.#sendAlone(message);
    }
  }

  #send(messages: readonly ToRtpThread[]): void {
    const transfer: Transferable[] = [];
    for (const message of messages) {
      if (message.type === 'play') transfer.push(message.pcm.buffer as ArrayBuffer);
      else if (message.type === 'listener') transfer.push(message.port);
    }
    this.#worker?.postMessage(messages, transfer);
  }

  #sendAlone(message: ToRtpThread): void {
    try {
      this.#send([message]);
    } catch (error) {
      const mediaId = 'mediaId' in message ? message.mediaId : null;
      this.#options.onFault(mediaId, error instanceof Error ? (error.stack ?? error.message) : String(error));
      const reply = { kind: 'error', code: 'failed', message: 'the command cannot be sent' } as const;
      if ('request' in message) this.#receive({ type: 'reply', request: message.request, reply });
      if (mediaId !== null) this.#receive({ type: 'failed', mediaId });
    }
  }

  #receive(message: FromRtpThread): void {
    switch (message.type) {
      case 'reply':
        this.#answer(message.request, message.reply);
        return;
      case 'prepared': {
        const ports = this.#prepared.get(message.localAddress);
        if (ports === undefined) this.#prepared.set(message.localAddress, [message.port]);
        else ports.push(message.port);
        return;
      }
      case 'fault':
        this.#options.onFault(message.mediaId, message.message);
        return;
      case 'graph':
        this.#options.onGraph(message.graph);
        return;
      default:
        this.#options.onNews(message);
    }
  }

  #answer(request: number, reply: RtpReply): void {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    if (reply.kind === 'error') pending?.reject(new RtpError(reply.code, reply.message));
    else pending?.resolve(reply);
  }

  #fail(error: Error): void {
    if (this.#worker === null) return;
    this.#worker = null;
    this.#rejectPending(new RtpError('thread_lost', 'the RTP thread died', { cause: error }));
    this.#options.onFailure(error);
  }

  #rejectPending(error: RtpError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
