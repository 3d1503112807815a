import { setTimeout as sleep } from 'node:timers/promises';

import { isAlive } from './pid-file';
import type { ProcessRecord } from './pid-file';

export interface StopStep {
  readonly signal: NodeJS.Signals;
  /** How long to wait for the end before the next step. */
  readonly waitMs: number;
}

/** Sends one signal after the other until the process has ended, then waits for the last. `false`: it still runs. */
export async function stopProcess(
  record: Pick<ProcessRecord, 'pid' | 'identity'>,
  steps: readonly StopStep[],
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (!isAlive(record)) return true;
    try {
      process.kill(record.pid, signal);
    } catch {
      // It ended between the two statements, or belongs to another user: the wait below tells.
    }
    if (await waitForEnd(record, waitMs)) return true;
  }
  return !isAlive(record);
}

async function waitForEnd(record: Pick<ProcessRecord, 'pid' | 'identity'>, waitMs: number): Promise<boolean> {
  const limitMs = performance.now() + waitMs;
  while (isAlive(record)) {
    if (performance.now() >= limitMs) return false;
    await sleep(25);
  }
  return true;
}
