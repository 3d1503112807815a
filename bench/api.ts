/**
 * `npm run bench:api`: the built API before a PostgreSQL with 10,000 agents, 50,000 numbers and 1,000,000 calls, half of
 * the numbers and calls of the organisation that asks. First `BENCH_RATE` (500) requests a second for `BENCH_SECONDS` (60),
 * four reads to a write; then a bare Koa route at the same rate, whose p99 is the machine's own part of what was measured;
 * then as many as it takes, both in turn. Calls are not placed here: `bench:latency` does.
 * Prints one JSON line. `BENCH_SCALE` (1) makes the tables smaller, to try it; `BENCH_PROFILE` names a folder for a CPU
 * profile of the API.
 */
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../scripts/project-root';
import { FILLED, filledId } from '../test/support/filled-tables';
import type { TableSizes } from '../test/support/filled-tables';
import { freePort } from '../test/support/free-ports';
import { waitFor } from '../test/support/wait-for';
import { ApiUnderTest } from './api-under-test';
import { HttpLoad } from './http-load';
import type { HttpRequest, OpenLoop } from './http-load';
import { percentiles } from './percentiles';
import { usageOf } from './process-usage';

const GOALS = { readP99Ms: 10, writeP99Ms: 30 };
const CONNECTIONS = 32;
const WARM_UP_SECONDS = 5;
/** The API and the bare route in turn: what else the machine does meets both. */
const ROUNDS = 5;
/** At most, as the warming up: shorter when the whole is. */
const ROUND_SECONDS = 2;
const BARE_SECONDS = 10;
const ROUTES_TOLD = 6;
/** Keys of another run on the same database would be repeats. */
const RUN = Date.now();
const A_PAGE: HttpRequest = { kind: 'read', method: 'GET', path: '/phone/calls?limit=20' };

