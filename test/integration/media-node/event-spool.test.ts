import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { EventSink } from '../../../media-node/event-sink';
import { EventSpool } from '../../../media-node/event-spool';
import { createLogger } from '../../../ops/logger';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { EventRepository } from '../../../store/repositories/event-repository';
import { waitFor } from '../../support/wait-for';
import { TcpRelay } from '../../support/tcp-relay';
import { nodeEvent, openStore } from '../store/store-fixture';
import type { StoreFixture } from '../store/store-fixture';

/** Together 1,000 events a second: more than a full node reports. */
const CALLS = 20;
const TICK_MS = 20;

interface LiveCall {
  readonly id: string;
  readonly orgId: string;
  lastSeq: number;
}

let store: StoreFixture;
let relay: TcpRelay;
let behindRelay: DataSource;
let folder: string;
let sink: EventSink;
let calls: LiveCall[];
let talking: NodeJS.Timeout;

beforeAll(async () => {
  store = await openStore();
  const url = new URL(store.url);
  relay = await TcpRelay.start({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(relay.port);
  behindRelay = createDataSource({ url: url.toString(), onPoolError: () => undefined });
  await behindRelay.initialize();
  folder = mkdtempSync(join(tmpdir(), 'trunkline-spool-'));
  sink = new EventSink({
    store: new EventRepository(behindRelay, store.secrets),
    spool: new EventSpool(folder, { bootId: uuidV7(), maxFileBytes: 150_000 }),
    logger: createLogger({ name: 'test', level: 'silent' }),
    writeLimitMs: 600,
  });
  const orgId = await store.newOrg();
  calls = Array.from({ length: CALLS }, () => ({ id: uuidV7(), orgId, lastSeq: 0 }));
  sink.start();
  talking = setInterval(() => {
    for (const call of calls) report(call);
  }, TICK_MS);
});

afterAll(async () => {
  clearInterval(talking);
  await sink.close();
  await relay.close();
  await behindRelay.destroy();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function report(call: LiveCall): void {
  const seq = ++call.lastSeq;
  const turn = { index: seq, speaker: 'caller', text: `Sentence ${seq}.`, startMs: seq, endMs: seq } as const;
  sink.report(
    nodeEvent(call, seq, seq % 10 === 0 ? { type: 'turn', turn: { ...turn, interruptedAtMs: null } } : note(seq)),
  );
}

const note = (seq: number) => ({ type: 'note', note: `note ${seq} `.padEnd(100, '.') }) as const;

const onDisk = (): number =>
  readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name), 'utf8').split('\n').length - 1, 0);

/** Per call, as anybody may read it at this moment: how many events, and the highest number. */
async function stored(): Promise<ReadonlyMap<string, { readonly count: number; readonly last: number }>> {
  const rows: { id: string; count: number; last: number }[] = await store.dataSource.query(
    `SELECT call_id AS id, count(*)::int AS count, max(seq) AS last FROM call_events GROUP BY call_id`,
  );
  return new Map(rows.map(({ id, count, last }) => [id, { count, last }]));
}

/** PostgreSQL is away until `events` of them are in files. */
async function untilSpooled(events: number): Promise<void> {
  await waitFor(`${events} spooled events`, 20_000, async () => {
    await sleep(200);
    const inPostgres = [...(await stored()).values()].reduce((sum, { count }) => sum + count, 0);
    const written = onDisk();
    const inMemory = calls.reduce((sum, { lastSeq }) => sum + lastSeq, 0) - inPostgres - written;
    // A second goes by between two looks for PostgreSQL, and the time of a write to one that says nothing.
    expect(inMemory).toBeLessThan(3 * (1_000 / TICK_MS) * CALLS);
    return written >= events ? true : undefined;
  });
}

test('thousands of events of live calls come through two outages in order, without gaps, none of them twice', async () => {
  let reading = true;
  let reads = 0;
  const gaps: string[] = [];
  const reader = (async () => {
    for (; reading; reads++) {
      for (const [id, { count, last }] of await stored()) if (count !== last) gaps.push(`${id}: ${count} of ${last}`);
      await sleep(10);
    }
  })();
  await waitFor('the first events', 3_000, async () => ((await stored()).size === CALLS ? true : undefined));

  await relay.vanish();
  await untilSpooled(3_000);
  expect(readdirSync(folder).length).toBeGreaterThan(2);
  await relay.comeBack();
  await waitFor('the empty spool', 10_000, () => (readdirSync(folder).length === 0 ? true : undefined));

  relay.fallSilent();
  await untilSpooled(2_000);
  await relay.comeBack();
  // The end of a call: what it had reported is in PostgreSQL when its flush says so, and not only most of it.
  await Promise.all(
    calls.map(async (call) => {
      const reported = call.lastSeq;
      await sink.flush(call.id, 10_000);
      expect((await stored()).get(call.id)?.count).toBeGreaterThanOrEqual(reported);
    }),
  );

  clearInterval(talking);
  await Promise.all(calls.map(({ id }) => sink.flush(id, 5_000)));
  await waitFor('the empty folder', 5_000, () => (readdirSync(folder).length === 0 ? true : undefined));
  reading = false;
  await reader;
  const total = calls.reduce((sum, { lastSeq }) => sum + lastSeq, 0);
  expect(total).toBeGreaterThan(5_000);
  expect(await stored()).toEqual(new Map(calls.map(({ id, lastSeq }) => [id, { count: lastSeq, last: lastSeq }])));
  const [{ turns }] = await store.dataSource.query('SELECT count(*)::int AS turns FROM transcript_turns');
  expect(turns).toBe(calls.reduce((sum, { lastSeq }) => sum + Math.floor(lastSeq / 10), 0));
  expect(readdirSync(folder)).toEqual([]);
  expect(gaps).toEqual([]);
  expect(reads).toBeGreaterThan(50);
}, 60_000);
