import { Readable, Writable } from 'node:stream';

import { runCli } from '../../scripts/cli/program';

export interface CommandLineOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  /** Both streams are a terminal. */
  readonly terminal?: boolean;
  /** Told also what stands on stderr. */
  readonly sleep?: (ms: number, stderr: () => string) => Promise<unknown>;
}

export interface CommandLineResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the command line in this process, what it prints caught. */
export async function commandLine(
  args: readonly string[],
  { env = {}, stdin = '', terminal = false, sleep = () => Promise.resolve() }: CommandLineOptions = {},
): Promise<CommandLineResult> {
  const stdout = new CaughtStream(terminal);
  const stderr = new CaughtStream(terminal);
  const code = await runCli(args, {
    env,
    envFile: null,
    stdin: Readable.from([stdin]),
    stdout,
    stderr,
    sleep: (ms) => sleep(ms, () => stderr.text),
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class CaughtStream extends Writable {
  readonly isTTY: boolean;
  text = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}
