/**
 * The RTP layer as the main thread sees it: starts the RTP thread and speaks for its sessions. Commands of one turn of
 * the event loop leave as one message.
 */
import { Worker } from 'node:worker_threads';
import type { MessagePort, Transferable } from 'node:worker_threads';
import type { SuperviseMode } from '../../contract/supervision';
import type { Background } from '../audio/background';
import { threadEntry } from '../thread-entry';
import { RtpError } from './rtp-error';
import type { RtpEngine, RtpRemote, RtpSession, RtpSessionDelegate, RtpSessionOptions, RtpStats } from './rtp-session';
import type { FromRtpThread, RtpReply, RtpThreadOptions, ToRtpThread } from './thread-messages';

export interface ThreadedRtpEngineOptions extends RtpThreadOptions {
  /** The thread died, its calls have no media any more: for the process to end and be started anew. */
  readonly onFailure?: (error: Error) => void;
  /** An error of ours that one session (null: all of them) survived, or did not: for the log. */
  readonly onFault?: (mediaId: number | null, message: string) => void;
  /** The sessions that a command has just joined, parted or given another source or listener: for the log. */
  readonly onGraph?: (graph: string) => void;
}

interface Pending {
  readonly resolve: (reply: RtpReply) => void;
  readonly reject: (error: RtpError) => void;
}

type Request = Extract<ToRtpThread, { request: number }>;
type SessionMessage = Exclude<FromRtpThread, { type: 'reply' | 'fault' | 'graph' }>;
type WithoutRequest<T> = T extends Request ? Omit<T, 'request'> : never;

export class ThreadedRtpEngine implements RtpEngine {
  readonly #options: ThreadedRtpEngineOptions;
  readonly #sessions = new Map<number, ThreadedRtpSession>();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #outbox: ToRtpThread[] = [];
  #lastMediaId = 0;
  #lastRequest = 0;
  #closing = false;

  constructor(options: ThreadedRtpEngineOptions) {
    this.#options = options;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    const { portMin, portMax, allowPrivateTargets = true } = this.#options;
    const worker = new Worker(threadEntry(__dirname, 'rtp-thread'), {
      workerData: { portMin, portMax, allowPrivateTargets } satisfies RtpThreadOptions,
      name: 'rtp',
    });
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

  async open(options: RtpSessionOptions): Promise<RtpSession> {
    const mediaId = ++this.#lastMediaId;
    const reply = await this.request({ type: 'open', mediaId, options });
    if (reply.kind !== 'opened') throw new RtpError('bind_failed', 'unexpected answer of the RTP thread');
    const session = new ThreadedRtpSession(this, mediaId, reply.localPort, () => this.#sessions.delete(mediaId));
    this.#sessions.set(mediaId, session);
    return session;
  }

  connectListener(port: MessagePort): void {
    this.post({ type: 'listener', port });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null || this.#closing) return;
    this.#closing = true;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    await this.request({ type: 'stop' }).catch(() => undefined);
    await exited;
    this.#worker = null;
    this.#sessions.clear();
    this.#rejectPending(new RtpError('closed', 'the RTP engine is closed'));
  }

  /** @internal for sessions */
  post(message: ToRtpThread): void {
    if (this.#worker === null) return;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(message);
  }

  /** @internal for sessions */
  request(message: WithoutRequest<Request>): Promise<RtpReply> {
    if (this.#worker === null) return Promise.reject(new RtpError('closed', 'the RTP engine is not running'));
    const request = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      this.post({ ...message, request } as ToRtpThread);
    });
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
      this.#options.onFault?.(mediaId, textOf(error));
      const reply = { kind: 'error', code: 'failed', message: 'the command cannot be sent' } as const;
      if ('request' in message) this.#receive({ type: 'reply', request: message.request, reply });
      if (mediaId !== null) this.#receive({ type: 'failed', mediaId });
    }
  }

  #receive(message: FromRtpThread): void {
    if (message.type === 'reply') {
      const pending = this.#pending.get(message.request);
      this.#pending.delete(message.request);
      const { reply } = message;
      if (reply.kind === 'error') pending?.reject(new RtpError(reply.code, reply.message));
      else pending?.resolve(reply);
      return;
    }
    if (message.type === 'fault') this.#options.onFault?.(message.mediaId, message.message);
    else if (message.type === 'graph') this.#options.onGraph?.(message.graph);
    else this.#deliver(message);
  }

