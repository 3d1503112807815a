import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PostgresServer } from '../../scripts/postgres/postgres-server';
import { readLivePidFile, writePidFile } from '../../scripts/process/pid-file';
import { stopProcess } from '../../scripts/process/stop-process';
import { findTemporal } from '../../scripts/temporal/executable';
import { TemporalServer } from '../../scripts/temporal/temporal-server';
import { SERVERS_VARIABLE } from './servers';
import type { TestServers } from './servers';

const FOLDER_PREFIX = 'trunkline-test-servers-';

export interface RunningTestServers {
  stop(): Promise<void>;
}

/** What `globalTeardown` finds of `globalSetup`: both run in jest's own process. */
export const RUNNING = Symbol.for('trunkline.test-servers');

/** jest's `globalSetup` of the integration tests. */
export default async function startServers(): Promise<void> {
  await sweepKilledRuns();
  const dataDir = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
  writePidFile(join(dataDir, 'owner.pid'), process.pid);
  // Runs beside each other begin their search for ports at different places.
  const basePort = 15_500 + Math.floor(Math.random() * 40) * 50;
  const postgres = new PostgresServer({ dataDir, basePort, settings: ['fsync=off', 'synchronous_commit=off'] });
  const executable = await findTemporal({
    cliPath: process.env['TEMPORAL_CLI_PATH'],
    progress: (message) => process.stdout.write(`${message}\n`),
  });
  const temporal = new TemporalServer({
    executable,
    dataDir,
    basePort: basePort + 2_000,
    baseUiPort: basePort + 4_000,
  });
  await Promise.all([postgres.start(), temporal.start()]);
  const servers: TestServers = {
    postgresUrl: postgres.databaseUrl(),
    temporalAddress: temporal.address,
    folder: dataDir,
  };
  process.env[SERVERS_VARIABLE] = JSON.stringify(servers);
  const running: RunningTestServers = {
    stop: async () => {
      await Promise.all([temporal.stop(), postgres.stop()]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  (globalThis as Record<symbol, unknown>)[RUNNING] = running;
}

/** A run that was killed could not stop its servers. */
async function sweepKilledRuns(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const folder = join(tmpdir(), name);
    if (!name.startsWith(FOLDER_PREFIX) || readLivePidFile(join(folder, 'owner.pid')) !== undefined) continue;
    for (const server of ['postgres', 'temporal']) {
      const record = readLivePidFile(join(folder, 'run', `${server}.pid`));
      if (record !== undefined) await stopProcess(record, [{ signal: 'SIGKILL', waitMs: 5_000 }]);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
