/**
 * Embedded speech-to-text: Moonshine tiny in worker threads, one for each core that calls can spare. Utterances queue in order
 * of arrival and are taken in batches of about the same length; a cancelled one leaves the queue, or its batch at the next
 * token. What was not surely understood is heard in a second way while nobody waits. A thread that dies or hangs is replaced.
 */
import { availableParallelism } from 'node:os';
import { ProviderError } from '../../provider-error';
import type { SpeechToText, SttOptions, SttResult } from '../../speech-to-text';
import { nextBatch } from './batches';
import { MAX_BATCH } from './messages';
import { RecogniserThread } from './recogniser-thread';
import type { JobEnd, RecogniserThreadOptions } from './recogniser-thread';

const NAME = 'moonshine-tiny';
const RESTART_DELAY_MS = 500;
/** Signalling and packets have two of them. */
const SPARE_FROM_CORES = 2;
const MAX_THREADS = 4;
/** For each thread. Whoever came behind as many would be heard after the deadline of its turn, and keep others from theirs. */
const MAX_WAITING = 4 * MAX_BATCH;

export interface MoonshineSttOptions {
  readonly onRestart?: (cause: string) => void;
  /** Default: one for each spare core, at least one. */
  readonly threads?: number;
  readonly thread?: RecogniserThreadOptions;
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
  readonly atOnce: number;
  readonly #onRestart: (cause: string) => void;
  readonly #thread: RecogniserThreadOptions;
  readonly #threads: (RecogniserThread | null)[];
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #queue: Job[] = [];
  /** Length of the queue, for the threads to see. */
  readonly #waiting = new Int32Array(new SharedArrayBuffer(4));
  readonly #running = new Map<number, Job>();
  #nextId = 1;
  #started = false;
  #closed = false;

  constructor(options: MoonshineSttOptions = {}) {
    this.#onRestart = options.onRestart ?? (() => undefined);
    this.#thread = options.thread ?? {};
    const spare = availableParallelism() - SPARE_FROM_CORES;
    const threads = options.threads ?? Math.min(Math.max(spare, 1), MAX_THREADS);
    this.#threads = Array.from({ length: threads }, () => null);
    this.atOnce = threads * MAX_BATCH;
  }

  /** Rejects with code `unavailable` when the model or the runtime cannot be loaded. */
  async start(): Promise<void> {
    await Promise.all(this.#threads.map((_, place) => this.#spawn(place)));
  }

  transcribe(audio: Int16Array, options: SttOptions): Promise<SttResult> {
    if (this.#closed) return Promise.reject(new ProviderError(NAME, 'unavailable', 'closed'));
    if (this.#lost) return Promise.reject(new ProviderError(NAME, 'unavailable', 'cannot be restarted'));
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    if (audio.length === 0) return Promise.resolve({ text: '', confidence: 0 });
    if (this.#queue.length >= MAX_WAITING * this.#threads.length) {
      return Promise.reject(new ProviderError(NAME, 'failed', 'too many utterances wait'));
    }
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
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#failAll('closed');
    await Promise.all(this.#threads.map(async (thread) => thread?.stop()));
  }

  /** Of its threads none is there, and none will be. */
  get #lost(): boolean {
    return this.#restarts.size === 0 && this.#started && this.#threads.every((thread) => thread === null);
  }

  #next(): void {
    this.#distribute();
    Atomics.store(this.#waiting, 0, this.#queue.length);
  }

  #distribute(): void {
    for (const thread of this.#threads) {
      if (thread?.free !== true) continue;
      const places = nextBatch(this.#queue.map(({ pcm }) => pcm.length));
      if (places.length === 0) return;
      const jobs = places.map((place) => this.#queue[place]!);
      for (const place of places.toReversed()) this.#queue.splice(place, 1);
      for (const job of jobs) this.#running.set(job.id, job);
      thread.run(jobs.map(({ id, pcm }) => ({ id, pcm })));
    }
  }

  #cancel(id: number, reason: unknown): void {
    const waiting = this.#queue.findIndex((job) => job.id === id);
    if (waiting >= 0) {
      this.#fail(this.#queue.splice(waiting, 1)[0]!, asError(reason));
      this.#next();
    } else {
      // Its promise is settled at once; its thread leaves it at the next token.
      for (const thread of this.#threads) thread?.cancel(id);
      this.#failRunning(id, asError(reason));
    }
  }

  #fail(job: Job, error: unknown): void {
    job.dispose();
    job.reject(error);
  }

  #failRunning(id: number, error: unknown): void {
    const job = this.#running.get(id);
    if (!this.#running.delete(id) || job === undefined) return;
    this.#fail(job, error);
  }

  #failAll(why: string): void {
    const all = [...this.#running.values(), ...this.#queue.splice(0)];
    this.#running.clear();
    for (const job of all) this.#fail(job, new ProviderError(NAME, 'unavailable', why));
  }

  #onEnd(end: JobEnd): void {
    if (end.type === 'failed') return this.#failRunning(end.id, new ProviderError(NAME, 'failed', end.message));
    const job = this.#running.get(end.id);
    if (!this.#running.delete(end.id) || job === undefined) return;
    job.dispose();
    job.resolve({ text: end.text, confidence: end.confidence });
  }

  async #spawn(place: number): Promise<void> {
    const thread = new RecogniserThread(
      NAME,
      {
        onEnd: (end) => this.#onEnd(end),
        onFree: () => this.#next(),
        onTimeout: (ids) => {
          for (const id of ids) this.#failRunning(id, new ProviderError(NAME, 'timeout', 'recognition took too long'));
        },
        onLost: (cause, ids) => {
          for (const id of ids) this.#failRunning(id, new ProviderError(NAME, 'failed', 'the recogniser died'));
          this.#onLost(place, cause);
        },
      },
      this.#waiting,
      this.#thread,
    );
    this.#threads[place] = thread;
    await thread.start();
    this.#started = true;
  }

  #onLost(place: number, cause: string): void {
    if (this.#closed) return;
    this.#threads[place] = null;
    this.#onRestart(cause);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#spawn(place).catch((error: Error) => {
        this.#threads[place] = null;
        this.#onRestart(error.message);
        if (this.#lost) this.#failAll('cannot be restarted');
      });
    }, RESTART_DELAY_MS);
    this.#restarts.add(timer);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
