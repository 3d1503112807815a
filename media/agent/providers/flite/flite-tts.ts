/**
 * Embedded text-to-speech: flite voices in a child process that is started again when it dies. Sentences are cached by
 * text, voice and speed; the same sentence wanted twice at once is synthesised once.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { withDeadline } from '../../../../ops/deadline';
import { threadEntry } from '../../../thread-entry';
import { ProviderError } from '../../provider-error';
import { speakableText } from '../../speakable-text';
import { SpeechCache } from '../../speech-cache';
import type { TextToSpeech, TtsRequest, Voice } from '../../text-to-speech';
import type { FliteJob, FliteReply } from './messages';

const NAME = 'flite';
/** The clearest over G.711: the embedded recogniser gets 5 % of its words wrong, 14 % of those of slt, 8 % of those of awb. */
const DEFAULT_VOICE = 'rms';
const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;
/** Sixty times what a sentence takes: reached only when the process hangs or the machine is far overloaded. */
const JOB_TIMEOUT_MS = 4_000;
const START_TIMEOUT_MS = 10_000;
const RESTART_DELAYS_MS = [0, 200, 1_000, 5_000];
/** A sentence that kills the process twice is given up. */
const MAX_TRIES = 2;

/** Speaks the time of day and nothing else, so it is no voice for an agent. */
const LIMITED_DOMAIN_VOICES = new Set(['awb_time']);

const VOICE_LABELS: Readonly<Record<string, Pick<Voice, 'name' | 'gender'>>> = {
  slt: { name: 'Sarah (US)', gender: 'female' },
  rms: { name: 'Robert (US)', gender: 'male' },
  awb: { name: 'Alan (Scottish)', gender: 'male' },
  kal: { name: 'Kevin (US, 8 kHz)', gender: 'male' },
  kal16: { name: 'Kevin (US, 16 kHz)', gender: 'male' },
};

export interface FliteTtsOptions {
  /** Default 32 MB, about half an hour of speech. */
  readonly cacheBytes?: number;
  readonly onRestart?: (cause: string) => void;
}

interface Job extends FliteJob {
  tries: number;
  readonly resolve: (pcm: Int16Array) => void;
  readonly reject: (error: Error) => void;
  timer?: NodeJS.Timeout;
}

