import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where copies that outlive a clone are kept: `$XDG_CACHE_HOME/trunkline` or `~/.cache/trunkline`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'trunkline');
}
