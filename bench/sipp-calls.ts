/** Calls of SIPp that are answered or refused, each with the time of its final answer. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../scripts/project-root';
import { freePort } from '../test/support/free-ports';
import { lastStatistics } from '../test/support/sipp';
import { percentiles } from './percentiles';
import type { Percentiles } from './percentiles';

const run = promisify(execFile);
const SCENARIO = join(PROJECT_ROOT, 'test/fixtures/sipp/call-or-refusal.xml');
/** After the last INVITE: longer than any of its calls lasts. */
const LIMIT_SECONDS = 60;

export interface SippCallsOptions {
  readonly port: number;
  readonly calls: number;
  readonly perSecond: number;
  /** All at one instant instead. */
  readonly atOnce?: boolean;
  readonly talkMs: number;
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface SippCalls {
  readonly calls: number;
  /** INVITE (the one with credentials, where they are asked for) → 200, and → 503. */
  readonly answeredMs: readonly number[];
  readonly refusedMs: readonly number[];
  /** Neither answered nor refused with Retry-After, or not ended. */
  readonly failed: number;
  /** Of SIPp: whoever has waited for half a second says it again. */
  readonly retransmissions: number;
  readonly firstFailure: string | null;
}

/** @throws Error where there is no SIPp */
export async function sippCalls(options: SippCallsOptions): Promise<SippCalls> {
  const { port, calls, perSecond, atOnce = false, talkMs, credentials } = options;
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-sipp-'));
  const pace = atOnce ? ['-r', String(calls), '-rp', '1'] : ['-r', String(perSecond)];
  const seconds = Math.ceil(calls / perSecond) + LIMIT_SECONDS;
  const args = [`127.0.0.1:${port}`, '-sf', SCENARIO, '-s', '+15551234567', '-i', '127.0.0.1'].concat(
    ['-p', String(await freePort()), '-m', String(calls), '-l', String(calls), ...pace, '-timer_resol', '1'],
    ['-d', String(talkMs), '-nostdin', '-timeout', `${seconds}s`, '-fd', '1', '-trace_stat', '-stf', 'stat.csv'],
    ['-trace_rtt', '-rtt_freq', '1', '-trace_err', '-error_file', 'errors.log'],
    credentials === undefined ? [] : ['-au', credentials.username, '-ap', credentials.password],
  );
  try {
    // Its exit code is 1 when a call failed; the figures say so.
    await run('sipp', args, { cwd: dir, maxBuffer: 64 << 20 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new Error('SIPp is missing (Debian: sip-tester)');
    });
    const field = lastStatistics(readFileSync(join(dir, 'stat.csv'), 'utf8'));
    const times = responseTimes(dir);
    return {
      calls: Number(field('TotalCallCreated')),
      answeredMs: times.get('1') ?? [],
      refusedMs: times.get('2') ?? [],
      failed: Number(field('FailedCall(C)')),
      retransmissions: Number(field('Retransmissions(C)')),
      firstFailure: firstFailure(dir),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** For a line of figures: shares, percentiles. */
export function figuresOf(result: SippCalls): Record<string, unknown> {
  const { calls, answeredMs, refusedMs, failed, retransmissions, firstFailure: failure } = result;
  const of = (values: readonly number[]): Percentiles | null => (values.length === 0 ? null : percentiles(values));
  return {
    calls,
    failed,
    retransmissions,
    refusedShare: Math.round((1_000 * refusedMs.length) / calls) / 1_000,
    inviteTo200Ms: of(answeredMs),
    inviteTo503Ms: of(refusedMs),
    ...(failure === null ? {} : { failure }),
  };
}

/** Lines of `Date_ms;response_time_ms;rtd_no`. */
function responseTimes(dir: string): Map<string, number[]> {
  const times = new Map<string, number[]>();
  const file = readdirSync(dir).find((name) => name.endsWith('_rtt.csv'));
  for (const line of file === undefined ? [] : readFileSync(join(dir, file), 'utf8').split('\n').slice(1)) {
    const [, ms = '', name = ''] = line.split(';');
    if (ms === '') continue;
    const known = times.get(name.trim());
    if (known === undefined) times.set(name.trim(), [Number(ms)]);
    else known.push(Number(ms));
  }
  return times;
}

function firstFailure(dir: string): string | null {
  if (!readdirSync(dir).includes('errors.log')) return null;
  return /Aborting call[^]{0,300}/.exec(readFileSync(join(dir, 'errors.log'), 'utf8'))?.[0] ?? null;
}
