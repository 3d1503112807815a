import { join } from 'node:path';

import type { Logger } from '../../ops/logger';
import { readLivePidFile, removePidFile } from '../process/pid-file';
import { stopProcess } from '../process/stop-process';

/**
 * Ends the processes that a killed supervisor left: they notice its death and drain, but their ports are needed now. The
 * second signal makes a media node end its calls with BYE at once.
 */
export async function stopLeftovers(runDir: string, names: readonly string[], logger: Logger): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const pidFile = join(runDir, `${name}.pid`);
      const record = readLivePidFile(pidFile);
      if (record !== undefined) {
        logger.warn({ process: name, pid: record.pid }, 'stopping what an earlier start left running');
        await stopProcess(record, [
          { signal: 'SIGTERM', waitMs: 700 },
          { signal: 'SIGTERM', waitMs: 4_000 },
          { signal: 'SIGKILL', waitMs: 2_000 },
        ]);
      }
      removePidFile(pidFile);
    }),
  );
}
