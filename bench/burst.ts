/**
 * `npm run bench:burst`: what callers wait for who call at one instant: 8 and 20 INVITEs (`BENCH_BURSTS`) with credentials to the
 * whole product, `BENCH_ROUNDS` (10) times, from INVITE to 200. Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { Stack } from '../test/support/stack';
import { prepareInbound, recordsComplete } from './inbound-calls';
import { figuresOf, sippCalls } from './sipp-calls';
import type { SippCalls } from './sipp-calls';

const TALK_MS = 1_000;
const WATCHED_MS = 30_000;
const PAUSE_MS = 500;
/** Nothing is cold any more after these. */
const WARM_UP_CALLS = 40;

async function main(): Promise<void> {
  const sizes = (process.env['BENCH_BURSTS'] ?? '8,20').split(',').map(Number);
  const rounds = Number(process.env['BENCH_ROUNDS'] ?? 10);
  const root = process.env['BENCH_ROOT'];
  const before = loadavg()[0];
  const env = { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '29999', MEDIA_MAX_BEHIND_MS: '', MEDIA_MAX_WAIT_MS: '' };
  const stack = await Stack.start({ env, ...(root === undefined ? {} : { root }) });
  const database = new Client(stack.databaseUrl);
  try {
    await database.connect();
    const load = { port: stack.sipPort, talkMs: TALK_MS, credentials: await prepareInbound(stack) };
    await sippCalls({ ...load, calls: WARM_UP_CALLS, perSecond: 10 });
    const bursts: Record<string, object> = {};
    for (const size of sizes) {
      const results: SippCalls[] = [];
      for (let round = 0; round < rounds; round++) {
        results.push(await sippCalls({ ...load, calls: size, perSecond: size, atOnce: true }));
        // One burst does not meet what the one before it has left to do.
        await recordsComplete(database, 0, WATCHED_MS);
        await sleep(PAUSE_MS);
      }
      bursts[size] = figuresOf({
        calls: results.reduce((sum, { calls }) => sum + calls, 0),
        answeredMs: results.flatMap(({ answeredMs }) => answeredMs),
        refusedMs: results.flatMap(({ refusedMs }) => refusedMs),
        failed: results.reduce((sum, { failed }) => sum + failed, 0),
        retransmissions: results.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
        firstFailure: results.find(({ firstFailure }) => firstFailure !== null)?.firstFailure ?? null,
      });
    }
    const loadAverage = { before, after: loadavg()[0] };
    process.stdout.write(`${JSON.stringify({ bench: 'burst', rounds, bursts, cores: cpus().length, loadAverage })}\n`);
  } finally {
    await database.end();
    await stack.stop();
  }
}

void main();
