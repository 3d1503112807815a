import { hostname } from 'node:os';
import type { z } from 'zod';
import { countryCodes } from '../ops/country-codes';
import { allowPrivateTargets, positiveInteger, processEnv, readEnv, temporalProblems, workerHttpEnv } from '../ops/env';
import type { ReadEnvOptions } from '../ops/env';
import { temporalSettings } from '../ops/temporal-settings';
import type { TemporalSettings } from '../ops/temporal-settings';

export interface WorkerConfig {
  readonly logLevel: z.output<typeof processEnv.LOG_LEVEL>;
  readonly databaseUrl: string;
  readonly secretsKey: string;
  readonly temporal: TemporalSettings;
  readonly http: { readonly host: string; readonly port: number };
  readonly identity: string;
  /** As of the API: a transfer that an agent wishes is under the same policy. */
  readonly outboundAllowedCountries: readonly string[];
  readonly allowPrivateTargets: boolean;
  /** Workflows kept in memory, 0.32 MB each; should be above the number of open calls. */
  readonly maxCachedWorkflows: number;
  readonly maxActivities: number;
}

/** @throws EnvError naming every problem */
export function readWorkerConfig(options: ReadEnvOptions = {}): WorkerConfig {
  const env = readEnv(
    {
      ...processEnv,
      ...workerHttpEnv,
      OUTBOUND_ALLOWED_COUNTRIES: countryCodes.default([]),
      ALLOW_PRIVATE_TARGETS: allowPrivateTargets,
      WORKER_MAX_CACHED_WORKFLOWS: positiveInteger.default(1500),
      WORKER_MAX_ACTIVITIES: positiveInteger.default(200),
    },
    options,
    temporalProblems,
  );
  return Object.freeze({
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    secretsKey: env.SECRETS_KEY,
    temporal: temporalSettings(env),
    http: { host: env.WORKER_HTTP_HOST, port: env.WORKER_HTTP_PORT },
    identity: `worker@${hostname()}/${process.pid}`,
    outboundAllowedCountries: env.OUTBOUND_ALLOWED_COUNTRIES,
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    maxCachedWorkflows: env.WORKER_MAX_CACHED_WORKFLOWS,
    maxActivities: env.WORKER_MAX_ACTIVITIES,
  });
}
