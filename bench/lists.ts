/**
 * `npm run bench:lists`: what a list costs the built API: a page of 20 calls, and the agents of organisations that have 3 and
 * 780. As many requests as it takes, for `BENCH_SECONDS` (2) at a time, CPU of the API and of PostgreSQL by /proc.
 * `BENCH_BESIDE` names the folder of another checkout with its `dist/`, whose API is asked in turn, before the same tables:
 * the ratio is that of requests a second that one core of the API serves. `BENCH_BESIDE_FLAGS` starts it with other flags of
 * Node, `BENCH_BESIDE_OWNER` as the owner of the tables, whom row-level security does not bind. Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';
import type { DataSource } from 'typeorm';
import { ApiKeyRepository } from '../store/repositories/api-key-repository';
import { OrganisationRepository } from '../store/repositories/organisation-repository';
import type { SecretBox } from '../store/secrets';
import { ApiUnderTest } from './api-under-test';
import { HttpLoad } from './http-load';
import type { HttpRequest } from './http-load';
import { usageOf } from './process-usage';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5);
const BESIDE = process.env['BENCH_BESIDE'] ?? '';
const GOAL_RATIO = 4;
const CONNECTIONS = 8;
const SIZES = {
  organisations: 20,
  agents: 60,
  phoneNumbers: 500,
  calls: 20_000,
  callsWithRecords: 10,
  contacts: 100,
  campaignContacts: 100,
  auditEntries: 100,
  others: 100,
};

interface Case {
  readonly name: string;
  readonly key: string;
  readonly path: string;
}

interface Cost {
  readonly perSecond: number;
  readonly apiMs: number;
  readonly postgresMs: number;
}

async function main(): Promise<void> {
  const before = loadavg()[0];
  const api = await ApiUnderTest.start(SIZES);
  try {
    const keyOf = (agents: number): Promise<string> =>
      api.asOwner((owner, secrets) => organisationWith(owner, secrets, agents));
    const cases: readonly Case[] = [
      { name: 'page of 20 calls', key: api.key, path: '/phone/calls?limit=20' },
      { name: 'list of 3 agents', key: await keyOf(3), path: '/phone' },
      { name: 'list of 780 agents', key: await keyOf(780), path: '/phone' },
    ];
    const beside = BESIDE === '' ? null : await api.startBeside(BESIDE, besideOptions());
    const measured: Record<string, object> = {};
    for (const one of cases) {
      const rounds: { readonly here: Cost; readonly there: Cost | null; readonly unchanged: Cost }[] = [];
      const tag = await tagOf(api.url, one);
      for (let round = 0; round <= ROUNDS; round += 1) {
        const there = beside === null ? null : await cost(api, { ...beside, one });
        const here = await cost(api, { url: api.url, pid: api.pid, one });
        const unchanged = await cost(api, { url: api.url, pid: api.pid, one, tag });
        // The first is for warming up.
        if (round > 0) rounds.push({ here, there, unchanged });
      }
      measured[one.name] = {
        here: medians(rounds.map(({ here }) => here)),
        notModified: medians(rounds.map(({ unchanged }) => unchanged)),
        ...(beside === null ? {} : compared(rounds.map(({ here, there }) => ({ here, there: there! })))),
      };
    }
    const ratios = Object.values(measured).map((of) => (of as { ratio?: number }).ratio ?? Infinity);
    const passed = ratios.every((ratio) => ratio >= GOAL_RATIO);
    const load = { before, after: loadavg()[0] };
    process.stdout.write(
      `${JSON.stringify({ bench: 'lists', ...measured, goalRatio: GOAL_RATIO, cores: cpus().length, load, passed })}\n`,
    );
    if (!passed) process.exitCode = 1;
  } finally {
    await api.stop();
  }
}

function besideOptions(): Parameters<ApiUnderTest['startBeside']>[1] {
  const flags = process.env['BENCH_BESIDE_FLAGS']?.split(' ').filter((flag) => flag !== '');
  return { owner: process.env['BENCH_BESIDE_OWNER'] === '1', ...(flags === undefined ? {} : { flags }) };
}

/** Answers its key. */
async function organisationWith(owner: DataSource, secrets: SecretBox, agents: number): Promise<string> {
  const { id: orgId } = await new OrganisationRepository(owner).create({ name: `${agents} agents` });
  await owner.query(
    `INSERT INTO agents (id, org_id, name, first_message, instructions, stt_keyterms)
     SELECT gen_random_uuid(), $1, 'Agent ' || i, 'Hi, thanks for calling! How can I help you today?',
       ARRAY['You answer calls of a shop that sells bicycles.', 'Be brief, and never promise a price.'], ARRAY['derailleur']
     FROM generate_series(1, $2) AS i`,
    [orgId, agents],
  );
  await owner.query('ANALYZE agents');
  return (await new ApiKeyRepository(owner, secrets).create({ orgId, name: 'bench', scopes: ['full'] })).key;
}

async function tagOf(url: string, { key, path }: Case): Promise<string> {
  const { headers } = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return headers.get('etag') ?? '';
}

interface Asked {
  readonly url: string;
  readonly pid: number;
  readonly one: Case;
  readonly tag?: string;
}

async function cost(api: ApiUnderTest, { url, pid, one, tag }: Asked): Promise<Cost> {
  const headers = tag === undefined ? {} : { 'if-none-match': tag };
  const load = new HttpLoad(url, { authorization: `Bearer ${one.key}`, ...headers });
  const request: HttpRequest = { kind: 'read', method: 'GET', path: one.path };
  const [apiBefore, postgresBefore] = [usageOf(pid).cpuSeconds, api.usage().postgres];
  const { perSecond, answered } = await load.saturated(() => request, CONNECTIONS, SECONDS);
  const msEach = (seconds: number): number => (seconds * 1000) / answered;
  return {
    perSecond,
    apiMs: msEach(usageOf(pid).cpuSeconds - apiBefore),
    postgresMs: msEach(api.usage().postgres - postgresBefore),
  };
}

function medians(costs: readonly Cost[]): object {
  const of = (name: keyof Cost): number => median(costs.map((cost) => cost[name]));
  return {
    perSecond: Math.round(of('perSecond')),
    apiMs: hundredths(of('apiMs')),
    postgresMs: hundredths(of('postgresMs')),
  };
}

function compared(pairs: readonly { readonly here: Cost; readonly there: Cost }[]): object {
  const ratio = (of: (cost: Cost) => number): number =>
    hundredths(median(pairs.map(({ here, there }) => of(there) / of(here))));
  return {
    there: medians(pairs.map(({ there }) => there)),
    ratio: ratio(({ apiMs }) => apiMs),
    ratioPerSecond: ratio(({ perSecond }) => 1 / perSecond),
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

void main();
