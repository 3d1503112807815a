/** How every process reaches Temporal. What runs workers is apart (`temporal-worker.ts`): it loads their native bridge. */
import { Client, Connection } from '@temporalio/client';

import type { TemporalSettings } from './temporal-settings';

type TemporalEndpoint = Omit<TemporalSettings, 'namespace'>;

export interface TemporalClient {
  readonly connection: Connection;
  readonly client: Client;
  close(): Promise<void>;
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
