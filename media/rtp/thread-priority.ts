import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** Above everything that computes (speech models, databases), below the system's own. */
const NICE = -10;
/** util-linux; Node has no call for it. Round robin among equals, children of the thread are ordinary again. */
const REAL_TIME = ['chrt', '--rr', '--reset-on-fork', '--pid', '1'] as const;

/**
 * Lets the calling thread run before others when processors are short: a packet that waits for a speech model is a gap
 * in somebody's ear. Real-time scheduling (sched(7), SCHED_RR) where that is granted, else a better place among the
 * threads of its own session: with autogroups a nice value says nothing to other sessions. Linux grants either to root
 * and CAP_SYS_NICE only; without it, and elsewhere, all stays as it is. Returns what is in force.
 */
export function raiseThreadPriority(): 'real_time' | 'nice' | 'ordinary' {
  if (process.platform !== 'linux') return 'ordinary';
  try {
    // "<process>/task/<thread>", as seen by the thread that asks.
    const threadId = basename(readlinkSync('/proc/thread-self'));
    setPriority(Number(threadId), NICE);
    const [command, ...options] = REAL_TIME;
    const { status } = spawnSync(command, [...options, threadId], { stdio: 'ignore', timeout: 2_000 });
    return status === 0 ? 'real_time' : 'nice';
  } catch {
    // Not permitted: the usual case outside containers that grant it. Or no /proc here.
    return 'ordinary';
  }
}
