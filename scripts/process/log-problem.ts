import { readFileSync } from 'node:fs';

const KEPT_LINES = 12;

/** The lines of a server's log that tell why it ended: those that speak of an error, else its last ones. */
export function logProblem(path: string): string {
  let lines: string[];
  try {
    lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return 'it ended without a message';
  }
  const errors = lines.filter((line) => /level=ERROR|"level":"error"|panic|FATAL|error:|in use/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-KEPT_LINES).join('\n') || 'it ended without a message';
}
