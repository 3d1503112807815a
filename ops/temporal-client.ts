/** How every process reaches Temporal. What runs workers is apart (`temporal-worker.ts`): it loads their native bridge. */
import { readFileSync } from 'node:fs';

import { Client, Connection } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow';

export interface TemporalSettings {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
}

type TemporalEndpoint = Omit<TemporalSettings, 'namespace'>;

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
    ...temporalEndpoint(settings),
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

/** What both kinds of connection are made from. */
export function temporalEndpoint(settings: TemporalSettings): TemporalEndpoint {
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
