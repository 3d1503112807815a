/** Processes that are away for a while, as a test wants it, and how they come back. */
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
  for (const [, pid] of pids) process.kill(pid, way === 'stop' ? 'SIGSTOP' : 'SIGKILL');
  return async () => {
    if (way === 'gone') process.kill(supervisor, 'SIGCONT');
    if (way === 'stop') for (const [, pid] of pids) process.kill(pid, 'SIGCONT');
    else await Promise.all(pids.map(([name, pid]) => stack.waitForNewPid(name, pid, 30_000)));
  };
}
