/** What a process costs, as the kernel counts it (`proc(5)`). Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux's USER_HZ. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

export function usageOf(pid: number): ProcessUsage {
  // From the state on, which is the third: the name before it may have blanks.
  const fields = fieldsOf(String(pid));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssBytes: Number(fields[21]) * PAGE_BYTES,
  };
}

/** Of the thread that a process begins with. */
export function mainThreadMs(pid: number): number {
  // `schedstat` counts nanoseconds, where `stat` counts ticks.
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** Of a process and those that it started: a PostgreSQL server and its sessions. */
export function cpuSecondsWithChildren(pid: number): number {
  let seconds = usageOf(pid).cpuSeconds;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(fieldsOf(name)[1]) === pid) seconds += usageOf(Number(name)).cpuSeconds;
    } catch {
      // It ended meanwhile.
    }
  }
  return seconds;
}

function fieldsOf(pid: string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
