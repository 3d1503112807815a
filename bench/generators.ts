/** The load generators: SIPp with our scenario, and sipload where its source lies beside the repository. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../scripts/project-root';
import { freePort } from '../test/support/free-ports';
import { lastStatistics } from '../test/support/sipp';

const run = promisify(execFile);
const SCENARIO = join(PROJECT_ROOT, 'test/fixtures/sipp/bench-call.xml');
const SIPLOAD_SOURCE = join(PROJECT_ROOT, '../shared/tools/sipload.c');

export interface Missing {
  readonly missing: string;
}

export interface SippResult {
  readonly offeredPerSecond: number;
  readonly calls: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly inviteTo200MeanMs: number;
}

export async function runSipp(options: {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
}): Promise<SippResult | Missing> {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-sipp-'));
  const statistics = join(dir, 'stat.csv');
  const calls = options.perSecond * options.seconds;
  // A scheduler tick of 1 ms instead of SIPp's 10 ms, or set-ups come in bursts.
  const load = ['-m', String(calls), '-r', String(options.perSecond), '-l', String(calls), '-timer_resol', '1'];
  const local = ['-i', '127.0.0.1', '-p', String(await freePort())];
  const output = ['-nostdin', '-trace_stat', '-stf', statistics, '-fd', '1'];
  const call = [`127.0.0.1:${options.port}`, '-sf', SCENARIO, '-s', '+15551234567'];
  const args = call.concat(local, load, output);
  try {
    // Its exit code is 1 when a call failed; the figures say so.
    await run('sipp', args, { cwd: dir, maxBuffer: 64 << 20 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw error;
    });
    return figuresOf(readFileSync(statistics, 'utf8'), options.perSecond);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'sipp (Debian: sip-tester)' };
    throw error;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function figuresOf(csv: string, offeredPerSecond: number): SippResult {
  const field = lastStatistics(csv);
  return {
    offeredPerSecond,
    calls: Number(field('TotalCallCreated')),
    successful: Number(field('SuccessfulCall(C)')),
    failed: Number(field('FailedCall(C)')),
    retransmissions: Number(field('Retransmissions(C)')),
    inviteTo200MeanMs: milliseconds(field('ResponseTime1(C)')),
  };
}

/** `00:00:00:001203` (hours, minutes, seconds, microseconds). */
function milliseconds(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0, micros = 0] = time.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + micros / 1000;
}

/** Compiles sipload into a folder of its own and runs it; its figures as it prints them, and how often which refusal came. */
export async function runSipload(args: readonly string[]): Promise<Record<string, unknown> | Missing> {
  if (!existsSync(SIPLOAD_SOURCE)) return { missing: 'shared/tools/sipload.c beside the repository' };
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-sipload-'));
  try {
    const binary = join(dir, 'sipload');
    try {
      await run('gcc', ['-O2', '-o', binary, SIPLOAD_SOURCE]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'gcc' };
      throw error;
    }
    const { stdout, stderr } = await run(binary, [...args], { maxBuffer: 16 << 20 });
    const refusals = [...stderr.matchAll(/^INVITE final (\d+) x(\d+)$/gm)].map(([, status, n]) => [status, Number(n)]);
    const figures = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
    return { ...figures, refusals: Object.fromEntries(refusals) as Record<string, number> };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
