import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallEvent, StateEvent } from '../../../contract/events';
import { EventSink } from '../../../media-node/event-sink';
import { EventSpool } from '../../../media-node/event-spool';
import { createLogger } from '../../../ops/logger';

const logger = createLogger({ name: 'test', level: 'silent' });
const note = (callId: string, seq: number): CallEvent => ({
  callId,
  orgId: 'org',
  seq,
  atMs: 1_000 + seq,
  type: 'note',
  note: 'n',
});
const key = ({ callId, seq }: CallEvent): string => `${callId}/${seq}`;

class FakeStore {
  readonly stored: CallEvent[] = [];
  readonly batches: number[] = [];
  away = false;
  /** Batches until it goes away by itself. */
  takes = Number.POSITIVE_INFINITY;
  rejects = (_event: CallEvent): boolean => false;

  insertBatch(events: readonly CallEvent[]): Promise<{ rejected: CallEvent[] }> {
    if (this.away || this.takes === 0) return Promise.reject(new Error('connection refused'));
    this.takes--;
    this.batches.push(events.length);
    const rejected = events.filter((event) => this.rejects(event));
    for (const event of events) {
      if (rejected.includes(event)) continue;
      // ON CONFLICT DO NOTHING
      if (!this.stored.some((known) => key(known) === key(event))) this.stored.push(event);
    }
    return Promise.resolve({ rejected });
  }
}

let folder: string;
let store: FakeStore;
let sinks: EventSink[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-spool-'));
  store = new FakeStore();
  sinks = [];
});

