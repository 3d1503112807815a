/** The CPU that the processes of a running product take. Linux only. */
import { readFileSync } from 'node:fs';

import type { Stack, StackProcess } from '../test/support/stack';

const PROCESSES: readonly StackProcess[] = ['media', 'worker', 'api', 'temporal', 'postgres'];
/** Linux's USER_HZ. */
const TICKS_PER_SECOND = 100;

type CpuSeconds = ReadonlyMap<StackProcess, number>;

/** CPU time of each process with its descendants, s; a server that is not the stack's own counts 0. */
export function cpuSeconds(stack: Stack): CpuSeconds {
  return new Map(
    PROCESSES.map((name) => {
      const pid = stack.findPid(name);
      return [name, pid === undefined ? 0 : treeCpuSeconds(pid)];
    }),
  );
}

/** Share of one core, per process. */
export function coresBetween(before: CpuSeconds, after: CpuSeconds, seconds: number): Readonly<Record<string, number>> {
  const share = (name: StackProcess): number =>
    Math.round((100 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / seconds) / 100;
  return Object.fromEntries(PROCESSES.map((name) => [name, share(name)]));
}

export function treeCpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return children.reduce((sum, child) => sum + treeCpuSeconds(Number(child)), own);
  } catch {
    return 0; // ended meanwhile
  }
}
