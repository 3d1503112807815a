import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Above everything that computes (speech models, databases), below the system's own. */
const NICE = -10;

/**
 * Lets the calling thread run before others when processors are short: a packet that waits for a speech model is a gap
 * in somebody's ear. Linux gives each thread a priority of its own, and only to those it trusts; elsewhere, and without
 * the right to it (CAP_SYS_NICE), all stays as it is. Returns the priority in force, null where threads have none.
 */
export function raiseThreadPriority(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    // "<process>/task/<thread>", as seen by the thread that asks.
    const threadId = Number(basename(readlinkSync('/proc/thread-self')));
    try {
      setPriority(threadId, NICE);
    } catch {
      // Not permitted: the usual case outside containers that grant it.
    }
    return getPriority(threadId);
  } catch {
    // No /proc here.
    return null;
  }
}
