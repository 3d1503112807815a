/** The timers of the process, or of a clock. */
interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

export interface DeadlineOptions {
  /** Aborted: as if the time were over. */
  readonly signal?: AbortSignal;
  /** Default: the global ones. */
  readonly timers?: Timers;
  /** Of the error, for logs. */
  readonly message?: string;
}

/** The time was over, or nobody wanted to wait any longer. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * What `work` comes to within `limitMs`. Work that is late goes on: its outcome, also an error, concerns nobody.
 *
 * @throws DeadlineError when it is late; what `work` rejects with
 */
export async function withDeadline<T>(work: Promise<T>, limitMs: number, options: DeadlineOptions = {}): Promise<T> {
  const { signal, timers = globalThis, message = 'not done in time' } = options;
  let end = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    end = (): void => reject(new DeadlineError(message));
  });
  const timer = timers.setTimeout(end, limitMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted === true) end();
  try {
    return await Promise.race([work, late]);
  } finally {
    timers.clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
