/** The API process's environment, parsed once. */
import type { z } from 'zod';

import { countryCodes } from '../ops/country-codes';
import {
  allowPrivateTargets,
  flag,
  listenHost,
  listenPort,
  positiveInteger,
  processEnv,
  readEnv,
  sipEnv,
  temporalProblems,
} from '../ops/env';
import type { ReadEnvOptions } from '../ops/env';
import { sipListening } from '../ops/sip-address';
import type { SipListening } from '../ops/sip-address';
import { temporalSettings } from '../ops/temporal-settings';
import type { TemporalSettings } from '../ops/temporal-settings';

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly logLevel: z.output<typeof processEnv.LOG_LEVEL>;
  readonly databaseUrl: string;
  readonly secretsKey: string;
  readonly temporal: TemporalSettings;
  /** What a media node with this environment listens on, see `InboundTrunkEndpoint`. */
  readonly sip: SipListening;
  /** ISO country codes; empty = the countries of the organisation's own numbers. */
  readonly outboundAllowedCountries: readonly string[];
  readonly allowPrivateTargets: boolean;
  /** May numbers be verified by a call that comes in, where there are several organisations? */
  readonly verification: { readonly inboundCallAllowed: boolean };
  /** Per API key. */
  readonly rateLimitPerMinute: number;
  /** The same for routes whose answers stay open. */
  readonly rateLimitStreamingPerMinute: number;
}

const shape = {
  ...processEnv,
  API_HOST: listenHost.default('127.0.0.1'),
  API_PORT: listenPort.default(8080),
  ...sipEnv,
  OUTBOUND_ALLOWED_COUNTRIES: countryCodes.default([]),
  ALLOW_PRIVATE_TARGETS: allowPrivateTargets,
  ALLOW_INBOUND_CALL_VERIFICATION: flag.default(false),
  RATE_LIMIT_PER_MINUTE: positiveInteger.default(100),
  RATE_LIMIT_STREAMING_PER_MINUTE: positiveInteger.default(1000),
};

/** Throws `EnvError` with every problem. */
export function readApiConfig(options: ReadEnvOptions = {}): ApiConfig {
  const env = readEnv(shape, options, temporalProblems);
  return Object.freeze({
    host: env.API_HOST,
    port: env.API_PORT,
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    secretsKey: env.SECRETS_KEY,
    temporal: temporalSettings(env),
    sip: sipListening(env),
    outboundAllowedCountries: env.OUTBOUND_ALLOWED_COUNTRIES,
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    verification: { inboundCallAllowed: env.ALLOW_INBOUND_CALL_VERIFICATION },
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    rateLimitStreamingPerMinute: env.RATE_LIMIT_STREAMING_PER_MINUTE,
  });
}