export class FliteTts implements TextToSpeech {
  readonly name = NAME;
  readonly #cache: SpeechCache;
  readonly #inFlight = new Map<string, Promise<Int16Array>>();
  readonly #jobs = new Map<number, Job>();
  readonly #onRestart: (cause: string) => void;
  #child: ChildProcess | null = null;
  #ready = false;
  #voices: readonly Voice[] = [];
  #nextId = 1;
  #restarts = 0;
  #lastResultAt = 0;
  #restartTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: FliteTtsOptions = {}) {
    this.#cache = new SpeechCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
    this.#onRestart = options.onRestart ?? (() => undefined);
  }

  /** Resolves when the process can synthesise. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve) => this.#spawn(resolve));
    try {
      await withDeadline(ready, START_TIMEOUT_MS);
    } catch {
      void this.close();
      throw new ProviderError(NAME, 'unavailable', 'the process did not get ready');
    }
  }

  voices(): readonly Voice[] {
    return this.#voices;
  }

  async *synthesise(request: TtsRequest): AsyncGenerator<Int16Array> {
    request.signal?.throwIfAborted();
    const text = speakableText(request.text);
    if (!/[a-z0-9]/i.test(text)) return;
    const voice = this.#voiceFor(request.voiceId);
    const key = `${voice} ${request.speedPct} ${text}`;
    const pcm = this.#cache.get(key) ?? (await this.#shared(key, voice, text, request.speedPct));
    request.signal?.throwIfAborted();
    yield pcm;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
    this.#rejectAll('closed');
    const child = this.#child;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  #voiceFor(voiceId: string | null): string {
    const known = this.#voices.find((voice) => voice.id === voiceId);
    return known?.id ?? DEFAULT_VOICE;
  }

  /** An aborted listener leaves the synthesis running: it is short, and the result stays useful in the cache. */
  #shared(key: string, voice: string, text: string, speedPct: number): Promise<Int16Array> {
    const running = this.#inFlight.get(key);
    if (running) return running;
    const started = this.#submit(voice, text, speedPct).then((pcm) => {
      this.#cache.set(key, pcm);
      return pcm;
    });
    const settled = started.finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, settled);
    return settled;
  }

  #submit(voice: string, text: string, speedPct: number): Promise<Int16Array> {
    if (this.#closed) return Promise.reject(new ProviderError(NAME, 'unavailable', 'closed'));
    return new Promise((resolve, reject) => {
      const durationStretch = 100 / Math.min(200, Math.max(50, speedPct));
      const job: Job = { id: this.#nextId++, voice, text, durationStretch, tries: 0, resolve, reject };
      this.#jobs.set(job.id, job);
      // The clock also runs while the process is away, so a caller never waits longer for its apology.
      job.timer = setTimeout(() => this.#onJobTimeout(job), JOB_TIMEOUT_MS);
      if (this.#ready) this.#send(job);
    });
  }

  #send(job: Job): void {
    job.tries++;
    const { id, voice, text, durationStretch } = job;
    this.#child?.send({ id, voice, text, durationStretch } satisfies FliteJob, () => {
      // A failed send means that the process is gone; its exit event restarts it and sends again.
    });
  }

  #spawn(onReady?: () => void): void {
    const child = fork(threadEntry(__dirname, 'flite-process'), [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      // It needs nothing of ours, the secrets least of all.
      env: {},
    });
    this.#child = child;
    child.on('message', (message: FliteReply) => {
      if (message.type === 'ready') {
        this.#onReady(message.voices);
        onReady?.();
      } else this.#onResult(message);
    });
    child.on('error', (error) => {
      // One that was never started has no exit either; of others, 'exit' or the time limits tell.
      if (child.pid === undefined) this.#onExit(child, error.message);
    });
    child.on('exit', (code, signal) => this.#onExit(child, signal ?? `exit code ${code}`));
  }

  #onReady(names: readonly string[]): void {
    this.#ready = true;
    this.#lastResultAt = performance.now();
    this.#voices = names
      .filter((name) => !LIMITED_DOMAIN_VOICES.has(name))
      .map((id) => {
        const label = VOICE_LABELS[id] ?? { name: id, gender: 'unknown' };
        return { id, language: ['en'], ...label, default: id === DEFAULT_VOICE };
      });
    for (const job of this.#jobs.values()) this.#send(job);
  }

  #onResult(message: Exclude<FliteReply, { type: 'ready' }>): void {
    const job = this.#jobs.get(message.id);
    if (!job) return;
    this.#settle(job);
    this.#restarts = 0;
    this.#lastResultAt = performance.now();
    if (message.type === 'done') job.resolve(message.pcm);
    else job.reject(new ProviderError(NAME, 'failed', message.message));
  }

  #onExit(child: ChildProcess, cause: string): void {
    if (this.#closed || this.#child !== child) return;
    this.#ready = false;
    this.#onRestart(cause);
    for (const job of this.#jobs.values()) {
      if (job.tries < MAX_TRIES) continue;
      this.#settle(job);
      job.reject(new ProviderError(NAME, 'failed', `the process died (${cause})`));
    }
    const delay = RESTART_DELAYS_MS[Math.min(this.#restarts++, RESTART_DELAYS_MS.length - 1)];
    this.#restartTimer = setTimeout(() => this.#spawn(), delay);
  }

  #onJobTimeout(job: Job): void {
    this.#settle(job);
    job.reject(new ProviderError(NAME, 'timeout', 'synthesis took too long'));
    // Busy with the sentences of others, or stuck? Only the latter is helped by a new process.
    const idleMs = performance.now() - this.#lastResultAt;
    if (job.tries > 0 && idleMs >= JOB_TIMEOUT_MS) this.#child?.kill('SIGKILL');
  }

  #settle(job: Job): void {
    clearTimeout(job.timer);
    this.#jobs.delete(job.id);
  }

  #rejectAll(why: string): void {
    for (const job of this.#jobs.values()) {
      this.#settle(job);
      job.reject(new ProviderError(NAME, 'unavailable', why));
    }
  }
}
