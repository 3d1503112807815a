/** SIPp as a phone. Its absence skips a test, or fails it with `REQUIRE_PHONES=1`. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-ports';

const SCENARIOS = join(__dirname, '../fixtures/sipp');

export interface SippOptions {
  /** File name in `test/fixtures/sipp`. */
  readonly scenario: string;
  readonly remotePort: number;
  readonly calls?: number;
  readonly perSecond?: number;
  readonly service?: string;
  /** Values of keywords in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Digest credentials for `[authentication]`. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Default UDP; TCP gives each call a connection of its own. */
  readonly transport?: 'udp' | 'tcp';
  /** Length of a `<pause/>` without a value. */
  readonly pauseMs?: number;
  readonly timeoutSeconds?: number;
}

/** What SIPp counted until its end. */
export interface SippCounts {
  readonly created: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  /** What the scenario counts as `counter="n"`, from 1 on. */
  readonly counters: readonly number[];
}

export function hasSipp(): boolean {
  try {
    execFileSync('sipp', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // `sipp -v` ends with a code of its own; only its absence counts.
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && process.env['REQUIRE_PHONES'] === '1') throw new Error('SIPp is required and missing');
    return !missing;
  }
}

/** Resolves when every call of the scenario succeeded; rejects with SIPp's last screen. */
export async function runSipp(options: SippOptions): Promise<SippCounts> {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-sipp-'));
  const keys = Object.entries(options.keys ?? {}).flatMap(([name, value]) => ['-key', name, value]);
  const calls = options.calls ?? 1;
  const call = [`127.0.0.1:${options.remotePort}`, '-sf', join(SCENARIOS, options.scenario)];
  const local = ['-i', '127.0.0.1', '-p', String(await freePort()), '-s', options.service ?? '+15551234567'];
  const load = ['-m', String(calls), '-r', String(options.perSecond ?? 10), '-l', String(calls)];
  const limit = ['-nostdin', '-timeout', `${options.timeoutSeconds ?? 15}s`, '-timeout_error'];
  const { credentials, pauseMs } = options;
  const digest = credentials ? ['-au', credentials.username, '-ap', credentials.password] : [];
  const transport = options.transport === 'tcp' ? ['-t', 'tn', '-max_socket', '1000'] : [];
  const pause = pauseMs === undefined ? [] : ['-d', String(pauseMs)];
  const statistics = join(dir, 'statistics.csv');
  const errors = join(dir, 'errors.log');
  const traces = ['-trace_stat', '-stf', statistics, '-fd', '3600', '-trace_err', '-error_file', errors];
  const args = call.concat(local, load, limit, digest, transport, pause, traces, keys);
  try {
    await new Promise<void>((resolve, reject) => {
      execFile('sipp', args, { cwd: dir, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        if (error) {
          const screen = `${firstFailure(errors)}\n${stdout.slice(-3000)}\n${stderr.slice(-2000)}`;
          reject(new Error(`SIPp: ${error.message}\n${screen}`));
        } else resolve();
      });
    });
    return countsOf(readFileSync(statistics, 'utf8'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What a call that failed met instead of what it waited for. */
function firstFailure(file: string): string {
  if (!existsSync(file)) return '';
  return /Aborting call[^]{0,600}/.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
}

/** The last line of SIPp's statistics by name; `(C)` is cumulative. */
export function lastStatistics(csv: string): (name: string) => string {
  const lines = csv.trim().split('\n');
  const names = (lines[0] ?? '').split(';');
  const last = (lines.at(-1) ?? '').split(';');
  return (name) => last[names.indexOf(name)] ?? '';
}

function countsOf(csv: string): SippCounts {
  const field = lastStatistics(csv);
  return {
    created: Number(field('TotalCallCreated')),
    successful: Number(field('SuccessfulCall(C)')),
    failed: Number(field('FailedCall(C)')),
    retransmissions: Number(field('Retransmissions(C)')),
    counters: [1, 2].map((n) => Number(field(`GenericCounter${n}(C)`))),
  };
}
