import { resolve } from 'node:path';

import { z } from 'zod';

import { isUnspecified } from '../../ops/address-scope';
import {
  databaseUrl,
  dataEnv,
  headerText,
  hostPort,
  listenHost,
  logEnv,
  portNumber,
  readEnv,
  secretsKey,
  sipEnv,
  workerHttpEnv,
} from '../../ops/env';
import type { EnvCheck, ReadEnvOptions } from '../../ops/env';
import type { LogLevel } from '../../ops/logger';
import { sipListening } from '../../ops/sip-address';
import type { SipListening } from '../../ops/sip-address';

export interface SupervisorConfig {
  readonly logLevel: LogLevel;
  /** Absolute. */
  readonly dataDir: string;
  readonly api: { readonly host: string; readonly port: number };
  readonly sip: SipListening;
  readonly mediaHttp: { readonly host: string; readonly port: number };
  /** Port 0: any. */
  readonly workerHttp: { readonly host: string; readonly port: number };
  /** Unset: our own PostgreSQL. */
  readonly databaseUrl: string | undefined;
  /** Of that server, for the API and for workers and media nodes; unset: `databaseUrl`. */
  readonly apiDatabaseUrl: string | undefined;
  readonly systemDatabaseUrl: string | undefined;
  /** Unset: our own Temporal server. */
  readonly temporalAddress: string | undefined;
  readonly temporalCliPath: string | undefined;
  /** Unset: generated into the data folder. */
  readonly secretsKey: string | undefined;
  /** Unset: generated into the data folder. */
  readonly bootstrapApiKey: string | undefined;
}

const shape = {
  ...logEnv,
  ...dataEnv,
  API_HOST: listenHost.default('127.0.0.1'),
  API_PORT: portNumber.default(8080),
  ...sipEnv,
  MEDIA_HTTP_HOST: listenHost.default('127.0.0.1'),
  MEDIA_HTTP_PORT: portNumber.default(8081),
  ...workerHttpEnv,
  DATABASE_URL: databaseUrl.optional(),
  API_DATABASE_URL: databaseUrl.optional(),
  SYSTEM_DATABASE_URL: databaseUrl.optional(),
  TEMPORAL_ADDRESS: hostPort.optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  SECRETS_KEY: secretsKey.optional(),
  BOOTSTRAP_API_KEY: headerText.min(16, 'must have at least 16 characters').optional(),
};

const problems: EnvCheck<typeof shape> = (env) => [
  env.DATABASE_URL !== undefined &&
    env.SECRETS_KEY === undefined &&
    'SECRETS_KEY: is required when DATABASE_URL is set (base64 of 32 bytes)',
  ...(['API_DATABASE_URL', 'SYSTEM_DATABASE_URL'] as const).map(
    (name) =>
      env.DATABASE_URL === undefined &&
      env[name] !== undefined &&
      `${name}: needs DATABASE_URL, the URL of the same database's owner`,
  ),
  // SIP over TCP as well.
  ...samePorts([
    { name: 'API_PORT', hosts: [env.API_HOST], port: env.API_PORT },
    { name: 'MEDIA_HTTP_PORT', hosts: [env.MEDIA_HTTP_HOST], port: env.MEDIA_HTTP_PORT },
    { name: 'WORKER_HTTP_PORT', hosts: [env.WORKER_HTTP_HOST], port: env.WORKER_HTTP_PORT || undefined },
    { name: 'SIP_PORT', hosts: env.SIP_HOST ?? [], port: env.SIP_PORT },
  ]),
];

interface Listening {
  readonly name: string;
  readonly hosts: readonly (string | undefined)[];
  readonly port: number | undefined;
}

function samePorts(listening: readonly Listening[]): string[] {
  const meets = (a: Listening, b: Listening): boolean =>
    a.port !== undefined &&
    a.port === b.port &&
    a.hosts.some((host) => b.hosts.some((other) => host === other || [host, other].some(isWildcard)));
  return listening.flatMap((one, index) =>
    listening
      .slice(index + 1)
      .flatMap((other) => (meets(one, other) ? [`${one.name}, ${other.name}: are the same port`] : [])),
  );
}

const isWildcard = (host: string | undefined): boolean => host !== undefined && isUnspecified(host);

/** Throws `EnvError` with every problem. */
export function readSupervisorConfig(options: ReadEnvOptions = {}): SupervisorConfig {
  const env = readEnv(shape, options, problems);
  return Object.freeze({
    logLevel: env.LOG_LEVEL,
    dataDir: resolve(env.DATA_DIR),
    api: { host: env.API_HOST, port: env.API_PORT },
    sip: sipListening(env),
    mediaHttp: { host: env.MEDIA_HTTP_HOST, port: env.MEDIA_HTTP_PORT },
    workerHttp: { host: env.WORKER_HTTP_HOST, port: env.WORKER_HTTP_PORT },
    databaseUrl: env.DATABASE_URL,
    apiDatabaseUrl: env.API_DATABASE_URL,
    systemDatabaseUrl: env.SYSTEM_DATABASE_URL,
    temporalAddress: env.TEMPORAL_ADDRESS,
    temporalCliPath: env.TEMPORAL_CLI_PATH,
    secretsKey: env.SECRETS_KEY,
    bootstrapApiKey: env.BOOTSTRAP_API_KEY,
  });
}
