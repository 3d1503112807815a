import { existsSync, readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { z } from 'zod';

import { addressScope } from './address-scope';

/** Every problem of the environment, by name, in one message. */
export class EnvError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'EnvError';
    this.problems = problems;
  }
}

export interface ReadEnvOptions {
  /** Default `process.env`; its values win over those of the file. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default `.env` of the working directory, skipped where it does not exist. `null`: no file. */
  readonly file?: string | null;
}

type Env<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/** What is wrong with values that are right by themselves. One that is not, or is not set, is undefined. */
export type EnvCheck<Shape extends z.ZodRawShape> = (env: Partial<Env<Shape>>) => readonly (string | false)[];

/**
 * Parses the environment once per process and freezes the result. An empty value counts as unset.
 * Throws {@link EnvError} with all problems together, also those of `check`.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  options: ReadEnvOptions = {},
  check: EnvCheck<NoInfer<Shape>> = () => [],
): Readonly<Env<Shape>> {
  const merged = { ...readEnvFile(options.file), ...dropEmpty(options.env ?? process.env) };
  const problems: string[] = [];
  const env: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const result = (schema as z.ZodType).safeParse(merged[name]);
    if (result.success) env[name] = result.data;
    else if (merged[name] === undefined) problems.push(`${name}: is required`);
    else problems.push(...result.error.issues.map(({ message }) => `${name}: ${message}`));
  }
  problems.push(...check(env as Partial<Env<Shape>>).filter((problem) => problem !== false));
  if (problems.length > 0) throw new EnvError(problems);
  return Object.freeze(env as Env<Shape>);
}

/** The variables of `.env` (or another file), empty when there is none. Throws {@link EnvError} when it cannot be read. */
export function readEnvFile(file: string | null = join(process.cwd(), '.env')): Record<string, string | undefined> {
  if (file === null || !existsSync(file)) return {};
  try {
    return dropEmpty(parseEnv(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new EnvError([`${file}: cannot be read (${(error as Error).message})`]);
  }
}

/** Decimal digits alone: what else JavaScript takes for a number (`0x10`, `1e3`) is hardly ever meant. */
function wholeNumber(min: number, max: number, what: string): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z.string().transform((text, context) => {
    const value = /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `must be ${what}` });
    return z.NEVER;
  });
}

export const portNumber = wholeNumber(1, 65_535, 'a port, 1 to 65535');
/** Like {@link portNumber}; 0 lets the system choose. */
export const listenPort = wholeNumber(0, 65_535, 'a port, 1 to 65535, or 0 for any that is free');
/** Of calls, requests, workflows: a million of any is more than one process ever has. */
export const positiveInteger = wholeNumber(1, 1_000_000, 'a whole number, 1 to 1000000');
export const flag = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false')
  .transform((value) => value === 'true' || value === '1' || value === 'yes');
/** Of API, worker and media node alike. */
export const allowPrivateTargets = flag.default(true);
export const commaList = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
export const secretsKey = z
  .string()
  .refine((value) => Buffer.from(value, 'base64').length === 32, 'must be the base64 of 32 bytes');
/** What is sent as a header's value: whatever else stood in it would be another header, or none. */
export const headerText = z.string().regex(/^[\x21-\x7e]+$/, 'may hold printable ASCII alone, without spaces');
const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/** A name of RFC 1123 §2.1 (with the underscore that containers have), or an address without brackets. */
function isHost(host: string): boolean {
  if (isIP(host) !== 0) return !host.includes('%');
  const labels = host.replace(/\.$/, '').split('.');
  // What ends in a number is an address that was mistyped.
  return host.length <= 253 && labels.every((label) => HOST_LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** Where a server of ours listens. */
export const listenHost = z.string().refine(isHost, 'must be a host name or an IP address, without port');
/** What others are told to reach us by. Brackets of an IPv6 address are dropped. */
const publicHost = z
  .string()
  .transform((host) => (/^\[.*\]$/.test(host) && isIPv6(host.slice(1, -1)) ? host.slice(1, -1) : host))
  .refine(isHost, 'must be a host name or an IP address, without port')
  .refine((host) => isIP(host) === 0 || addressScope(host) !== 'unusable', 'must be an address that others can reach');
const pemFile = z.string().refine(isPem, 'must be a PEM file that can be read');

/** The textual encoding of RFC 7468 §2. */
function isPem(path: string): boolean {
  try {
    return /^-----BEGIN [A-Z0-9 ]+-----/m.test(readFileSync(path, 'latin1'));
  } catch {
    return false; // missing, a folder or closed to us: in any case it is not to be had
  }
}

export const logEnv = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};
export const dataEnv = { DATA_DIR: z.string().default('.data') };
/** Where the media node takes SIP; who shows its address reads them too. */
export const sipEnv = {
  SIP_HOST: commaList
    .pipe(z.array(listenHost).min(1, 'must name at least one address'))
    .transform((hosts) => [...new Set(hosts)])
    .default(['0.0.0.0', '::']),
  SIP_PORT: portNumber.default(5060),
  SIP_PUBLIC_HOST: publicHost.optional(),
};
/** Of the worker; the supervisor reads them too, so that nothing else takes its port. 0: any free port. */
export const workerHttpEnv = {
  WORKER_HTTP_HOST: listenHost.default('127.0.0.1'),
  WORKER_HTTP_PORT: listenPort.default(0),
};
export const databaseUrl = z
  .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
  .refine(isDecodable, 'has a "%" that no two hexadecimal digits follow: in a password it is written %25');

/** User, password and database are percent-decoded by who connects (RFC 3986 §2.1). */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

export const hostPort = z.string().refine(isHostPort, 'must be host:port');

function isHostPort(value: string): boolean {
  const [, bracketed, name, port] = /^(?:\[(.*)\]|([^[\]:]*)):(\d{1,5})$/.exec(value) ?? [];
  return isHost(bracketed ?? name ?? '') && portNumber.safeParse(port).success;
}

const temporalSettingsEnv = {
  TEMPORAL_NAMESPACE: z
    .string()
    .regex(/^[\w.-]+$/, 'may hold letters, digits, ".", "_" and "-"')
    .default('default'),
  TEMPORAL_API_KEY: headerText.optional(),
  /** Set by itself when one of the others is. */
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_CA: pemFile.optional(),
  TEMPORAL_TLS_CERT: pemFile.optional(),
  TEMPORAL_TLS_KEY: pemFile.optional(),
  TEMPORAL_TLS_SERVER_NAME: listenHost.optional(),
};

/** What api, worker and media node all read. The supervisor sets the addresses of what it starts. */
export const processEnv = {
  ...logEnv,
  ...dataEnv,
  ...temporalSettingsEnv,
  TEMPORAL_ADDRESS: hostPort,
  DATABASE_URL: databaseUrl,
  SECRETS_KEY: secretsKey,
};

/** Of {@link processEnv}. */
export const temporalProblems: EnvCheck<typeof processEnv> = (env) => [
  (env.TEMPORAL_TLS_CERT === undefined) !== (env.TEMPORAL_TLS_KEY === undefined) &&
    'TEMPORAL_TLS_CERT, TEMPORAL_TLS_KEY: one is of no use without the other',
];

function dropEmpty(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}