async function main(): Promise<void> {
  const seconds = Number(process.env['BENCH_SECONDS'] ?? 60);
  const perSecond = Number(process.env['BENCH_RATE'] ?? 500);
  const sizes = sizesAt(Number(process.env['BENCH_SCALE'] ?? 1));
  const before = loadavg()[0];
  const began = performance.now();
  const api = await ApiUnderTest.start(sizes);
  const load = new HttpLoad(api.url, { authorization: `Bearer ${api.key}` });
  try {
    const filledMs = Math.round(performance.now() - began);
    const next = mixed(sizes);
    await load.atRate(next, perSecond, Math.min(WARM_UP_SECONDS, seconds));
    const usedBefore = api.usage();
    const ownBefore = process.cpuUsage();
    const { readMs, writeMs, byRoute, lateMs, refused } = await load.atRate(next, perSecond, seconds);
    const used = api.usage();
    const own = process.cpuUsage(ownBefore);
    const [reads, writes] = [percentiles(readMs), percentiles(writeMs)];
    const perRequest = (cpuSeconds: number): number => msEach(cpuSeconds, perSecond * seconds);
    const { bareAtRate, saturation } = await besideBareRoute(api, load, perSecond, seconds);
    const failed = Object.keys(refused).length > 0;
    const passed = !failed && reads.p99 <= GOALS.readP99Ms && writes.p99 <= GOALS.writeP99Ms;
    const figures = {
      bench: 'api',
      tables: sizes,
      filledMs,
      perSecond,
      seconds,
      reads,
      writes,
      slowestRoutesMs: slowest(byRoute),
      leftLateMs: percentiles(lateMs),
      cpuMsPerRequest: {
        api: perRequest(used.api - usedBefore.api),
        postgres: perRequest(used.postgres - usedBefore.postgres),
        load: perRequest((own.user + own.system) / 1e6),
      },
      refused,
      goals: GOALS,
      bareAtRate,
      saturation,
      cores: cpus().length,
      loadAverage: { before, after: loadavg()[0] },
      passed,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    if (!passed) process.exitCode = 1;
  } finally {
    load.close();
    await api.stop();
  }
}

/** By p99; with the others' beside it, it tells a slow route from a machine that stood still. */
function slowest(byRoute: OpenLoop['byRoute']): Readonly<Record<string, object>> {
  const routes = [...byRoute].map(([route, ms]) => [route, percentiles(ms)] as const);
  const sorted = routes.toSorted(([, a], [, b]) => b.p99 - a.p99);
  return Object.fromEntries([...sorted.slice(0, ROUTES_TOLD), ...sorted.slice(-1)]);
}

function sizesAt(scale: number): TableSizes {
  const scaled = (rows: number): number => Math.ceil(rows * scale);
  return {
    organisations: 100,
    agents: scaled(10_000),
    phoneNumbers: scaled(50_000),
    calls: scaled(1_000_000),
    callsWithRecords: scaled(20_000),
    contacts: scaled(100_000),
    campaignContacts: scaled(100_000),
    auditEntries: scaled(200_000),
    others: scaled(10_000),
  };
}

/** Every filter of the calls in its turn, single things by id, and changes of contacts and agents. */
function mixed({ agents, calls, callsWithRecords, contacts, organisations }: TableSizes): (n: number) => HttpRequest {
  const read = (path: string, route = path): HttpRequest => ({ kind: 'read', method: 'GET', path, route });
  const own = (kind: string, rows: number, n: number, step: number): string =>
    filledId(kind, step * (1 + ((n * 7919) % Math.floor(rows / step))));
  const middle = new Date(FILLED.newest.getTime() - (calls / 2) * FILLED.stepSeconds * 1000).toISOString();
  const reads: readonly ((n: number) => HttpRequest)[] = [
    '/phone/calls',
    '/phone/calls?status=ringing',
    '/phone/calls?status=completed',
    '/phone/calls?disposition=busy',
    '/phone/calls?direction=outbound',
    `/phone/calls?phone_agent_id=${FILLED.common.agentId}`,
    `/phone/calls?campaign_id=${FILLED.common.campaignId}`,
    `/phone/calls?phone_number=${encodeURIComponent(FILLED.common.phoneNumber)}`,
    `/phone/calls?created_before=${middle}`,
    '/phone/numbers',
    '/contacts',
    '/audit-log?action=revoke',
    '/phone',
    '/phone/sip/outbound-trunks',
  ].map((path) => (): HttpRequest => read(path));
  // A detail is asked for as often as a list.
  const details: readonly ((n: number) => HttpRequest)[] = [
    (n) => read(`/phone/calls/${own('call', calls, n, 2)}`, '/phone/calls/{id}'),
    (n) => read(`/phone/calls/${own('call', callsWithRecords * 2, n, 2)}/events`, '/phone/calls/{id}/events'),
    (n) => read(`/phone/${own('agent', agents, n, organisations)}`, '/phone/{id}'),
    (n) => read(`/contacts/${own('contact', contacts, n, 2)}`, '/contacts/{id}'),
    previewOf,
  ];
  const write = (n: number): HttpRequest => {
    if (n % 3 === 0) return newContact(n);
    if (n % 3 === 1) {
      const path = `/contacts/${own('contact', contacts, n, 2)}`;
      return {
        kind: 'write',
        method: 'PATCH',
        path,
        route: '/contacts/{id}',
        body: { contact: { name: `Renamed ${n}` } },
      };
    }
    const path = `/phone/${own('agent', agents, n, organisations)}`;
    return { kind: 'write', method: 'PATCH', path, route: '/phone/{id}', body: { name: `Renamed ${n}` } };
  };
  const turns = [...reads, ...reads.map((_, i) => details[i % details.length]!)];
  let reading = 0;
  return (n) => (n % 5 === 4 ? write(Math.floor(n / 5)) : turns[reading++ % turns.length]!(n));
}

const newContact = (n: number): HttpRequest => ({
  kind: 'write',
  method: 'POST',
  path: '/contacts',
  body: { contact: { name: `Contact ${n}`, email: `contact-${n}@example.com`, custom_data: { n } } },
  // Every second client repeats what it does not know the answer of.
  ...(n % 2 === 0 ? { headers: { 'idempotency-key': `bench-${RUN}-${n}` } } : {}),
});

/** A number of the organisation, as its carrier may write it. */
const previewOf = (n: number): HttpRequest => ({
  kind: 'read',
  method: 'POST',
  path: '/phone/sip/inbound-trunk/route-preview',
  body: { dialed_number: `1202${String(2 + 2 * (n % 200)).padStart(7, '0')}` },
});

interface Saturated {
  readonly perSecond: number;
  readonly cpuMsPerRequest: number;
}

/**
 * First at the rate of the API's run, then requests per second with as many at a time as there are connections. Where the server does not use a whole core, the
 * load or the database was what was saturated: then CPU per request tells more.
 */
async function besideBareRoute(
  api: ApiUnderTest,
  load: HttpLoad,
  perSecond: number,
  atMostSeconds: number,
): Promise<{ readonly bareAtRate: object; readonly saturation: Readonly<Record<string, object>> }> {
  const seconds = Math.min(ROUND_SECONDS, atMostSeconds);
  const port = await freePort();
  const page = await api.get(A_PAGE.path);
  const barePid = api.spawn(['--import', 'tsx', join(PROJECT_ROOT, 'bench/bare-route.ts')], {
    BARE_PORT: String(port),
    BARE_PAGE: JSON.stringify(page),
  });
  const bare = new HttpLoad(`http://127.0.0.1:${port}`);
  const bareUsage = (): number => usageOf(barePid).cpuSeconds;
  try {
    await waitFor('the bare route', 15_000, async () => ((await bare.send(A_PAGE)) === 200 ? true : undefined));
    const compared = async (next: (n: number) => HttpRequest): Promise<object> => {
      const rounds: { readonly api: Saturated; readonly bare: Saturated }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        rounds.push({
          bare: await saturated(bare, bareUsage, next, seconds),
          api: await saturated(load, () => api.usage().api, next, seconds),
        });
      }
      const ofAll = (value: (round: (typeof rounds)[number]) => number): number => median(rounds.map(value));
      return {
        api: { perSecond: ofAll((r) => r.api.perSecond), cpuMsPerRequest: ofAll((r) => r.api.cpuMsPerRequest) },
        bare: { perSecond: ofAll((r) => r.bare.perSecond), cpuMsPerRequest: ofAll((r) => r.bare.cpuMsPerRequest) },
        ratio: ofAll((r) => r.api.perSecond / r.bare.perSecond),
        cpuRatio: ofAll((r) => r.api.cpuMsPerRequest / r.bare.cpuMsPerRequest),
      };
    };
    const { readMs } = await bare.atRate(() => A_PAGE, perSecond, Math.min(BARE_SECONDS, atMostSeconds));
    let contacts = 1_000_000;
    return {
      bareAtRate: percentiles(readMs),
      saturation: { reads: await compared(() => A_PAGE), writes: await compared(() => newContact(contacts++)) },
    };
  } finally {
    bare.close();
  }
}

async function saturated(
  load: HttpLoad,
  cpuSeconds: () => number,
  next: (n: number) => HttpRequest,
  seconds: number,
): Promise<Saturated> {
  const before = cpuSeconds();
  const { perSecond, answered } = await load.saturated(next, CONNECTIONS, seconds);
  return { perSecond: Math.round(perSecond), cpuMsPerRequest: msEach(cpuSeconds() - before, answered) };
}

/** Milliseconds each, to 0.01. */
const msEach = (seconds: number, requests: number): number => Math.round((seconds * 1e5) / requests) / 100;

function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return Math.round(middle * 100) / 100;
}

void main();
