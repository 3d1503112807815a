/**
 * `npm run bench:import`: a list of contacts as CSV into a campaign of the built API on an embedded PostgreSQL, twice: seconds,
 * the API's memory above what it had before, and what is asked of the full campaign. `BENCH_ROWS` (1,000,000). Linux only.
 * Prints one JSON line.
 */
import { cpus, loadavg } from 'node:os';
import { Readable } from 'node:stream';

import type { TableSizes } from '../test/support/filled-tables';
import { ApiUnderTest } from './api-under-test';
import { percentiles } from './percentiles';

const ROWS = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const GOALS = { seconds: 60, grownMb: 300, statsP99Ms: 50 };
const ROWS_PER_PIECE = 500;
const SAMPLE_MS = 100;
const QUESTIONS = 50;
const EMPTY: TableSizes = {
  organisations: 2,
  agents: 0,
  phoneNumbers: 0,
  calls: 0,
  callsWithRecords: 0,
  contacts: 0,
  campaignContacts: 0,
  auditEntries: 0,
  others: 0,
};
const AREA_CODES = [202, 212, 305, 312, 404, 415, 512, 602, 702, 808];

interface Imported {
  readonly accepted: number;
  readonly duplicates: number;
}

/** Sold lists are full of umlauts, commas and empty fields too. */
function* csv(rows: number): Generator<Buffer> {
  yield Buffer.from('phone_number,name,time_zone,consent_id,priority,city,plan\r\n');
  for (let from = 0; from < rows; from += ROWS_PER_PIECE) {
    const lines = Array.from({ length: Math.min(ROWS_PER_PIECE, rows - from) }, (_, n) => rowOf(from + n));
    yield Buffer.from(lines.join(''));
  }
}

function rowOf(n: number): string {
  const number = `+1${AREA_CODES[n % AREA_CODES.length]}${2_000_000 + Math.floor(n / AREA_CODES.length)}`;
  const zone = n % 3 === 0 ? 'America/Chicago' : '';
  return `${number},"Müller, Jürgen ${n}",${zone},consent-${n},${n % 5},"São ""Paulo""",${n % 2 === 0 ? 'gold' : ''}\r\n`;
}

async function main(): Promise<void> {
  const api = await ApiUnderTest.start(EMPTY);
  try {
    const authorization = `Bearer ${api.key}`;
    const post = async (path: string, body: object): Promise<{ id: string }> => {
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await fetch(api.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await answer.json()) as { id: string };
    };
    const agent = await post('/phone', { name: 'Bench' });
    const { id } = await post('/phone/campaigns', { name: 'Bench', phone_agent_id: agent.id });
    const path = `/phone/campaigns/${id}`;
    const upload = async (): Promise<Imported & { seconds: number; grownMb: number }> => {
      const before = api.rssBytes;
      let most = before;
      const sampling = setInterval(() => (most = Math.max(most, api.rssBytes)), SAMPLE_MS);
      const began = performance.now();
      const answer = await fetch(`${api.url}${path}/contacts`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'text/csv' },
        body: Readable.toWeb(Readable.from(csv(ROWS))) as ReadableStream,
        duplex: 'half',
      } as RequestInit);
      const body = (await answer.json()) as Imported;
      clearInterval(sampling);
      if (!answer.ok) throw new Error(JSON.stringify(body));
      const seconds = (performance.now() - began) / 1000;
      const { accepted, duplicates } = body;
      return { accepted, duplicates, seconds: round(seconds), grownMb: round((most - before) / 1e6) };
    };
    const usedBefore = api.usage();
    const first = await upload();
    const used = api.usage();
    const again = await upload();
    const stats = await timesOf(() => api.get(`${path}/stats`));
    const list = await timesOf(() => api.get(`${path}/contacts?limit=100&state=pending`));
    const previewMs = await took(() => post(`${path}/preview`, {}));
    const reportMs = await took(async () => {
      const report = await fetch(`${api.url}${path}/report.csv`, { headers: { authorization } });
      for await (const _ of report.body as unknown as AsyncIterable<Uint8Array>) continue;
    });
    const complete = first.accepted === ROWS && again.duplicates === ROWS;
    const fast = first.seconds < GOALS.seconds && first.grownMb < GOALS.grownMb && again.grownMb < GOALS.grownMb;
    const passed = complete && fast && stats.p99 < GOALS.statsP99Ms;
    const figures = {
      bench: 'import',
      rows: ROWS,
      first,
      again,
      cpuSeconds: { api: round(used.api - usedBefore.api), postgres: round(used.postgres - usedBefore.postgres) },
      statsMs: stats,
      listMs: list,
      previewMs,
      reportMs,
      goals: GOALS,
      cores: cpus().length,
      loadAverage: loadavg()[0],
      passed,
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    if (!passed) process.exitCode = 1;
  } finally {
    await api.stop();
  }
}

const round = (value: number): number => Math.round(value * 10) / 10;

async function took(ask: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await ask();
  return Math.round(performance.now() - began);
}

async function timesOf(ask: () => Promise<unknown>): Promise<ReturnType<typeof percentiles>> {
  const times: number[] = [];
  for (let n = 0; n < QUESTIONS; n += 1) {
    const began = performance.now();
    if ((await ask()) === null) throw new Error('a question was not answered');
    times.push(performance.now() - began);
  }
  return percentiles(times);
}

void main();
