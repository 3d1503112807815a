import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import { processIdentity } from './identity';

/**
 * A running process as its pid file records it. The file has three lines: pid, identity (see `identity.ts`) and a JSON
 * object with what belongs to it, for example ports.
 */
export interface ProcessRecord {
  readonly pid: number;
  readonly identity: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Writes the pid file of a running process; it appears whole or not at all. */
export function writePidFile(path: string, pid: number, details: Readonly<Record<string, unknown>> = {}): void {
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, format(pid, details), { mode: 0o600 });
  renameSync(part, path);
}

/** Creates the pid file of this process as a lock. `false` when another file is there. */
export function claimPidFile(path: string): boolean {
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, format(process.pid, {}), { mode: 0o600 });
  try {
    linkSync(part, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(part, { force: true });
  }
}

/** What the file says, whether or not that process still runs; `undefined` without a readable file. */
export function readPidFile(path: string): ProcessRecord | undefined {
  try {
    const [pid, identity, details] = readFileSync(path, 'utf8').split('\n');
    const record: ProcessRecord = {
      pid: Number(pid),
      identity: identity ?? '',
      details: JSON.parse(details === undefined || details === '' ? '{}' : details) as Record<string, unknown>,
    };
    return Number.isSafeInteger(record.pid) && record.pid > 0 ? record : undefined;
  } catch {
    return undefined; // missing or damaged: nothing is known of a process
  }
}

/** The recorded process when that very process still runs: same pid and same start time. */
export function readLivePidFile(path: string): ProcessRecord | undefined {
  const record = readPidFile(path);
  return record !== undefined && isAlive(record) ? record : undefined;
}

export function isAlive(record: Pick<ProcessRecord, 'pid' | 'identity'>): boolean {
  return processIdentity(record.pid) === record.identity;
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}

function format(pid: number, details: Readonly<Record<string, unknown>>): string {
  return `${pid}\n${processIdentity(pid) ?? ''}\n${JSON.stringify(details)}\n`;
}
