import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's version. From the sources `package.json` is one folder up, from `dist/` two. */
export function packageVersion(): string {
  for (const folder of ['..', '../..']) {
    try {
      const text = readFileSync(join(__dirname, folder, 'package.json'), 'utf8');
      return String((JSON.parse(text) as { version?: unknown }).version);
    } catch {
      continue; // Not there: the other place has it.
    }
  }
  return 'unknown';
}
