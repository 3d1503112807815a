import type { Clock } from '../clock';

/** Runs `task` once after `delayMs`; the returned function cancels it and may be called at any time. */
export function after(clock: Clock, delayMs: number, task: () => void): () => void {
  const handle = clock.setTimeout(task, delayMs);
  return () => clock.clearTimeout(handle);
}
