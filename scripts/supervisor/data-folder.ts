import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { EnvError } from '../../ops/env';

/** Makes the data folder, closed to others. Throws `EnvError` where nothing can be stored in it. */
export function makeDataFolder(dataDir: string): void {
  const run = join(dataDir, 'run');
  const probe = join(run, 'probe');
  try {
    mkdirSync(run, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, 0o700);
    // A folder of a full disk can be there and take nothing.
    writeFileSync(probe, 'written and removed again\n');
    rmSync(probe);
  } catch (error) {
    throw new EnvError([`DATA_DIR: nothing can be stored in ${dataDir} (${(error as Error).message})`]);
  }
}