afterEach(async () => {
  for (const sink of sinks) await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

function newSink(bootId = 'boot', onStateEvent?: (event: StateEvent) => void): EventSink {
  const sink = new EventSink({
    store,
    spool: new EventSpool(folder, { bootId, maxFileBytes: 2_000 }),
    logger,
    batchMs: 5,
    retryMs: 10,
    ...(onStateEvent === undefined ? {} : { onStateEvent }),
  });
  sinks.push(sink);
  return sink;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

test('events are written together', async () => {
  const sink = newSink();
  for (let seq = 1; seq <= 20; seq++) sink.report(note('c', seq));
  await sink.flush('c', 1_000);
  expect(store.stored).toHaveLength(20);
  expect(store.batches).toEqual([20]);
  // Nothing of it is left to wait for.
  store.away = true;
  await sink.flush('c', 60_000);
});

test('a flush waits for its call alone, and for what is not stored in time no longer than asked', async () => {
  const sink = newSink();
  expect(await sink.flush('unknown', 60_000)).toBe(true);
  store.away = true;
  sink.report(note('c', 1));
  const startedAtMs = performance.now();
  expect(await sink.flush('c', 50)).toBe(false);
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  expect(store.stored).toHaveLength(0);
});

test('a flush says whether its events are stored: those that no table can hold are not', async () => {
  const sink = newSink();
  sink.report(note('c', 1));
  expect(await sink.flush('c', 60_000)).toBe(true);
  store.rejects = (event) => event.callId === 'broken';
  sink.report(note('broken', 1));
  sink.report(note('c', 2));
  expect(await Promise.all([sink.flush('broken', 60_000), sink.flush('c', 60_000)])).toEqual([false, true]);
});

test('while PostgreSQL is away events go to files that only the owner can read, and from there into it', async () => {
  const sink = newSink();
  store.away = true;
  for (let seq = 1; seq <= 100; seq++) sink.report(note('c', seq));
  await until(() => readdirSync(folder).length > 0);
  const [file = ''] = readdirSync(folder);
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  for (let seq = 101; seq <= 110; seq++) sink.report(note('c', seq));
  store.away = false;
  await until(() => store.stored.length === 110);
  await until(() => readdirSync(folder).length === 0);
  await sink.flush('c', 60_000);
});

test('the events of a call are stored in their order: the spooled ones before those that were reported since', async () => {
  const sink = newSink();
  store.away = true;
  for (let seq = 1; seq <= 100; seq++) sink.report(note('c', seq));
  await until(() => readdirSync(folder).length > 0);
  for (let seq = 101; seq <= 110; seq++) sink.report(note('c', seq));
  store.away = false;
  await until(() => store.stored.length === 110);
  expect(store.stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 110 }, (_, n) => n + 1));
});

test('a file that PostgreSQL took in pieces, going away in between, counts once: a flush waits for all of it', async () => {
  const sink = newSink();
  store.away = true;
  for (let seq = 1; seq <= 1_800; seq++) sink.report(note('c', seq));
  await until(() => readdirSync(folder).length > 0);
  let atFlush = 0;
  void sink.flush('c', 60_000).then(() => (atFlush = store.stored.length));
  store.away = false;
  for (let n = 0; n < 10 && atFlush === 0; n++) {
    store.takes = 1;
    await until(() => store.takes === 0 || atFlush > 0);
  }
  expect(atFlush).toBe(1_800);
  store.away = true;
  await sink.flush('c', 60_000);
});

test('a file that cannot be read holds up neither the other ones nor what is reported', async () => {
  const sink = newSink();
  store.away = true;
  sink.report(note('a', 1));
  await until(() => readdirSync(folder).length === 1);
  const [unreadable = ''] = readdirSync(folder);
  rmSync(join(folder, unreadable));
  mkdirSync(join(folder, unreadable));
  sink.report(note('b', 1));
  await until(() => readdirSync(folder).length === 2);
  store.away = false;
  sink.report(note('c', 1));
  await until(() => store.stored.length === 2);
  expect(store.stored.map(key)).toEqual(['b/1', 'c/1']);
  await until(() => readdirSync(folder).length === 1);
});

test('a folder that is gone holds up nothing', async () => {
  const sink = newSink();
  store.away = true;
  sink.report(note('a', 1));
  await until(() => readdirSync(folder).length === 1);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  store.away = false;
  sink.report(note('b', 1));
  await until(() => store.stored.length === 1);
  expect(store.stored.map(key)).toEqual(['b/1']);
});

test('a restarted node empties what its earlier boot left, a line that was cut off excepted', async () => {
  const lines = [1, 2, 3].map((seq) => JSON.stringify(note('old', seq)));
  writeFileSync(join(folder, 'earlier-000000.events.jsonl'), `${lines.join('\n')}\n{"callId":"old","se`);
  newSink('later').start();
  await until(() => store.stored.length === 3);
  await until(() => readdirSync(folder).length === 0);
});

test('of what an earlier boot left one file that cannot be read holds up none of the others', async () => {
  mkdirSync(join(folder, 'earlier-000000.events.jsonl'));
  writeFileSync(join(folder, 'earlier-000001.events.jsonl'), `${JSON.stringify(note('old', 1))}\n`);
  newSink('later').start();
  await until(() => store.stored.length === 1);
  await until(() => readdirSync(folder).length === 1);
});

test('what is not stored at the end of the process is in the spool', async () => {
  const sink = newSink();
  store.away = true;
  sink.report(note('c', 1));
  await sink.close();
  store.away = false;
  newSink('next').start();
  await until(() => store.stored.length === 1);
});

test('state events are handed on at once, in their order', () => {
  const seen: number[] = [];
  const sink = newSink('boot', ({ seq }) => seen.push(seq));
  sink.report(note('c', 1));
  sink.report({ callId: 'c', orgId: 'org', seq: 2, atMs: 1, type: 'answered', sipCallId: 's', postDialDelayMs: null });
  expect(seen).toEqual([2]);
});

test('a spool file that cannot be written to is left for another one, its half-written line with it', async () => {
  const spool = new EventSpool(folder, { bootId: 'boot' });
  await spool.append([note('c', 1)]);
  const [first = ''] = await spool.files('own');
  rmSync(first);
  mkdirSync(first);
  await expect(spool.append([note('c', 2)])).rejects.toThrow();
  await spool.append([note('c', 2)]);
  rmSync(first, { recursive: true });
  const [second = ''] = await spool.files('own');
  expect(second).not.toBe(first);
  expect((await spool.read(second)).events.map(key)).toEqual(['c/2']);
});

test('without PostgreSQL and without a disk memory stays bounded, and nobody waits for what was given up', async () => {
  const sink = new EventSink({
    store,
    spool: new EventSpool('/dev/null/nowhere', { bootId: 'boot' }),
    logger,
    batchMs: 5,
    retryMs: 10,
    maxBuffered: 10,
  });
  sinks.push(sink);
  store.away = true;
  for (let seq = 1; seq <= 30; seq++) sink.report(note(`call-${seq}`, 1));
  const kept = Array.from({ length: 10 }, (_, n) => `call-${n + 21}`);
  let keptWait = true;
  void Promise.race(kept.map((callId) => sink.flush(callId, 60_000))).then(() => (keptWait = false));
  for (let n = 1; n <= 20; n++) await sink.flush(`call-${n}`, 60_000);
  expect(keptWait).toBe(true);
  store.away = false;
  for (const callId of kept) await sink.flush(callId, 60_000);
  expect(store.stored.map(({ callId }) => callId)).toEqual(kept);
});
