/** Processes that are away for a while, as a test wants it, and how they come back. */
import { execFileSync } from 'node:child_process';

import type { Stack, StackProcess } from '../stack';

/** Carry no audio: calls outlive them. */
export type Dispensable = Exclude<StackProcess, 'media' | 'supervisor'>;

/** `kill`: back at once; `stop`: stands still; `gone`: dead, and nobody starts it. */
export type OutageWay = 'kill' | 'stop' | 'gone';

/** Answers how all of them come back. */
export function takeAway(stack: Stack, targets: readonly Dispensable[], way: OutageWay): () => Promise<void> {
  const pids = targets.map((name) => [name, stack.pid(name)] as const);
  const supervisor = stack.pid('supervisor');
  if (way === 'gone') process.kill(supervisor, 'SIGSTOP');
  const still = way === 'stop' ? pids.flatMap(([, pid]) => standStill(pid)) : [];
  if (way !== 'stop') for (const [, pid] of pids) process.kill(pid, 'SIGKILL');
  return async () => {
    if (way === 'gone') process.kill(supervisor, 'SIGCONT');
    if (way === 'stop') for (const pid of still) goOn(pid);
    else await Promise.all(pids.map(([name, pid]) => stack.waitForNewPid(name, pid, 30_000)));
  };
}

/** With the processes it has started: PostgreSQL's first one serves nobody itself. Answers all of them. */
function standStill(pid: number): number[] {
  process.kill(pid, 'SIGSTOP');
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const children = [...listed.matchAll(/^\s*(\d+)\s+(\d+)$/gm)].filter(([, , parent]) => Number(parent) === pid);
  return [pid, ...children.flatMap(([, child]) => standStill(Number(child)))];
}

function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It had been about to end.
  }
}
