import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { z } from 'zod';

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

/**
 * Parses the environment once per process and freezes the result. An empty value counts as unset.
 * Throws {@link EnvError} with all problems together.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  shape: Shape,
  options: ReadEnvOptions = {},
): Readonly<z.output<z.ZodObject<Shape>>> {
  const merged = { ...readEnvFile(options.file), ...dropEmpty(options.env ?? process.env) };
  const result = z.object(shape).safeParse(dropEmpty(merged));
  if (result.success) return Object.freeze(result.data);
  throw new EnvError(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? 'environment');
      return merged[name] === undefined ? `${name}: is required` : `${name}: ${issue.message}`;
    }),
  );
}

/** The variables of `.env` (or another file), empty when there is none. */
export function readEnvFile(file: string | null = join(process.cwd(), '.env')): Record<string, string | undefined> {
  if (file === null || !existsSync(file)) return {};
  return dropEmpty(parseEnv(readFileSync(file, 'utf8')));
}

export const portNumber = z.coerce.number().int().min(1).max(65_535);
/** Like {@link portNumber}; 0 lets the system choose. */
export const listenPort = z.coerce.number().int().min(0).max(65_535);
export const positiveInteger = z.coerce.number().int().positive();
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

export const logEnv = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};
export const dataEnv = { DATA_DIR: z.string().default('.data') };
/** Where the media node takes SIP; who shows its address reads them too. */
export const sipEnv = {
  SIP_HOST: commaList.default(['0.0.0.0', '::']),
  SIP_PORT: portNumber.default(5060),
  SIP_PUBLIC_HOST: z.string().optional(),
};
export const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' });
export const hostPort = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, 'must be host:port');
const temporalSettingsEnv = {
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_API_KEY: z.string().optional(),
  /** Set by itself when one of the others is. */
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_CA: z.string().optional(),
  TEMPORAL_TLS_CERT: z.string().optional(),
  TEMPORAL_TLS_KEY: z.string().optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().optional(),
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

function dropEmpty(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}
