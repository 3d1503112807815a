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
 * in somebody's ear. Real-time scheduling (sched(7), SCHED_RR), and a better place among the threads of its own session
 * where only that is granted: with autogroups a nice value says nothing to other sessions. Linux grants them to root, to
 * CAP_SYS_NICE and by RLIMIT_RTPRIO and RLIMIT_NICE; without, and elsewhere, all stays as it is.
 */
export function raiseThreadPriority(): void {
  if (process.platform !== 'linux') return;
  // "<process>/task/<thread>", as seen by the thread that asks.
  const threadId = basename(readlinkSync('/proc/thread-self'));
  try {
    setPriority(Number(threadId), NICE);
  } catch {
    // Not granted.
  }
  const [command, ...options] = REAL_TIME;
  spawnSync(command, [...options, threadId], { stdio: 'ignore', timeout: 2_000 });
}
