import { readWorkerConfig } from '../../activities/config';
import { readApiConfig } from '../../api/config';
import { readMediaConfig } from '../../media-node/config';
import { EnvError } from '../../ops/env';
import { createLogger } from '../../ops/logger';
import { Shutdown } from '../../ops/shutdown';
import { AlreadyRunningError } from '../process/instance-lock';
import { NoTemporalError } from '../temporal/executable';
import { readSupervisorConfig } from './config';
import type { SupervisorConfig } from './config';
import { readWithProcesses } from './environment-check';
import { ProcessOutput } from './output';
import { Supervisor } from './supervisor';

/** A drain of 30 s, then the processes and the servers one after the other. */
const SHUTDOWN_LIMIT_MS = 80_000;

function main(): void {
  let config: SupervisorConfig;
  try {
    config = readWithProcesses(readSupervisorConfig, [readApiConfig, readWorkerConfig, readMediaConfig]);
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  // Whoever read our output may go first; that must not keep us from stopping what we have started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const output = new ProcessOutput('supervisor');
  const logger = createLogger({
    name: 'supervisor',
    level: config.logLevel,
    destination: { write: (line) => output.line(line.trimEnd()) },
  });
  const shutdown = new Shutdown({ logger, limitMs: SHUTDOWN_LIMIT_MS }).listen();
  const supervisor = new Supervisor(config, logger, shutdown);
  process.on('SIGUSR2', () => void supervisor.restartProcesses());
  supervisor.start().catch((error: unknown) => {
    if (shutdown.requested.aborted) return; // stopped while starting: the failure is its consequence
    if (!isForTheUser(error)) return shutdown.fail(error);
    process.stderr.write(`\n${error.message}\n\n`);
    shutdown.end('cannot start', 1);
  });
}

/** Errors whose message says what to do, and is therefore shown as it is. */
function isForTheUser(error: unknown): error is Error {
  return [EnvError, NoTemporalError, AlreadyRunningError].some((type) => error instanceof type);
}

main();
