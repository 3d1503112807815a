import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';

/** sched(7) */
const SCHED_RR = 2;
/** proc_pid_stat(5), counted from the state on. */
const NICE_FIELD = 16;
const POLICY_FIELD = 38;

export interface PreferredThread {
  readonly threadId: number;
  readonly nice: number;
  readonly realTime: boolean;
}

/** Those of this process that run before its main thread when processors are short. */
export function preferredThreads(): readonly PreferredThread[] {
  if (process.platform !== 'linux') return [];
  const own = getPriority();
  return readdirSync('/proc/self/task').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/self/task/${name}/stat`, 'latin1');
      // The name before the state may have blanks.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const realTime = Number(fields[POLICY_FIELD]) === SCHED_RR;
      const nice = Number(fields[NICE_FIELD]);
      return realTime || nice < own ? [{ threadId: Number(name), nice, realTime }] : [];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}
