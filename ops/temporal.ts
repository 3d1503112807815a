import { readFileSync } from 'node:fs';

import { Client, Connection } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow';
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { LogMetadata, Logger as TemporalLogger } from '@temporalio/worker';

import type { Logger } from './logger';

export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
}

interface TemporalEnv {
  readonly TEMPORAL_ADDRESS: string;
  readonly TEMPORAL_NAMESPACE: string;
  readonly TEMPORAL_API_KEY?: string | undefined;
  readonly TEMPORAL_TLS?: boolean | undefined;
  readonly TEMPORAL_TLS_CA?: string | undefined;
  readonly TEMPORAL_TLS_CERT?: string | undefined;
  readonly TEMPORAL_TLS_KEY?: string | undefined;
  readonly TEMPORAL_TLS_SERVER_NAME?: string | undefined;
}

export interface TemporalClient {
  readonly connection: Connection;
  readonly client: Client;
  close(): Promise<void>;
}

/** The settings in `processEnv` of `env.ts`; reads the certificate files it names. */
export function temporalSettings(env: TemporalEnv): TemporalSettings {
  const tls = tlsSettings(env);
  return {
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    ...(env.TEMPORAL_API_KEY === undefined ? {} : { apiKey: env.TEMPORAL_API_KEY }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/**
 * A client that fails fast: it connects on first use, repeats nothing by itself and finds a returned server within half
 * a second. Bound each call with `connection.withDeadline(Date.now() + 2000, …)`: `UNAVAILABLE` (14) comes within 25 ms
 * and means that nothing was done, `DEADLINE_EXCEEDED` (4) may have been executed.
 */
export function createTemporalClient(settings: TemporalSettings): TemporalClient {
  const connection = Connection.lazy({
    ...endpoint(settings),
    interceptors: [],
    channelArgs: {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    },
  });
  const client = new Client({ connection, namespace: settings.namespace });
  return { connection, client, close: () => connection.close() };
}

/**
 * The connection of a worker, tried again until the server answers, `signal` is aborted or `limitMs` (default 60 s) is
 * over; then the last error is thrown.
 */
export async function connectWorker(
  settings: TemporalSettings,
  options: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<NativeConnection> {
  const giveUpAtMs = performance.now() + (options.limitMs ?? 60_000);
  for (;;) {
    try {
      return await NativeConnection.connect(endpoint(settings));
    } catch (error) {
      if (options.signal?.aborted === true || performance.now() >= giveUpAtMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Installs the SDK's runtime once per process: it logs through `logger` and leaves the signals to `Shutdown`. */
export function installRuntime(logger: Logger): Runtime {
  return Runtime.install({
    logger: temporalLogger(logger),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}

function endpoint(settings: TemporalSettings): { address: string; apiKey?: string; tls?: TLSConfig | true } {
  const { address, apiKey, tls } = settings;
  return { address, ...(apiKey === undefined ? {} : { apiKey }), ...(tls === undefined ? {} : { tls }) };
}

function tlsSettings(env: TemporalEnv): TLSConfig | true | undefined {
  const { TEMPORAL_TLS_CA: ca, TEMPORAL_TLS_CERT: certificate, TEMPORAL_TLS_KEY: key } = env;
  const serverName = env.TEMPORAL_TLS_SERVER_NAME;
  if (env.TEMPORAL_TLS === false) return undefined;
  const settings: TLSConfig = {
    ...(ca === undefined ? {} : { serverRootCACertificate: readFileSync(ca) }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { clientCertPair: { crt: readFileSync(certificate), key: readFileSync(key) } }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
  };
  if (Object.keys(settings).length > 0) return settings;
  return env.TEMPORAL_TLS === true || env.TEMPORAL_API_KEY !== undefined ? true : undefined;
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

/** A worker's states, and that an activity worker has no workflows, are news to nobody. */
function isRoutine(message: string, meta: LogMetadata | undefined): boolean {
  return meta?.['sdkComponent'] === 'worker' && /^(Worker state changed|No \w+ (services )?registered)/.test(message);
}