  /** What one call makes of its news is its own affair: the others in the same message get theirs. */
  #deliver(message: SessionMessage): void {
    try {
      this.#sessions.get(message.mediaId)?.receive(message);
    } catch (error) {
      this.#options.onFault?.(message.mediaId, textOf(error));
    }
  }

  #fail(error: Error): void {
    if (this.#worker === null) return;
    this.#worker = null;
    this.#rejectPending(new RtpError('thread_lost', 'the RTP thread died', { cause: error }));
    this.#options.onFailure?.(error);
  }

  #rejectPending(error: RtpError): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

class ThreadedRtpSession implements RtpSession {
  readonly mediaId: number;
  readonly localPort: number;
  delegate: RtpSessionDelegate = {};
  readonly #engine: ThreadedRtpEngine;
  readonly #onClosed: () => void;
  #closed: Promise<RtpStats> | null = null;

  constructor(engine: ThreadedRtpEngine, mediaId: number, localPort: number, onClosed: () => void) {
    this.#engine = engine;
    this.mediaId = mediaId;
    this.localPort = localPort;
    this.#onClosed = onClosed;
  }

  setRemote(remote: RtpRemote): void {
    this.#engine.post({ type: 'remote', mediaId: this.mediaId, remote });
  }

  play(playbackId: number, pcm: Int16Array, last: boolean): void {
    // A view would be cloned with all of its buffer; the copy moves.
    this.#engine.post({ type: 'play', mediaId: this.mediaId, playbackId, pcm: pcm.slice(), last });
  }

  async clear(): Promise<ReadonlyMap<number, number>> {
    const reply = await this.#engine.request({ type: 'clear', mediaId: this.mediaId });
    return reply.kind === 'cleared' ? reply.samples : new Map();
  }

  async sendDigits(digits: string): Promise<void> {
    await this.#engine.request({ type: 'digits', mediaId: this.mediaId, digits });
  }

  setGain(gain: number): void {
    this.#engine.post({ type: 'gain', mediaId: this.mediaId, gain });
  }

  echo(): void {
    this.#engine.post({ type: 'echo', mediaId: this.mediaId });
  }

  connect(other: RtpSession): void {
    this.#engine.post({ type: 'connect', mediaId: this.mediaId, otherId: other.mediaId });
  }

  disconnect(): void {
    this.#engine.post({ type: 'disconnect', mediaId: this.mediaId });
  }

  supervise(other: RtpSession, mode: SuperviseMode): void {
    this.#engine.post({ type: 'supervise', mediaId: this.mediaId, otherId: other.mediaId, mode });
  }

  setBackground(source: Background | null): void {
    this.#engine.post({ type: 'background', mediaId: this.mediaId, source });
  }

  pause(on: boolean): void {
    this.#engine.post({ type: 'pause', mediaId: this.mediaId, on });
  }

  listen(on: boolean): void {
    this.#engine.post({ type: 'listen', mediaId: this.mediaId, on });
  }

  close(): Promise<RtpStats> {
    this.#closed ??= this.#engine.request({ type: 'close', mediaId: this.mediaId }).then(statsOf);
    this.#onClosed();
    return this.#closed;
  }

  /** @internal for the engine */
  receive(message: SessionMessage): void {
    const { delegate } = this;
    switch (message.type) {
      case 'dtmf':
        delegate.onDtmf?.(message.digit, message.durationMs);
        return;
      case 'firstSent':
        delegate.onFirstPacketSent?.(message.atEpochMs);
        return;
      case 'firstReceived':
        delegate.onFirstPacketReceived?.(message.atEpochMs);
        return;
      case 'finished':
        delegate.onPlaybackFinished?.(message.playbackId);
        return;
      case 'timeout':
        delegate.onMediaTimeout?.();
        return;
      case 'quiet':
        delegate.onMediaQuiet?.(message.quiet);
        return;
      case 'deaf':
        delegate.onDeaf?.(message.packetsForeign);
        return;
      case 'failed':
        delegate.onFailure?.();
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function statsOf(reply: RtpReply): RtpStats {
  if (reply.kind !== 'stats') throw new RtpError('closed', 'unexpected answer of the RTP thread');
  return reply.stats;
}
