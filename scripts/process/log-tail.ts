import { readFileSync } from 'node:fs';

/** The last lines of a log file; empty when there is none. */
export function logTail(path: string, lines: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return ''; // the server wrote nothing yet
  }
}
