import { SEARCH_ATTRIBUTES } from '../../workflows/ids';

export interface TemporalPorts {
  readonly port: number;
  readonly uiPort: number;
  /**
   * Of the HTTP API, over which this launcher watches the start. A new one from the system's own range for each start:
   * what answers there is the server just started and never another clone's, which would look the same.
   */
  readonly httpPort: number;
}

/**
 * The defaults are made for many shards; with the one shard of this server each hop would wait 35–50 ms and no timer
 * would fire before 1 s. temporal-docker-compose.yml sets the same values.
 */
const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxTimeShift="10ms"',
  'system.enableActivityEagerExecution=true',
  // One partition a queue: with four, a task waits for the poller of another one.
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];

/** The command line after the executable's name. */
export function temporalArguments(ports: TemporalPorts, databaseFile: string): string[] {
  const repeat = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value]);
  return [
    ...'server start-dev --ip 127.0.0.1 --log-level warn'.split(' '),
    ...repeat('--port', [String(ports.port)]),
    ...repeat('--ui-port', [String(ports.uiPort)]),
    ...repeat('--http-port', [String(ports.httpPort)]),
    ...repeat('--db-filename', [databaseFile]),
    ...repeat(
      '--search-attribute',
      SEARCH_ATTRIBUTES.map((name) => `${name}=Keyword`),
    ),
    ...repeat('--sqlite-pragma', ['journal_mode=wal', 'synchronous=normal']),
    ...repeat('--dynamic-config-value', DYNAMIC_CONFIG),
  ];
}
