import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
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

/** The variables of `.env` (or another file), empty when there is none. */
export function readEnvFile(file: string | null = join(process.cwd(), '.env')): Record<string, string | undefined> {
  if (file === null || !existsSync(file)) return {};
  return dropEmpty(parseEnv(readFileSync(file, 'utf8')));
}

export const portNumber = z.coerce.number().int().min(1).max(65_535);
/** Like {@link portNumber}; 0 lets the system choose. */
export const listenPort = z.coerce.number().int().min(0).max(65_535);
export const positiveInteger = z.coerce.number('must be a number').int().positive();
const flag = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false')
  .transform((value) => value === 'true' || value === '1' || value === 'yes');
/** Of API and media node alike. */
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
const readableFile = z.string().refine(isReadable, 'must be a file that can be read');

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // missing or closed to us: either way it is not to be had
  }
}

export const logEnv = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};
export const dataEnv = { DATA_DIR: z.string().default('.data') };
/** Where the media node takes SIP; who shows its address reads them too. */
export const sipEnv = {
  SIP_HOST: commaList.pipe(z.array(listenHost).min(1, 'must name at least one address')).default(['0.0.0.0', '::']),
  SIP_PORT: portNumber.default(5060),
  SIP_PUBLIC_HOST: publicHost.optional(),
};
export const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' });
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
  TEMPORAL_TLS_CA: readableFile.optional(),
  TEMPORAL_TLS_CERT: readableFile.optional(),
  TEMPORAL_TLS_KEY: readableFile.optional(),
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
