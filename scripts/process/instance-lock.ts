import { renameSync, rmSync } from 'node:fs';

import { claimPidFile, isAlive, readPidFile, removePidFile } from './pid-file';

/** Another process that runs holds the lock. */
export class AlreadyRunningError extends Error {
  constructor(readonly pid: number) {
    super(`process ${pid} already runs with this folder`);
    this.name = 'AlreadyRunningError';
  }
}

/**
 * Takes the lock `path` for this process and returns its release. A lock whose process is gone (killed, machine
 * restarted) is taken over. Throws {@link AlreadyRunningError}.
 */
export function takeInstanceLock(path: string): () => void {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (claimPidFile(path)) return () => removePidFile(path);
    const owner = readPidFile(path);
    if (owner !== undefined && isAlive(owner)) throw new AlreadyRunningError(owner.pid);
    discardStale(path);
  }
  throw new Error(`the lock ${path} cannot be taken`);
}

/**
 * Two starters may both have seen the same stale lock; the slower one must not remove the lock that the faster one has
 * taken since. So the file is moved away first and put back when it turns out to be alive.
 */
function discardStale(path: string): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // the other one removed it
    throw error;
  }
  const moved = readPidFile(aside);
  if (moved !== undefined && isAlive(moved)) renameSync(aside, path);
  else rmSync(aside, { force: true });
}
