import { EnvError, readEnvFile } from '../../ops/env';
import type { ReadEnvOptions } from '../../ops/env';

type ReadConfig<Config = unknown> = (options: ReadEnvOptions) => Config;

/** Stands for what the supervisor sets when it has started it. */
const TO_BE_STARTED: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://trunkline@127.0.0.1/trunkline',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  SECRETS_KEY: Buffer.alloc(32).toString('base64'),
};

/**
 * The supervisor's own configuration, once those of its processes can be read too: nothing is started for the one that
 * cannot. Throws `EnvError` with the problems of all of them, each once.
 */
export function readWithProcesses<Config>(
  readOwn: ReadConfig<Config>,
  processes: readonly ReadConfig[],
  options: ReadEnvOptions = {},
): Config {
  // A variable that two processes read is told of once, in the words of the first.
  const problems: string[] = [];
  const env: NodeJS.ProcessEnv = { ...readEnvFile(options.file), ...(options.env ?? process.env) };
  for (const [name, value] of Object.entries(TO_BE_STARTED)) if (!env[name]?.trim()) env[name] = value;
  const attempt = <Result>(read: () => Result): Result | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof EnvError)) throw error;
      const told = new Set(problems.map(nameOf));
      problems.push(...error.problems.filter((problem) => !told.has(nameOf(problem))));
      return undefined;
    }
  };
  const own = attempt(() => readOwn(options));
  for (const read of processes) attempt(() => read({ env, file: null }));
  if (own === undefined || problems.length > 0) throw new EnvError(problems);
  return own;
}

const nameOf = (problem: string): string => problem.split(':', 1)[0] ?? '';
