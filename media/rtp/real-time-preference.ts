/**
 * Gives the threads of this process that run before others (`thread-priority.ts`) an equal place for a while: packets that go out
 * in time are worth nothing when the thread that should read the BYEs of their calls gets no processor for it.
 */
import { spawn } from 'node:child_process';
import { getPriority, setPriority } from 'node:os';

import { preferredThreads } from './preferred-threads';
import type { PreferredThread } from './preferred-threads';

/** After the last strain; changes cost some milliseconds of the thread that makes them. */
const EQUAL_FOR_MS = 5_000;
const CHECK_MS = 1_000;
/** util-linux; Node has no call for it. */
const CHRT = 'chrt';

export interface RealTimePreferenceOptions {
  readonly logger: { info(fields: object, message: string): void };
  readonly nowMs?: () => number;
}

export class RealTimePreference {
  readonly #options: RealTimePreferenceOptions;
  readonly #nowMs: () => number;
  #yielded: readonly PreferredThread[] | null = null;
  #strainedMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RealTimePreferenceOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? ((): number => performance.now());
  }

  /** This thread has more to do than it comes to. */
  strained(): void {
    this.#strainedMs = this.#nowMs();
    if (this.#yielded !== null) return;
    this.#yielded = preferredThreads();
    if (this.#yielded.length > 0) this.#options.logger.info({}, 'overloaded: packets go out without precedence');
    const nice = getPriority();
    for (const { threadId, realTime } of this.#yielded) change(threadId, nice, realTime ? ['--other', '0'] : null);
    this.#timer = setInterval(() => this.#look(), CHECK_MS);
  }

  /** As it was, at once. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const { threadId, nice, realTime } of this.#yielded ?? []) {
      change(threadId, nice, realTime ? ['--rr', '--reset-on-fork', '1'] : null);
    }
    this.#yielded = null;
  }

  #look(): void {
    if (this.#nowMs() - this.#strainedMs < EQUAL_FOR_MS) return;
    if ((this.#yielded?.length ?? 0) > 0) this.#options.logger.info({}, 'packets go out with precedence again');
    this.close();
  }
}

function change(threadId: number, nice: number, chrt: readonly string[] | null): void {
  try {
    setPriority(threadId, nice);
  } catch {
    // Its session is over, or what was granted at its start no longer is.
  }
  if (chrt === null) return;
  const options = chrt.slice(0, -1);
  const child = spawn(CHRT, [...options, '--pid', chrt.at(-1)!, String(threadId)], { stdio: 'ignore' });
  child.on('error', () => undefined); // without chrt no thread is preferred by it
}
