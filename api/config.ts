/** The API process's environment, parsed once. */
import { networkInterfaces } from 'node:os';

import { getCountries } from 'libphonenumber-js/max';
import { z } from 'zod';

import {
  allowPrivateTargets,
  commaList,
  listenPort,
  portNumber,
  positiveInteger,
  processEnv,
  readEnv,
} from '../ops/env';
import type { ReadEnvOptions } from '../ops/env';
import { temporalSettings } from '../ops/temporal-client';
import type { TemporalSettings } from '../ops/temporal-client';

export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  readonly logLevel: z.output<typeof processEnv.LOG_LEVEL>;
  readonly databaseUrl: string;
  readonly secretsKey: string;
  readonly temporal: TemporalSettings;
  /** What a phone system is pointed at: `host`, or `host:port` when the port is not 5060. */
  readonly sipEndpoint: string;
  /** ISO country codes; empty = the countries of the organisation's own numbers. */
  readonly outboundAllowedCountries: readonly string[];
  readonly allowPrivateTargets: boolean;
  /** Per API key. */
  readonly rateLimitPerMinute: number;
}

const countries = commaList.transform((codes, context) => {
  const upper = codes.map((code) => code.toUpperCase());
  const unknown = upper.filter((code) => !getCountries().includes(code as never));
  if (unknown.length > 0) {
    context.addIssue({ code: 'custom', message: `not ISO country codes: ${unknown.join(', ')}` });
  }
  return upper;
});

const shape = {
  ...processEnv,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: listenPort.default(8080),
  SIP_PUBLIC_HOST: z.string().optional(),
  SIP_HOST: commaList.default(['0.0.0.0', '::']),
  SIP_PORT: portNumber.default(5060),
  OUTBOUND_ALLOWED_COUNTRIES: countries.default([]),
  ALLOW_PRIVATE_TARGETS: allowPrivateTargets,
  RATE_LIMIT_PER_MINUTE: positiveInteger.default(100),
};

/** Throws `EnvError` with every problem. */
export function readApiConfig(options: ReadEnvOptions = {}): ApiConfig {
  const env = readEnv(shape, options);
  return Object.freeze({
    host: env.API_HOST,
    port: env.API_PORT,
    logLevel: env.LOG_LEVEL,
    databaseUrl: env.DATABASE_URL,
    secretsKey: env.SECRETS_KEY,
    temporal: temporalSettings(env),
    sipEndpoint: sipEndpoint({ publicHost: env.SIP_PUBLIC_HOST, hosts: env.SIP_HOST, port: env.SIP_PORT }),
    outboundAllowedCountries: env.OUTBOUND_ALLOWED_COUNTRIES,
    allowPrivateTargets: env.ALLOW_PRIVATE_TARGETS,
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
  });
}

export interface SipEndpointInput {
  readonly publicHost: string | undefined;
  /** Addresses the media node listens on. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Default: this host's interfaces. */
  readonly addresses?: readonly string[];
}

const WILDCARDS = new Set(['0.0.0.0', '::', '*']);

/** The public host, else the first address listened on that is none of the wildcards, else the first non-internal one. */
export function sipEndpoint(input: SipEndpointInput): string {
  const listened = input.hosts.find((host) => !WILDCARDS.has(host));
  const host = input.publicHost ?? listened ?? (input.addresses ?? externalAddresses())[0] ?? '127.0.0.1';
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return input.port === 5060 ? name : `${name}:${input.port}`;
}

function externalAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = all.filter((entry) => !entry.internal && !entry.address.startsWith('fe80:'));
  const byFamily = [...usable].sort((a, b) => Number(a.family === 'IPv6') - Number(b.family === 'IPv6'));
  return byFamily.map((entry) => entry.address);
}
