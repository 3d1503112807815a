/** Commands as users type them, with curl and jq. Their absence skips a test, or fails it with `REQUIRE_PHONES=1`. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export class ShellCommands {
  static itWithCurl(name: string, body: () => Promise<void>, timeoutMs?: number): void {
    const installed = has('bash') && has('curl') && has('jq');
    if (!installed && process.env['REQUIRE_PHONES'] === '1') throw new Error('bash, curl and jq are required');
    (installed ? it : it.skip)(name, body, timeoutMs);
  }

  /**
   * Runs a script in bash; gives what it printed.
   * @throws Error when a command fails
   */
  static async run(script: string, env: Readonly<Record<string, string>>): Promise<string> {
    const { stdout } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
      env: { PATH: process.env['PATH'], ...env },
    });
    return stdout;
  }
}
