import type { Clock } from '../clock';

/** Runs `task` once after `delayMs`; the returned function cancels it and may be called at any time. */
export function after(clock: Clock, delayMs: number, task: () => void): () => void {
  const handle = clock.setTimeout(task, delayMs);
  return () => clock.clearTimeout(handle);
}

/** Resolves with `work`, or without it after `ms`. */
export async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = after(clock, ms, resolve);
    void work.finally(() => {
      cancel();
      resolve();
    });
  });
}
