/** One thread that recognises, as the main thread sees it: it takes a batch, and the next when each of its jobs has its end. */
import { Worker } from 'node:worker_threads';
import { threadEntry } from '../../../thread-entry';
import { ProviderError } from '../../provider-error';
import { stopThread } from '../../stop-thread';
import { MAX_BATCH } from './messages';
import type { RecogniseBatch, RecogniserData, RecogniserReply } from './messages';

/** Somebody waits for a job no longer than this. */
const JOB_TIMEOUT_MS = 5_000;
/** A thread that has not come to its next token by then never will: a run of onnxruntime cannot be broken off. */
const HUNG_AFTER_MS = 5_000;

export type JobEnd = Extract<RecogniserReply, { id: number }>;

export interface RecogniserThreadDelegate {
  /** Once for each job, in whatever order. */
  onEnd(end: JobEnd): void;
  /** Nobody waits for these any more. */
  onTimeout(ids: readonly number[]): void;
  /** It takes a batch. */
  onFree(): void;
  /** It has ended, or hangs; what it had is lost. Once, and never before it was ready. */
  onLost(cause: string, ids: readonly number[]): void;
}

/** For tests. */
export interface RecogniserThreadOptions {
  readonly entry?: string;
  readonly jobTimeoutMs?: number;
  readonly hungAfterMs?: number;
}

export class RecogniserThread {
  readonly #options: RecogniserThreadOptions;
  readonly #name: string;
  readonly #delegate: RecogniserThreadDelegate;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4 * MAX_BATCH));
  readonly #worker: Worker;
  /** What it works on, in its places; null: that has its end. */
  #places: (number | null)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #ready = false;
  #over = false;

  /** @param waiting how many utterances wait for a thread, kept by whoever has them */
  constructor(
    name: string,
    delegate: RecogniserThreadDelegate,
    waiting: Int32Array,
    options: RecogniserThreadOptions = {},
  ) {
    this.#name = name;
    this.#delegate = delegate;
    this.#options = options;
    this.#worker = new Worker(options.entry ?? threadEntry(__dirname, 'moonshine-thread'), {
      workerData: { cancelled: this.#cancelled, waiting } satisfies RecogniserData,
    });
  }

  get free(): boolean {
    return this.#ready && !this.#over && this.#places.length === 0;
  }

  /** Rejects with code `unavailable` when the model or the runtime cannot be loaded. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: RecogniserReply) => {
        if (message.type === 'unavailable') reject(new ProviderError(this.#name, 'unavailable', message.message));
        else if (message.type === 'ready') {
          this.#ready = true;
          resolve();
          this.#delegate.onFree();
        } else this.#onEnd(message);
      });
      this.#worker.on('error', (cause) =>
        reject(new ProviderError(this.#name, 'failed', 'the thread failed', { cause })),
      );
      this.#worker.on('exit', (code) => {
        reject(new ProviderError(this.#name, 'failed', `the thread ended with ${code}`));
        this.#lose(`thread ended with ${code}`);
      });
    });
  }

  run(jobs: RecogniseBatch['jobs']): void {
    this.#places = jobs.map(({ id }) => id);
    this.#timer = setTimeout(() => this.#onTimeout(), this.#options.jobTimeoutMs ?? JOB_TIMEOUT_MS);
    // Copies: the samples stay the caller's.
    const copies = jobs.map(({ id, pcm }) => ({ id, pcm: pcm.slice() }));
    const batch = { type: 'recognise', jobs: copies } satisfies RecogniseBatch;
    this.#worker.postMessage(
      batch,
      copies.map(({ pcm }) => pcm.buffer),
    );
  }

  /** It ends at its next token; the others of its batch go on. */
  cancel(id: number): void {
    const place = this.#places.indexOf(id);
    if (place >= 0) Atomics.store(this.#cancelled, place, id);
  }

  async stop(): Promise<void> {
    this.#over = true;
    if (this.#timer) clearTimeout(this.#timer);
    await stopThread(this.#worker);
  }

  #onEnd(end: JobEnd): void {
    const place = this.#places.indexOf(end.id);
    if (this.#over || place < 0) return;
    this.#places[place] = null;
    this.#delegate.onEnd(end);
    if (this.#open().length > 0) return;
    this.#places = [];
    if (this.#timer) clearTimeout(this.#timer);
    this.#delegate.onFree();
  }

  #onTimeout(): void {
    const ids = this.#open();
    for (const id of ids) this.cancel(id);
    this.#timer = setTimeout(() => {
      this.#lose('hangs');
      void this.stop();
    }, this.#options.hungAfterMs ?? HUNG_AFTER_MS);
    this.#delegate.onTimeout(ids);
  }

  #lose(cause: string): void {
    if (this.#over || !this.#ready) return;
    this.#over = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#delegate.onLost(cause, this.#open());
  }

  #open(): number[] {
    return this.#places.filter((id) => id !== null);
  }
}
