/**
 * `npm run bench:campaign`: dials a second that one worker sustains, on the embedded servers and with a Temporal server on
 * PostgreSQL. At each rate of `BENCH_RATES` (5,10,15,20,30,40) a campaign over a trunk of that rate calls `BENCH_SECONDS` (30) of
 * contacts at a carrier in a process of its own, to its end: until one is not done in time. A backlog that grows shows: every
 * contact has to be dialled, and no later than the rate asks. `BENCH_TEMPORAL` (embedded,postgresql). Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';

import { LiveCampaign } from '../test/support/campaign/live-campaign';
import type { CarrierCall } from '../test/support/campaign/carrier';
import { Stack } from '../test/support/stack';
import { percentiles } from './percentiles';
import type { Percentiles } from './percentiles';
import { cpuSecondsWithChildren } from './process-usage';
import { coresBetween, cpuSeconds } from './stack-usage';
import { TemporalOnPostgres } from './temporal-on-postgres';

const SERVERS = ['embedded', 'postgresql'] as const;
/** Quick, as whoever measures the dialling wishes them; as many answer as are busy. */
const CARRIER = { seed: 1, mix: { answered: 1, busy: 1 }, ringMs: [20, 100], talkMs: [200, 600] } as const;
/** Of the rate that was asked for, from the first INVITE to the last. */
const RATE_KEPT = 0.97;
/** From the last INVITE until every call is over and its contact done. */
const DONE_WITHIN_MS = 5_000;
/** Behind the ideal instant; the goal of a scheduled call. */
const DELAY_P95_MS = 1_000;

interface Step {
  readonly perSecond: number;
  readonly held: boolean;
  /** From the first INVITE to the last. */
  readonly dialsPerSecond: number;
  /** Of each INVITE behind the instant at which its trunk could have sent it, had the first been followed without a pause. */
  readonly delayMs: Percentiles;
  readonly startMs: number;
  readonly doneAfterMs: number | null;
  /** Share of one core, per process. */
  readonly cores: Readonly<Record<string, number>>;
}

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 30);
  const rates = (process.env['BENCH_RATES'] ?? '5,10,15,20,30,40').split(',').map(Number);
  const wanted = (process.env['BENCH_TEMPORAL'] ?? SERVERS.join(',')).split(',');
  const before = loadavg()[0];
  const results: Record<string, unknown> = {};
  for (const server of SERVERS) {
    if (wanted.includes(server)) results[server] = await measureOn(server, rates, seconds);
  }
  const goals = { rateKept: RATE_KEPT, doneWithinMs: DONE_WITHIN_MS, delayP95Ms: DELAY_P95_MS };
  const loadAverage = { before, after: loadavg()[0] };
  process.stdout.write(
    `${JSON.stringify({ bench: 'campaign', seconds, ...results, goals, cores: cpus().length, loadAverage })}\n`,
  );
}

async function measureOn(server: (typeof SERVERS)[number], rates: readonly number[], seconds: number): Promise<object> {
  const temporal = server === 'embedded' ? null : await TemporalOnPostgres.start();
  try {
    // A port rests 30 s after its call.
    const ports = { RTP_PORT_MIN: '20000', RTP_PORT_MAX: '29999' };
    const env = temporal === null ? ports : { ...ports, TEMPORAL_ADDRESS: temporal.address };
    const stack = await Stack.start({ env });
    try {
      const steps: Step[] = [];
      for (const perSecond of rates) {
        const step = await measure(stack, temporal, perSecond, seconds);
        steps.push(step);
        if (!step.held) break;
      }
      return { heldPerSecond: steps.findLast(({ held }) => held)?.perSecond ?? 0, steps };
    } finally {
      await stack.stop();
    }
  } finally {
    await temporal?.stop();
  }
}

async function measure(
  stack: Stack,
  temporal: TemporalOnPostgres | null,
  perSecond: number,
  seconds: number,
): Promise<Step> {
  const contacts = perSecond * seconds;
  const campaign = await LiveCampaign.create(stack, { contacts, callsPerSecond: perSecond, carrier: CARRIER });
  const temporalSeconds = (): number =>
    temporal === null
      ? 0
      : cpuSecondsWithChildren(temporal.pids.server) + cpuSecondsWithChildren(temporal.pids.postgres);
  try {
    const [cpu, cpuOfTemporal] = [cpuSeconds(stack), temporalSeconds()];
    await campaign.act('start');
    const startedAtMs = now();
    const completed = await campaign
      .until('completed', (2 * seconds + 60) * 1000)
      .then(() => true)
      .catch(() => false);
    const completedAtMs = now();
    const elapsed = (completedAtMs - startedAtMs) / 1000;
    const cores = coresBetween(cpu, cpuSeconds(stack), elapsed);
    const ofTemporal = Math.round((100 * (temporalSeconds() - cpuOfTemporal)) / elapsed) / 100;
    const calls = await campaign.carrier.log();
    const times = calls.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
    const [firstMs = 0, lastMs = 0] = [times[0], times.at(-1)];
    const dialsPerSecond = (1000 * (times.length - 1)) / (lastMs - firstMs);
    const delayMs = percentiles(times.map((atMs, n) => Math.max(0, atMs - firstMs - (n * 1000) / perSecond)));
    const doneAfterMs = completed ? Math.round(completedAtMs - lastMs) : null;
    const inTime = doneAfterMs !== null && doneAfterMs <= DONE_WITHIN_MS;
    const complete = inTime && once(calls, contacts);
    return {
      perSecond,
      held: complete && dialsPerSecond >= RATE_KEPT * perSecond && delayMs.p95 <= DELAY_P95_MS,
      dialsPerSecond: Math.round(100 * dialsPerSecond) / 100,
      delayMs,
      startMs: Math.round(firstMs - startedAtMs),
      doneAfterMs,
      cores: temporal === null ? cores : { ...cores, temporal: ofTemporal },
    };
  } finally {
    await campaign.carrier.stop();
  }
}

function once(calls: readonly CarrierCall[], contacts: number): boolean {
  return calls.length === contacts && new Set(calls.map(({ number }) => number)).size === contacts;
}

const now = (): number => performance.timeOrigin + performance.now();

void main();
