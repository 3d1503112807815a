/**
 * A full disk for one running process, where no file system of its own can be mounted: RLIMIT_FSIZE lets no file grow over
 * the limit (setrlimit(2)). As on a full disk a write is cut off where the room ends. Node ignores the signal that comes
 * with it; pipes and sockets have no such limit.
 */
import { execFileSync } from 'node:child_process';

/** Of every file that `pid` writes from now on; null: as large as it likes. */
export function limitFileSize(pid: number, bytes: number | null): void {
  // The soft limit alone: only root can raise the hard one again.
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`]);
}
