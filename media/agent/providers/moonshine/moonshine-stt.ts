/**
 * Embedded speech-to-text: Moonshine tiny in a worker thread. Utterances queue in order of arrival; a cancelled one
 * leaves the queue, or stops the decoder at its next token.
 */
import { Worker } from 'node:worker_threads';
import { threadEntry } from '../../../thread-entry';
import { ProviderError } from '../../provider-error';
import type { SpeechToText, SttOptions, SttResult } from '../../speech-to-text';
import { stopThread } from '../../stop-thread';
import type { RecogniseJob, RecogniserData, RecogniserReply } from './messages';

const NAME = 'moonshine-tiny';
const JOB_TIMEOUT_MS = 5_000;
const RESTART_DELAY_MS = 500;

export interface MoonshineSttOptions {
  readonly onRestart?: (cause: string) => void;
}

interface Job {
  readonly id: number;
  readonly pcm: Int16Array;
  readonly resolve: (result: SttResult) => void;
  readonly reject: (error: unknown) => void;
  readonly dispose: () => void;
}

export class MoonshineStt implements SpeechToText {
  readonly name = NAME;
  readonly #onRestart: (cause: string) => void;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #queue: Job[] = [];
  #running: Job | null = null;
  #runningTimer: NodeJS.Timeout | null = null;
  #worker: Worker | null = null;
  #ready = false;
  #nextId = 1;
  #restartTimer: NodeJS.Timeout | null = null;
  /** It could not be started again. */
  #lost = false;
  #closed = false;

  constructor(options: MoonshineSttOptions = {}) {
    this.#onRestart = options.onRestart ?? (() => undefined);
  }

  /** Rejects with code `unavailable` when the model or the runtime cannot be loaded. */
  start(): Promise<void> {
    return this.#spawn();
  }

  transcribe(audio: Int16Array, options: SttOptions): Promise<SttResult> {
    if (this.#closed) return Promise.reject(new ProviderError(NAME, 'unavailable', 'closed'));
    if (this.#lost) return Promise.reject(new ProviderError(NAME, 'unavailable', 'cannot be restarted'));
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    if (audio.length === 0) return Promise.resolve({ text: '', confidence: 0 });
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const onAbort = (): void => this.#cancel(id, signal?.reason);
      const dispose = (): void => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#queue.push({ id, pcm: audio, resolve, reject, dispose });
      this.#next();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
    if (this.#runningTimer) clearTimeout(this.#runningTimer);
    const waiting = this.#running ? [this.#running, ...this.#queue] : [...this.#queue];
    this.#running = null;
    this.#queue.length = 0;
    for (const job of waiting) this.#fail(job, new ProviderError(NAME, 'unavailable', 'closed'));
    if (this.#worker) await stopThread(this.#worker);
  }

  #next(): void {
    if (this.#running || !this.#ready) return;
    const job = this.#queue.shift();
    if (!job) return;
    this.#running = job;
    this.#runningTimer = setTimeout(() => this.#onTimeout(job), JOB_TIMEOUT_MS);
    const pcm = job.pcm.slice();
    this.#worker?.postMessage({ type: 'recognise', id: job.id, pcm } satisfies RecogniseJob, [pcm.buffer]);
  }

  #cancel(id: number, reason: unknown): void {
    const waiting = this.#queue.findIndex((job) => job.id === id);
    if (waiting >= 0) this.#fail(this.#queue.splice(waiting, 1)[0]!, asError(reason));
    else if (this.#running?.id === id) {
      // Its promise is settled at once; the thread stops at the next token and then takes the next job.
      Atomics.store(this.#cancelled, 0, id);
      this.#fail(this.#running, asError(reason));
    }
  }

  #fail(job: Job, error: unknown): void {
    job.dispose();
    job.reject(error);
  }

  #onReply(message: Extract<RecogniserReply, { id: number }>): void {
    const job = this.#running;
    if (job?.id !== message.id) return;
    this.#running = null;
    if (this.#runningTimer) clearTimeout(this.#runningTimer);
    job.dispose();
    if (message.type === 'done') job.resolve({ text: message.text, confidence: message.confidence });
    else job.reject(new ProviderError(NAME, 'failed', message.message));
    this.#next();
  }

  /** Like a cancelled job it keeps the thread until its next token; a run of onnxruntime cannot be broken off. */
  #onTimeout(job: Job): void {
    Atomics.store(this.#cancelled, 0, job.id);
    this.#fail(job, new ProviderError(NAME, 'timeout', 'recognition took too long'));
  }

  async #spawn(): Promise<void> {
    const worker = new Worker(threadEntry(__dirname, 'moonshine-thread'), {
      workerData: { cancelled: this.#cancelled } satisfies RecogniserData,
    });
    this.#worker = worker;
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: RecogniserReply) => {
        if (message.type === 'ready') {
          this.#ready = true;
          resolve();
          this.#next();
        } else if (message.type === 'unavailable') {
          reject(new ProviderError(NAME, 'unavailable', message.message));
        } else this.#onReply(message);
      });
      worker.on('error', (error) => reject(new ProviderError(NAME, 'failed', 'the thread failed', { cause: error })));
      worker.on('exit', (code) => {
        reject(new ProviderError(NAME, 'failed', `the thread ended with ${code}`));
        this.#onExit(code);
      });
    });
  }

  #onExit(code: number): void {
    if (this.#closed || !this.#ready) return;
    this.#ready = false;
    this.#onRestart(`thread ended with ${code}`);
    const job = this.#running;
    this.#running = null;
    if (this.#runningTimer) clearTimeout(this.#runningTimer);
    if (job) this.#fail(job, new ProviderError(NAME, 'failed', 'the recogniser died'));
    this.#restartTimer = setTimeout(() => {
      this.#spawn().catch((error: Error) => {
        this.#onRestart(error.message);
        this.#lost = true;
        const lost = this.#queue.splice(0);
        for (const waiting of lost) this.#fail(waiting, new ProviderError(NAME, 'unavailable', 'cannot be restarted'));
      });
    }, RESTART_DELAY_MS);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
