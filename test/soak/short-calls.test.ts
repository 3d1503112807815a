/**
 * Thousands of short calls at a rate that the product holds on two cores that it shares with its servers and its callers:
 * every one has one record and one end, nothing waits at the end that did not wait at the beginning, and nothing is kept
 * of them. `SOAK_CALLS` and `SOAK_RATE` change the load.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from 'pg';

import { TemporalView } from '../support/live/temporal-view';
import { completedCalls, recordedCalls } from '../support/recorded-calls';
import { resourcesOf } from '../support/process-resources';
import type { ProcessResources } from '../support/process-resources';
import { hasSipp, runSipp } from '../support/sipp';
import type { SippCounts } from '../support/sipp';
import { scrapedMetric } from '../support/scraped-metric';
import { Stack } from '../support/stack';
import { waitFor } from '../support/wait-for';

const CALLS = Number(process.env['SOAK_CALLS'] ?? 5_000);
const PER_SECOND = Number(process.env['SOAK_RATE'] ?? 15);
const BATCHES = 2;
const WARM_UP = 60;
const DIALED = '+15551234567';
const TALK_MS = 1_500;
/** One in ten callers thinks better of it. */
const CANCELLING = 0.1;
/** Fewer pairs than calls, and more than rest after a call (30 s) at this rate: each is used several times. */
const RTP_PORTS = { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '23999' };
/** From the last BYE to the last record. A node 10 % too slow for its callers is this far behind after one batch. */
const SETTLED_WITHIN_MS = 8_000;
const PROCESSES = ['media', 'worker', 'api'] as const;
/** Connections to PostgreSQL, Temporal and clients come and go. */
const POOLED_SOCKETS = 12;
/** What heaps that are collected when they please may differ by; of half of the calls, 40 KB each. */
const KEPT_MB = 100;

interface Placed {
  readonly answered: number;
  readonly canceled: number;
  readonly retransmissions: number;
}

interface Batch extends Placed {
  readonly settledMs: number;
  /** Unfinished calls at most, in the last quarter. */
  readonly behind: number;
  readonly after: Readonly<Record<(typeof PROCESSES)[number], ProcessResources>>;
}

const onLinux = process.platform === 'linux' && hasSipp();

