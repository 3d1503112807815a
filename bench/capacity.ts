/**
 * `npm run bench:capacity`: calls per second that the whole product holds with its embedded servers: SIPp calls with
 * digest for `BENCH_SECONDS` (60) at each rate of `BENCH_RATES` (10,20,30,40,50), until one is not held, and then at twice
 * the one that was. A rate is held when every call was answered and, 2 s after the last one, every record is complete: a backlog
 * that grows shows at the end, however slowly it grows. Each step is watched until its records are complete. Prints one
 * JSON line, with the share of a core each process took: the fullest gives way first.
 */
import { cpus, loadavg } from 'node:os';

import { Client } from 'pg';

import { completedCalls, recordedCalls } from '../test/support/recorded-calls';
import { Stack } from '../test/support/stack';
import { prepareInbound, recordsComplete } from './inbound-calls';
import type { Credentials } from './inbound-calls';
import { figuresOf, sippCalls } from './sipp-calls';
import { coresBetween, cpuSeconds } from './stack-usage';

const TALK_MS = 2_000;
const RECORDED_WITHIN_MS = 2_000;
/** Longer than it takes: what is not complete then, never is. */
const WATCHED_MS = 180_000;

interface Step {
  readonly perSecond: number;
  readonly held: boolean;
  /** After the last call, until every record was complete. */
  readonly recordedAfterMs: number | null;
  /** Share of one core, per process, while calls came. */
  readonly cores: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 60);
  const rates = (process.env['BENCH_RATES'] ?? '10,20,30,40,50').split(',').map(Number);
  const root = process.env['BENCH_ROOT'];
  const before = loadavg()[0];
  // A port rests 30 s after its call: the thousand of a test's stack would be what gives way first.
  const env = { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '29999', MEDIA_MAX_BEHIND_MS: '', MEDIA_MAX_WAIT_MS: '' };
  const stack = await Stack.start({ env, ...(root === undefined ? {} : { root }) });
  const database = new Client(stack.databaseUrl);
  try {
    await database.connect();
    const credentials = await prepareInbound(stack);
    const step = (perSecond: number): Promise<Step> => measure(stack, database, credentials, perSecond, seconds);
    const steps: Step[] = [];
    for (const perSecond of rates) {
      steps.push(await step(perSecond));
      if (!steps.at(-1)!.held) break;
    }
    const heldPerSecond = steps.findLast(({ held }) => held)?.perSecond ?? 0;
    const figures = {
      bench: 'capacity',
      seconds,
      heldPerSecond,
      steps,
      atTwice: heldPerSecond === 0 ? null : await step(2 * heldPerSecond),
      endings: (await recordedCalls(database)).endings,
      goal: { heldPerSecond: 32 },
      cores: cpus().length,
      loadAverage: { before, after: loadavg()[0] },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    await database.end();
    await stack.stop();
  }
}

async function measure(
  stack: Stack,
  database: Client,
  credentials: Credentials,
  perSecond: number,
  seconds: number,
): Promise<Step> {
  const before = await completedCalls(database);
  const cpuBefore = cpuSeconds(stack);
  const began = performance.now();
  const calls = perSecond * seconds;
  const result = await sippCalls({ port: stack.sipPort, calls, perSecond, talkMs: TALK_MS, credentials });
  const cores = coresBetween(cpuBefore, cpuSeconds(stack), (performance.now() - began) / 1_000);
  const recordedAfterMs = await recordsComplete(database, before + result.answeredMs.length, WATCHED_MS);
  const all = result.answeredMs.length === calls && result.failed === 0;
  const held = all && recordedAfterMs !== null && recordedAfterMs <= RECORDED_WITHIN_MS;
  return { perSecond, held, ...figuresOf(result), recordedAfterMs, cores };
}

void main();
