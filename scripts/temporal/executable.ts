import { execFile, spawn } from 'node:child_process';
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { promisify } from 'node:util';

import { EnvError } from '../../ops/env';
import { retry } from '../../ops/retry';
import { cacheFolder } from '../cache-folder';
import { withoutSecrets } from '../process/child-environment';
import { AlreadyRunningError, takeInstanceLock } from '../process/instance-lock';

const TEMPORAL_VERSION = '1.5.1';

const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_VERSION}`;
const DOWNLOAD_SERVICE = 'https://temporal.download';
const PROBE_MS = 3_000;
const DOWNLOAD_MS = 180_000;
const BUILD_MS = 20 * 60_000;
const PROGRESS_MS = 15_000;
const LOCK_RETRY_MS = 500;

const run = promisify(execFile);

export interface FindTemporalOptions {
  /** `TEMPORAL_CLI_PATH`. */
  readonly cliPath?: string | undefined;
  /** Default `~/.cache/trunkline`. */
  readonly cache?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Where the SDK downloads from; another one in tests. */
  readonly downloadService?: string;
  /** Ends the search, with its download or build. */
  readonly signal?: AbortSignal;
  /** Is told what takes long. */
  readonly progress: (message: string) => void;
}

/** No way led to a Temporal server. The message names every way tried and what to do. */
export class NoTemporalError extends Error {
  constructor(tried: readonly string[]) {
    super(
      [
        'No Temporal server could be found or made. Tried:',
        ...tried.map((way) => `  - ${way}`),
        'Any of these helps: install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH;',
        'set TEMPORAL_CLI_PATH to its executable; install Go, with which it is built once; or set TEMPORAL_ADDRESS to a',
        'running server (temporal-docker-compose.yml starts one).',
      ].join('\n'),
    );
    this.name = 'NoTemporalError';
  }
}

/**
 * The executable of the Temporal CLI, which holds the server: that of `TEMPORAL_CLI_PATH` when it is set, else `temporal` on
 * PATH, our cached copy, the download the SDK uses, a build with Go; the first that works. The last two fill the cache.
 * Throws `EnvError` when what the variable names does not work: another version in its place would be a surprise.
 */
export async function findTemporal(options: FindTemporalOptions): Promise<string> {
  const tried: string[] = [];
  const cache = options.cache ?? cacheFolder(options.env);
  const cached = join(cache, `temporal-${TEMPORAL_VERSION}`);
  if (options.cliPath !== undefined) {
    const problem = await probe(options.cliPath, options.env);
    if (problem !== undefined) throw new EnvError([`TEMPORAL_CLI_PATH: ${problem}`]);
    return options.cliPath;
  }
  tried.push('TEMPORAL_CLI_PATH: not set');
  const candidates: [string, string][] = [
    ['temporal on PATH', 'temporal'],
    ['cached copy', cached],
  ];
  for (const [way, path] of candidates) {
    const problem = await probe(path, options.env);
    if (problem === undefined) return path;
    tried.push(`${way}: ${problem}`);
  }
  mkdirSync(cache, { recursive: true });
  const release = await waitForLock(`${cached}.lock`, options);
  try {
    // Another start may have filled the cache while this one waited.
    if (existsSync(cached) && (await probe(cached, options.env)) === undefined) return cached;
    for (const fill of [download, build]) {
      options.signal?.throwIfAborted();
      const folder = mkdtempSync(join(cache, 'temporal-part-'));
      try {
        const made = await fill(folder, options);
        const problem = await probe(made, options.env);
        if (problem !== undefined) throw new Error(problem);
        chmodSync(made, 0o755);
        renameSync(made, cached);
        return cached;
      } catch (error) {
        tried.push((error as Error).message);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  } finally {
    release();
  }
  throw new NoTemporalError(tried);
}

/** Why `path` is no Temporal CLI with a server; `undefined` when it is one. */
async function probe(path: string, env: NodeJS.ProcessEnv | undefined): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000, env: withoutSecrets(env) });
    return /Server \d+\.\d+/.test(stdout) ? undefined : `${path} --version names no server: ${stdout.trim()}`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `${path} does not exist` : `${path} does not run (${message.split('\n', 1)[0]})`;
  }
}

/** What the SDK downloads, without its habit of waiting for minutes on an address that does not answer. */
async function download(folder: string, options: FindTemporalOptions): Promise<string> {
  const service = options.downloadService ?? DOWNLOAD_SERVICE;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const query = `platform=${platform}&arch=${arch}&format=tar.gz&sdk-name=trunkline`;
  try {
    const answer = await fetch(`${service}/cli/v${TEMPORAL_VERSION}?${query}`, {
      signal: AbortSignal.timeout(PROBE_MS),
    });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const { archiveUrl, fileToExtract } = (await answer.json()) as { archiveUrl: string; fileToExtract: string };
    options.progress('downloading the Temporal server');
    const archive = await fetch(archiveUrl, { signal: within(DOWNLOAD_MS, options) });
    if (!archive.ok || archive.body === null) throw new Error(`${archiveUrl} answered ${archive.status}`);
    const file = join(folder, 'archive.tar.gz');
    await pipeline(Readable.fromWeb(archive.body as ReadableStream), createWriteStream(file));
    await run('tar', ['-xzf', file, '-C', folder, fileToExtract]);
    return join(folder, fileToExtract);
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`download from ${service}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
}

function within(ms: number, { signal }: FindTemporalOptions): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

async function build(folder: string, options: FindTemporalOptions): Promise<string> {
  const env = { ...withoutSecrets(options.env), GOBIN: folder };
  await run('go', ['version'], { env, timeout: 10_000 }).catch((error: unknown) => {
    throw new Error(`go install ${GO_PACKAGE}: Go is not installed`, { cause: error });
  });
  options.progress(`building the Temporal server with Go: about three minutes, once (go install ${GO_PACKAGE})`);
  const startedMs = performance.now();
  const timer = setInterval(() => {
    options.progress(`still building the Temporal server (${Math.round((performance.now() - startedMs) / 1000)} s)`);
  }, PROGRESS_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const go = spawn('go', ['install', GO_PACKAGE], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: BUILD_MS,
        ...(options.signal && { signal: options.signal }),
      });
      let errors = '';
      go.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)));
      go.once('error', reject);
      go.once('close', (code) => (code === 0 ? resolve() : reject(new Error(errors.trim() || `exit ${code}`))));
    });
    return join(folder, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  } catch (error) {
    const why = (error as Error).message.split('\n').slice(-3).join(' | ');
    throw new Error(`go install ${GO_PACKAGE}: ${why}`, { cause: error });
  } finally {
    clearInterval(timer);
  }
}

async function waitForLock(path: string, options: FindTemporalOptions): Promise<() => void> {
  return await retry(async () => takeInstanceLock(path), {
    pauseMs: LOCK_RETRY_MS,
    passes: (error) => error instanceof AlreadyRunningError,
    onFailure: (error, failures) => {
      if (failures > 1 || !(error instanceof AlreadyRunningError)) return;
      options.progress(`another start (process ${error.pid}) is making the Temporal server: waiting for it`);
    },
    ...(options.signal && { signal: options.signal }),
  });
}
