/**
 * `npm run bench:overload`: what becomes of calls when twice as many come as can be taken: how soon those that are admitted are
 * answered, what share is refused and how soon, and whether 5 s later all is as it was. `BENCH_OVERLOAD` (engine,product) says
 * of what: the engine alone, or the whole product with digest and records. The rate that is doubled is `BENCH_ENGINE_RATE`, by
 * default the highest of a few that the engine holds in this run, and `BENCH_PRODUCT_RATE` (30), for `BENCH_SECONDS` (20).
 * Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { recordedCalls } from '../test/support/recorded-calls';
import { freePort } from '../test/support/free-ports';
import { Stack } from '../test/support/stack';
import { runSipload } from './generators';
import { prepareInbound, recordsComplete } from './inbound-calls';
import { NodeUnderTest } from './node-under-test';
import { figuresOf, sippCalls } from './sipp-calls';

const ENGINE_TALK_MS = 200;
const PRODUCT_TALK_MS = 2_000;
const ENGINE_RATES = [200, 300, 400, 500, 600, 800, 1_000, 1_200, 1_500] as const;
const SEARCH_SECONDS = 5;
/** Half of what is sustained, before the overload and after it. */
const CALM_SECONDS = 6;
const CALM_AGAIN_AFTER_MS = 5_000;
const WATCHED_MS = 180_000;
const GOAL = { admittedP95Ms: 50, refusedP95Ms: 50, failed: 0, asBeforeWithinMs: CALM_AGAIN_AFTER_MS };

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 20);
  const wanted = (process.env['BENCH_OVERLOAD'] ?? 'engine,product').split(',');
  const before = loadavg()[0];
  const figures = {
    bench: 'overload',
    seconds,
    ...(wanted.includes('engine') ? { engine: await engine(seconds) } : {}),
    ...(wanted.includes('product') ? { product: await product(seconds) } : {}),
    goal: GOAL,
    cores: cpus().length,
    loadAverage: { before, after: loadavg()[0] },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

async function engine(seconds: number): Promise<object> {
  const node = await NodeUnderTest.start({ RTP_PORT_MIN: '10000', RTP_PORT_MAX: '59999' });
  try {
    const calls = (perSecond: number, forSeconds: number): Promise<EngineCalls> =>
      engineCalls(node, perSecond, forSeconds);
    const given = process.env['BENCH_ENGINE_RATE'];
    const sustained = given === undefined ? await sustainedRate(calls) : Number(given);
    return await overloaded(sustained, seconds, calls);
  } finally {
    await node.stop();
  }
}

interface EngineCalls {
  readonly calls: number;
  /** Neither answered nor refused by 503, or not ended: at least. */
  readonly failed: number;
  readonly refusedShare: number;
  readonly inviteTo200Ms: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  /** Of all calls, whose first response is 100 or 503. */
  readonly firstResponseMs: { readonly p50: number; readonly p95: number };
  readonly byesRepeated: unknown;
  readonly cpuPercent: unknown;
}

async function engineCalls(node: NodeUnderTest, perSecond: number, seconds: number): Promise<EngineCalls> {
  const calls = perSecond * seconds;
  const load = ['-n', String(calls), '-r', String(perSecond), '-B', String(ENGINE_TALK_MS), '-P', String(node.pid)];
  const result = await runSipload(['-p', String(node.sipPort), '-l', String(await freePort()), ...load]);
  if ('missing' in result) throw new Error(`missing: ${String(result['missing'])}`);
  // An INVITE that is said again is refused again, which it counts twice.
  const unanswered = Number(result['not_completed']);
  const refused = Math.min((result['refusals'] as Record<string, number>)['503'] ?? 0, unanswered);
  return {
    calls,
    failed: unanswered - refused,
    refusedShare: Math.round((1_000 * refused) / calls) / 1_000,
    inviteTo200Ms: result['inv200_ms'] as EngineCalls['inviteTo200Ms'],
    firstResponseMs: result['first_response_ms'] as EngineCalls['firstResponseMs'],
    byesRepeated: result['calls_with_bye_retransmit'],
    cpuPercent: result['peer_cpu_pct'],
  };
}

/** The highest rate at which every call is answered, p95 within the goal. */
async function sustainedRate(calls: (perSecond: number, seconds: number) => Promise<EngineCalls>): Promise<number> {
  let sustained: number = ENGINE_RATES[0];
  for (const perSecond of ENGINE_RATES) {
    const { failed, refusedShare, inviteTo200Ms } = await calls(perSecond, SEARCH_SECONDS);
    if (failed > 0 || refusedShare > 0 || inviteTo200Ms.p95 > GOAL.admittedP95Ms) break;
    sustained = perSecond;
    await sleep(1_000);
  }
  return sustained;
}

async function product(seconds: number): Promise<object> {
  const root = process.env['BENCH_ROOT'];
  const env = { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '29999', MEDIA_MAX_BEHIND_MS: '', MEDIA_MAX_WAIT_MS: '' };
  const stack = await Stack.start({ env, ...(root === undefined ? {} : { root }) });
  const database = new Client(stack.databaseUrl);
  try {
    await database.connect();
    const load = { port: stack.sipPort, talkMs: PRODUCT_TALK_MS, credentials: await prepareInbound(stack) };
    const sustained = Number(process.env['BENCH_PRODUCT_RATE'] ?? 30);
    const figures = await overloaded(sustained, seconds, async (perSecond, forSeconds) =>
      figuresOf(await sippCalls({ ...load, perSecond, calls: perSecond * forSeconds })),
    );
    const recordedAfterMs = await recordsComplete(database, 0, WATCHED_MS);
    return { ...figures, recordedAfterMs, endings: (await recordedCalls(database)).endings };
  } finally {
    await database.end();
    await stack.stop();
  }
}

async function overloaded(
  sustained: number,
  seconds: number,
  calls: (perSecond: number, seconds: number) => Promise<object>,
): Promise<object> {
  const calm = (): Promise<object> => calls(Math.ceil(sustained / 2), CALM_SECONDS);
  // What a process does for the first time takes longer.
  await calm();
  const before = await calm();
  const offered = 2 * sustained;
  const overload = await calls(offered, seconds);
  await sleep(CALM_AGAIN_AFTER_MS);
  return { sustained, offered, before, overload, after: await calm() };
}

void main();
