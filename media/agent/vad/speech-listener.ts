/** Main thread's side of the speech thread: who listens to which call. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { threadEntry } from '../../thread-entry';
import { ProviderError } from '../provider-error';
import { stopThread } from '../stop-thread';
import type { SpeechCommand, SpeechReport } from './messages';
import type { VadEvent } from './voice-activity';

/** Hears one call. */
export interface CallerAudio {
  /**
   * The caller's turn so far, at the graph's rate, cut tightly; empty when nothing was said since the last commit. Rejects at once
   * while the thread that heard it is being replaced: what was said until then is lost.
   */
  utterance(): Promise<Int16Array>;
  /** The turn so far was taken; what follows is the next one. */
  commit(): void;
  close(): void;
}

export interface CallerAudioSource {
  open(mediaId: number, onEvent: (event: VadEvent) => void): CallerAudio;
}

export interface SpeechListenerOptions {
  /** The thread died and another was started; audio must come over ports of that one from now on. */
  readonly onReplaced?: (cause: string) => void;
  /** It could not be started again; that is tried until it works. */
  readonly onFailure?: (error: Error) => void;
  /** A conversation could not take its event; the others got theirs. */
  readonly onFault?: (error: unknown) => void;
}

interface Request {
  readonly resolve: (pcm: Int16Array) => void;
  readonly reject: (error: ProviderError) => void;
}

const RESTART_DELAY_MS = 200;
/** After a restart that failed. */
const RETRY_DELAY_MS = 5_000;

export class SpeechListener implements CallerAudioSource {
  readonly #options: SpeechListenerOptions;
  readonly #listeners = new Map<number, (event: VadEvent) => void>();
  readonly #requests = new Map<number, Request>();
  #worker: Worker | null = null;
  /** The thread listens. It does not from its death until its successor is ready. */
  #ready = false;
  #ports: MessagePort[] = [];
  #detector = 'not started';
  #nextRequest = 1;
  #restartTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: SpeechListenerOptions = {}) {
    this.#options = options;
  }

  /** Name of the detector in use and, for the fallback, why. */
  get detector(): string {
    return this.#detector;
  }

  async start(): Promise<void> {
    const worker = new Worker(threadEntry(__dirname, 'speech-thread'));
    this.#worker = worker;
    this.#closePorts();
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: SpeechReport) => {
        if (message.type === 'ready') {
          const why = message.fallbackBecause;
          this.#detector = why === null ? message.detector : `${message.detector} (fallback: ${why})`;
          this.#ready = true;
          resolve();
        } else this.#onReport(message);
      });
      worker.on('error', (error) => reject(new ProviderError('vad', 'failed', 'the thread failed', { cause: error })));
      worker.on('exit', (code) => {
        const died = new ProviderError('vad', 'failed', `the thread ended with ${code}`);
        reject(died);
        if (!this.#ready) return;
        this.#ready = false;
        for (const request of this.#requests.values()) request.reject(died);
        this.#requests.clear();
        if (!this.#closed) this.#restart(`thread ended with ${code}`);
      });
    });
    for (const mediaId of this.#listeners.keys()) this.#command({ type: 'open', mediaId });
  }

  /** A new way for AudioBatch messages, for one who produces them. */
  audioPort(): MessagePort {
    if (!this.#worker) throw new Error('start() comes first');
    const { port1, port2 } = new MessageChannel();
    this.#command({ type: 'audio', port: port1 }, [port1]);
    this.#ports.push(port2);
    return port2;
  }

  open(mediaId: number, onEvent: (event: VadEvent) => void): CallerAudio {
    this.#listeners.set(mediaId, onEvent);
    this.#command({ type: 'open', mediaId });
    return {
      utterance: () => this.#utterance(mediaId),
      commit: () => this.#command({ type: 'commit', mediaId }),
      close: () => {
        if (this.#listeners.get(mediaId) !== onEvent) return;
        this.#listeners.delete(mediaId);
        this.#command({ type: 'close', mediaId });
      },
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
    this.#listeners.clear();
    if (this.#worker) await stopThread(this.#worker);
    this.#closePorts();
  }

  #closePorts(): void {
    for (const port of this.#ports.splice(0)) port.close();
  }

  #restart(cause: string, delayMs: number = RESTART_DELAY_MS): void {
    this.#restartTimer = setTimeout(() => {
      this.start().then(
        () => this.#options.onReplaced?.(cause),
        (error: Error) => {
          this.#options.onFailure?.(error);
          if (!this.#closed) this.#restart(cause, RETRY_DELAY_MS);
        },
      );
    }, delayMs);
  }

  #utterance(mediaId: number): Promise<Int16Array> {
    // Whoever is posted to now is dead, or has not heard what is asked for.
    if (!this.#ready) return Promise.reject(new ProviderError('vad', 'unavailable', 'the thread is being replaced'));
    return new Promise((resolve, reject) => {
      const requestId = this.#nextRequest++;
      this.#requests.set(requestId, { resolve, reject });
      this.#command({ type: 'utterance', mediaId, requestId });
    });
  }

  #command(command: SpeechCommand, transfer: MessagePort[] = []): void {
    this.#worker?.postMessage(command, transfer);
  }

  #onReport(message: Exclude<SpeechReport, { type: 'ready' }>): void {
    if (message.type === 'events') {
      for (const event of message.events) this.#deliver(event);
      return;
    }
    this.#requests.get(message.requestId)?.resolve(message.pcm);
    this.#requests.delete(message.requestId);
  }

  #deliver(event: VadEvent): void {
    try {
      this.#listeners.get(event.mediaId)?.(event);
    } catch (error) {
      this.#options.onFault?.(error);
    }
  }
}
