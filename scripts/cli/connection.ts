/** Which API is asked, and with which key: from the environment and `.env`, as the server reads them. */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import { z } from 'zod';

import { isUnspecified } from '../../ops/address-scope';
import { dataEnv, headerText, listenHost, portNumber, readEnv } from '../../ops/env';
import type { ReadEnvOptions } from '../../ops/env';
import { EXIT } from './exit-code';
import { CliFailure } from './failure';

export interface Connection {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string;
}

const shape = {
  TRUNKLINE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL', abort: true })
    .refine((url) => new URL(url).username === '' && new URL(url).password === '', 'must not hold a user or password')
    .optional(),
  TRUNKLINE_API_KEY: headerText.optional(),
  BOOTSTRAP_API_KEY: headerText.optional(),
  API_HOST: listenHost.default('127.0.0.1'),
  API_PORT: portNumber.default(8080),
  ...dataEnv,
};

/** Throws `EnvError`, and {@link CliFailure} where there is no key. */
export function readConnection(options: ReadEnvOptions = {}): Connection {
  const env = readEnv(shape, options);
  const host = isUnspecified(env.API_HOST) ? '127.0.0.1' : env.API_HOST;
  const local = `http://${isIPv6(host) ? `[${host}]` : host}:${env.API_PORT}`;
  return {
    baseUrl: (env.TRUNKLINE_URL ?? local).replace(/\/+$/, ''),
    apiKey: env.TRUNKLINE_API_KEY ?? env.BOOTSTRAP_API_KEY ?? keyOf(env.DATA_DIR),
  };
}

function keyOf(dataDir: string): string {
  const path = join(dataDir, 'api-key');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read';
    throw noKey(`${path} ${why}`, error);
  }
  const key = headerText.safeParse(text.trim());
  if (!key.success) throw noKey(`${path} holds no key`);
  return key.data;
}

function noKey(why: string, cause?: unknown): CliFailure {
  const message = `No API key: ${why}; set TRUNKLINE_API_KEY, or DATA_DIR to the data folder of the server`;
  return new CliFailure(EXIT.unreachable, 'no_api_key', message, { cause });
}
