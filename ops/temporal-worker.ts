/** What a process needs beside a client when it runs workers: the native connection and the SDK's runtime. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { LogMetadata, Logger as TemporalLogger } from '@temporalio/worker';

import type { Logger } from './logger';
import { retry } from './retry';
import { temporalEndpoint } from './temporal-client';
import type { TemporalSettings } from './temporal-settings';

/**
 * The connection of a worker, tried again until the server answers.
 * @throws the last error after `limitMs` (default 60 s), or the reason of `signal`
 */
export async function connectWorker(
  settings: TemporalSettings,
  options: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<NativeConnection> {
  return await retry(() => NativeConnection.connect(temporalEndpoint(settings)), {
    pauseMs: 200,
    limitMs: options.limitMs ?? 60_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Installs the SDK's runtime once per process: it logs through `logger` and leaves the signals to `Shutdown`. */
export function installRuntime(logger: Logger): Runtime {
  return Runtime.install({
    logger: temporalLogger(logger),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}

function temporalLogger(logger: Logger): TemporalLogger {
  const sdk = logger.child({ component: 'temporal' });
  const write =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta?: LogMetadata): void =>
      sdk[isRoutine(message, meta) ? 'debug' : level](meta ?? {}, message);
  return {
    log: (level, message, meta) =>
      write(level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error')(message, meta),
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
}

/**
 * A worker's states, that an activity worker has no workflows, and that a call was over before the answer to its hang-up came,
 * are news to nobody.
 */
function isRoutine(message: string, meta: LogMetadata | undefined): boolean {
  if (message.startsWith('Activity not found on completion')) return true;
  return meta?.['sdkComponent'] === 'worker' && /^(Worker state changed|No \w+ (services )?registered)/.test(message);
}
