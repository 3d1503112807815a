import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';

import { z } from 'zod';

import {
  commaList,
  databaseUrl,
  dataEnv,
  EnvError,
  hostPort,
  logEnv,
  portNumber,
  readEnv,
  secretsKey,
} from '../../ops/env';
import type { ReadEnvOptions } from '../../ops/env';
import type { LogLevel } from '../../ops/logger';

export interface SupervisorConfig {
  readonly logLevel: LogLevel;
  /** Absolute. */
  readonly dataDir: string;
  readonly api: { readonly host: string; readonly port: number };
  readonly sip: { readonly hosts: readonly string[]; readonly port: number; readonly publicHost: string | undefined };
  readonly mediaHttp: { readonly host: string; readonly port: number };
  /** Unset: our own PostgreSQL. */
  readonly databaseUrl: string | undefined;
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
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: portNumber.default(8080),
  SIP_HOST: commaList.default(['0.0.0.0', '::']),
  SIP_PORT: portNumber.default(5060),
  SIP_PUBLIC_HOST: z.string().optional(),
  MEDIA_HTTP_HOST: z.string().default('127.0.0.1'),
  MEDIA_HTTP_PORT: portNumber.default(8081),
  DATABASE_URL: databaseUrl.optional(),
  TEMPORAL_ADDRESS: hostPort.optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  SECRETS_KEY: secretsKey.optional(),
  BOOTSTRAP_API_KEY: z.string().min(16, 'must have at least 16 characters').optional(),
};

/** Throws `EnvError` with every problem. */
export function readSupervisorConfig(options: ReadEnvOptions = {}): SupervisorConfig {
  const env = readEnv(shape, options);
  if (env.DATABASE_URL !== undefined && env.SECRETS_KEY === undefined) {
    throw new EnvError(['SECRETS_KEY: is required when DATABASE_URL is set (base64 of 32 bytes)']);
  }
  return Object.freeze({
    logLevel: env.LOG_LEVEL,
    dataDir: resolve(env.DATA_DIR),
    api: { host: env.API_HOST, port: env.API_PORT },
    sip: { hosts: env.SIP_HOST, port: env.SIP_PORT, publicHost: env.SIP_PUBLIC_HOST },
    mediaHttp: { host: env.MEDIA_HTTP_HOST, port: env.MEDIA_HTTP_PORT },
    databaseUrl: env.DATABASE_URL,
    temporalAddress: env.TEMPORAL_ADDRESS,
    temporalCliPath: env.TEMPORAL_CLI_PATH,
    secretsKey: env.SECRETS_KEY,
    bootstrapApiKey: env.BOOTSTRAP_API_KEY,
  });
}

/** What a phone system on this network is pointed at. */
export function sipAddress(sip: SupervisorConfig['sip']): string {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find((entry) => !entry.internal && entry.family === 'IPv4')?.address;
  const listened = sip.hosts.find((host) => !['0.0.0.0', '::', '*'].includes(host));
  return `${sip.publicHost ?? listened ?? own ?? '127.0.0.1'}:${sip.port}`;
}
