import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { processIdentity } from '../process/identity';
import type { ProcessRecord } from '../process/pid-file';

/** The server that `postmaster.pid` names, when that pid is a server which runs in this very folder. */
export function liveByPostmasterFile(cluster: string): ProcessRecord | undefined {
  const [pidLine, , startedLine] = postmasterLines(cluster);
  const pid = Number(pidLine);
  const identity = processIdentity(pid);
  if (identity === undefined || process.platform !== 'linux') return undefined;
  const startedAtS = Number(startedLine);
  const ageS = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) - Number(identity.split(':').at(-1)) / 100;
  // Pids come round: only a process as old as the file is the one that wrote it.
  return Math.abs(Date.now() / 1000 - ageS - startedAtS) < 3 ? { pid, identity, details: {} } : undefined;
}

/** The port of the server that runs, or ran until it was killed. */
export function portOfPostmasterFile(cluster: string): number | undefined {
  const port = Number(postmasterLines(cluster)[3]);
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

/** The port the server was last started with. */
export function portOfLastRun(cluster: string): number | undefined {
  try {
    const options = readFileSync(join(cluster, 'postmaster.opts'), 'utf8');
    const port = Number(/port=(\d+)/.exec(options)?.[1]);
    return Number.isInteger(port) && port > 0 ? port : undefined;
  } catch {
    return undefined; // first start
  }
}

function postmasterLines(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return []; // not running
  }
}
