import { resolve } from 'node:path';

import { z } from 'zod';

import {
  databaseUrl,
  dataEnv,
  EnvError,
  hostPort,
  logEnv,
  portNumber,
  readEnv,
  secretsKey,
  sipEnv,
} from '../../ops/env';
import type { ReadEnvOptions } from '../../ops/env';
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
  ...sipEnv,
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
    sip: sipListening(env),
    mediaHttp: { host: env.MEDIA_HTTP_HOST, port: env.MEDIA_HTTP_PORT },
    databaseUrl: env.DATABASE_URL,
    temporalAddress: env.TEMPORAL_ADDRESS,
    temporalCliPath: env.TEMPORAL_CLI_PATH,
    secretsKey: env.SECRETS_KEY,
    bootstrapApiKey: env.BOOTSTRAP_API_KEY,
  });
}
