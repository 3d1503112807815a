import type { ChildProcess } from 'node:child_process';

import { Backoff } from '../../ops/backoff';
import type { BackoffOptions } from '../../ops/backoff';
import type { Logger } from '../../ops/logger';
import { processIdentity } from '../process/identity';
import { removePidFile, writePidFile } from '../process/pid-file';
import type { ProcessOutput } from './output';

export interface ManagedProcessOptions {
  readonly name: string;
  readonly launch: () => ChildProcess;
  readonly pidFile: string;
  readonly output: ProcessOutput;
  readonly logger: Logger;
  readonly restarts: BackoffOptions;
  /** It ended too often in a row; nothing starts it any more. */
  readonly onGiveUp: (error: Error) => void;
}

export interface StopOptions {
  /** SIGKILL after this. */
  readonly limitMs: number;
  /** Aborted: the process gets further signals, which tell it not to wait, and is killed 8 s later. */
  readonly hurry: AbortSignal;
}

/** The processes take two signals within half a second for one, so a hurry is repeated until it was understood. */
const HURRY_EVERY_MS = 600;
const HURRY_LIMIT_MS = 8_000;

/**
 * One of the product's processes, started again when it ends by itself.
 *
 *     idle → running ⇄ waiting (back-off) → given up
 *               ↓           ↓
 *            stopping  →  idle
 */
export class ManagedProcess {
  readonly #options: ManagedProcessOptions;
  readonly #backoff: Backoff;
  #state: 'idle' | 'running' | 'waiting' | 'stopping' | 'given_up' = 'idle';
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ManagedProcessOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.restarts);
  }

  start(): void {
    const { name, launch, pidFile, output, logger } = this.#options;
    const startedMs = performance.now();
    const child = launch();
    this.#child = child;
    this.#state = 'running';
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) output.follow(stream);
    if (child.pid !== undefined) writePidFile(pidFile, child.pid);
    logger.info({ process: name, pid: child.pid }, 'process started');
    this.#exited = new Promise((resolve) => {
      const ended = (reason: Record<string, unknown>): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        removePidFile(pidFile);
        killGroup(child.pid);
        this.#onEnd(reason, performance.now() - startedMs);
        resolve();
      };
      child.once('exit', (code, signal) => ended({ exitCode: code, signal }));
      child.once('error', (error) => {
        if (child.pid === undefined) ended({ err: error });
      });
    });
  }

  /** Ends it with SIGTERM and starts it again at once, without counting a failure. */
  async restart(options: StopOptions): Promise<void> {
    await this.#end(options);
    // Another restart was faster, or the last stop came meanwhile.
    if (this.#state === 'idle' && !this.#stopped) this.start();
  }

  /** For good: no restart brings it back. */
  async stop(options: StopOptions): Promise<void> {
    this.#stopped = true;
    await this.#end(options);
  }

  async #end(options: StopOptions): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'stopping';
    child.kill('SIGTERM');
    const timers = [setTimeout(() => this.#kill(child), options.limitMs)];
    const hurry = (): void => {
      child.kill('SIGTERM');
      timers.push(setInterval(() => child.kill('SIGTERM'), HURRY_EVERY_MS));
      timers.push(setTimeout(() => this.#kill(child), HURRY_LIMIT_MS));
    };
    if (options.hurry.aborted) hurry();
    else options.hurry.addEventListener('abort', hurry, { once: true });
    await this.#exited;
    options.hurry.removeEventListener('abort', hurry);
    for (const timer of timers) clearTimeout(timer);
  }

  #kill(child: ChildProcess): void {
    this.#options.logger.warn({ process: this.#options.name }, 'process does not end: killed');
    child.kill('SIGKILL');
  }

  #onEnd(reason: Record<string, unknown>, ranMs: number): void {
    const { name, logger, output } = this.#options;
    if (this.#state === 'stopping') {
      this.#state = 'idle';
      return;
    }
    const waitMs = this.#backoff.next(ranMs);
    if (this.#backoff.exhausted) {
      this.#state = 'given_up';
      const last = output.lastLines.map((line) => `    ${line}`).join('\n');
      this.#options.onGiveUp(
        new Error(`${name} ended ${this.#backoff.failures} times in a row; it printed last:\n${last}`),
      );
      return;
    }
    this.#state = 'waiting';
    logger.error({ process: name, ...reason, ranMs: Math.round(ranMs), waitMs }, 'process ended: starting it again');
    this.#timer = setTimeout(() => this.start(), waitMs);
  }
}

/** What a killed process has started itself is in its group and must not outlive it. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === 'win32' || processIdentity(pid) !== undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // the usual case: nothing is left of the group
  }
}