(onLinux ? describe : describe.skip)(`${CALLS} short calls, ${PER_SECOND} a second`, () => {
  let stack: Stack;
  let database: Client;
  let temporal: TemporalView;
  let credentials: { readonly username: string; readonly password: string };

  beforeAll(async () => {
    stack = await Stack.start({ env: RTP_PORTS });
    database = new Client(stack.databaseUrl);
    await database.connect();
    temporal = new TemporalView(stack.temporalAddress);
    await stack.api('POST', '/phone', { name: 'Support Agent', first_message: 'Hello!' });
    const trunk = await stack.api<{ auth_username: string; auth_password: string }>(
      'POST',
      '/phone/sip/inbound-trunk',
      { phone_numbers: [DIALED] },
    );
    credentials = { username: trunk.body.auth_username, password: trunk.body.auth_password };
    await sleep(1_000);
  }, 90_000);

  afterAll(async () => {
    await Promise.allSettled([database?.end(), temporal?.close()]);
    await stack?.stop();
  }, 60_000);

  it(
    'each has one record and one end, none waits, and nothing is kept',
    async () => {
      const batches: Batch[] = [await batch(WARM_UP)];
      for (let n = 0; n < BATCHES; n++) batches.push(await batch(CALLS / BATCHES));
      const sum = (key: keyof Placed): number => batches.reduce((total, placed) => total + placed[key], 0);
      const placed = { calls: WARM_UP + CALLS, answered: sum('answered'), canceled: sum('canceled') };
      const found = await recordedCalls(database);
      process.stdout.write(`short calls: ${JSON.stringify({ placed, found, batches: batches })}\n`);

      expect(placed.answered + placed.canceled).toBe(placed.calls);
      expect(found).toEqual({
        records: placed.calls,
        sipCallIds: placed.calls,
        endings: {
          ...(placed.answered > 0 ? { 'completed answered caller_hangup caller': placed.answered } : {}),
          ...(placed.canceled > 0 ? { 'completed canceled - caller': placed.canceled } : {}),
        },
        truncated: 0,
        withOneTerminalEvent: placed.calls,
        withMoreTerminalEvents: 0,
      });
      const [before, ...loaded] = batches as [Batch, ...Batch[]];
      for (const { after, behind } of loaded) {
        expect(behind).toBeLessThan(PER_SECOND * ((TALK_MS + SETTLED_WITHIN_MS) / 1000));
        expect(after.media.udpSockets).toBe(before.after.media.udpSockets);
        for (const name of PROCESSES) {
          const more = (key: 'tcpSockets' | 'descriptors'): number => after[name][key] - before.after[name][key];
          expect([name, more('tcpSockets') <= POOLED_SOCKETS]).toEqual([name, true]);
          expect([name, more('descriptors') <= POOLED_SOCKETS]).toEqual([name, true]);
        }
      }
      const [half, whole] = loaded as [Batch, Batch];
      for (const name of PROCESSES) {
        const keptMb = whole.after[name].residentMb - half.after[name].residentMb;
        expect([name, keptMb <= KEPT_MB]).toEqual([name, true]);
      }
    },
    10 * 60_000,
  );

  /** Places the calls and waits until nothing of them is left to be done. */
  async function batch(calls: number): Promise<Batch> {
    const canceling = Math.round(calls * CANCELLING);
    const watch = new AbortController();
    const placing = Promise.all([
      sipp('digest-call.xml', calls - canceling, PER_SECOND * (1 - CANCELLING)),
      sipp('digest-cancel-at-once.xml', canceling, PER_SECOND * CANCELLING),
    ]).finally(() => watch.abort());
    placing.catch(() => undefined); // awaited below
    const samples = await watchBacklog(watch.signal);
    const [stay, leave] = await placing;
    const endedMs = performance.now();
    await settled();
    const settledMs = Math.round(performance.now() - endedMs);
    const [canceled = 0, crossed = 0] = leave.counters;
    return {
      answered: stay.successful + crossed,
      canceled,
      retransmissions: stay.retransmissions + leave.retransmissions,
      settledMs,
      behind: Math.max(0, ...samples.slice(Math.floor(samples.length * 0.75))),
      after: {
        media: resourcesOf(stack.pid('media')),
        worker: resourcesOf(stack.pid('worker')),
        api: resourcesOf(stack.pid('api')),
      },
    };
  }

  async function sipp(scenario: string, calls: number, perSecond: number): Promise<SippCounts> {
    const counts = await runSipp({
      scenario,
      service: DIALED,
      remotePort: stack.sipPort,
      credentials,
      calls,
      perSecond,
      pauseMs: TALK_MS,
      timeoutSeconds: Math.ceil(calls / perSecond) + 60,
    });
    expect(counts).toMatchObject({ created: calls, successful: calls, failed: 0 });
    return counts;
  }

  /** Calls that the node has begun and that have no finished record yet. */
  async function unfinished(): Promise<number> {
    const began = await scrapedMetric(stack.mediaUrl, 'trunkline_calls_started_total');
    return began - (await completedCalls(database));
  }

  /** Once a second. */
  async function watchBacklog(signal: AbortSignal): Promise<number[]> {
    const samples: number[] = [];
    while (!signal.aborted) {
      samples.push(await unfinished());
      await sleep(1_000, undefined, { signal }).catch(() => undefined);
    }
    return samples;
  }

  async function settled(): Promise<void> {
    let left: unknown;
    const nothingLeft = async (): Promise<true | undefined> => {
      const counts = {
        unfinished: await unfinished(),
        running: await temporal.runningCalls(),
        active: await scrapedMetric(stack.mediaUrl, 'trunkline_calls_active'),
      };
      left = counts;
      return Object.values(counts).every((count) => count === 0) ? true : undefined;
    };
    await waitFor('the end of all calls', SETTLED_WITHIN_MS, nothingLeft).catch((error: unknown) => {
      throw new Error(`still open: ${JSON.stringify(left)}`, { cause: error });
    });
  }
});
