/** The CPU that the processes of a running product take. Linux only. */
import type { Stack, StackProcess } from '../test/support/stack';
import { cpuSecondsWithChildren } from './process-usage';

const PROCESSES: readonly StackProcess[] = ['media', 'worker', 'api', 'temporal', 'postgres'];

type CpuSeconds = ReadonlyMap<StackProcess, number>;

/** CPU time of each process with its children, s; a server that is not the stack's own counts 0. */
export function cpuSeconds(stack: Stack): CpuSeconds {
  return new Map(
    PROCESSES.map((name) => {
      const pid = stack.findPid(name);
      return [name, pid === undefined ? 0 : cpuSecondsWithChildren(pid)];
    }),
  );
}

/** Share of one core, per process. */
export function coresBetween(before: CpuSeconds, after: CpuSeconds, seconds: number): Readonly<Record<string, number>> {
  const share = (name: StackProcess): number =>
    Math.round((100 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / seconds) / 100;
  return Object.fromEntries(PROCESSES.map((name) => [name, share(name)]));
}
