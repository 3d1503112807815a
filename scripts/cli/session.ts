import { setTimeout as sleep } from 'node:timers/promises';

import { CommanderError } from 'commander';

import { EnvError } from '../../ops/env';
import { ApiClient } from './api-client';
import { readConnection } from './connection';
import { EXIT } from './exit-code';
import type { ExitCode } from './exit-code';
import { CliFailure, usageFailure } from './failure';
import { Output } from './output';
import type { CliStream } from './output';

/** What a command line runs in. */
export interface CliSurroundings {
  readonly env: NodeJS.ProcessEnv;
  /** As of `ReadEnvOptions`. */
  readonly envFile?: string | null;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** One run of the command line: what it asks, where it prints, and how it will exit. */
export class CliSession {
  readonly output: Output;
  readonly sleep: (ms: number) => Promise<unknown>;
  exitCode: ExitCode = EXIT.done;
  readonly #surroundings: CliSurroundings;
  #api: ApiClient | undefined;

  constructor(surroundings: CliSurroundings) {
    this.#surroundings = surroundings;
    this.output = new Output(surroundings.stdout, surroundings.stderr, surroundings.env);
    this.sleep = surroundings.sleep ?? sleep;
  }

  /** The environment is read when it is needed: `--help` needs none. */
  get api(): ApiClient {
    const { env, envFile } = this.#surroundings;
    const file = envFile === undefined ? {} : { file: envFile };
    this.#api ??= new ApiClient(readConnection({ env, ...file }), this.sleep);
    return this.#api;
  }

  async readStdin(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#surroundings.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Tells of an error, in one place for all of them. */
  fail(error: unknown): ExitCode {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done; // --help, --version
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage; // it was the answer
    const failure = asFailure(error);
    this.output.failure(failure);
    return failure.exitCode;
  }
}

function asFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  if (error instanceof EnvError) return usageFailure(error.message);
  if (error instanceof CommanderError) return usageFailure(error.message.replace(/^error: /, ''));
  throw error;
}
