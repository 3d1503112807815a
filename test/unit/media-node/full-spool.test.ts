/** The disk of the spool is full while PostgreSQL is away: events wait in memory, and what is lost is said. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import type * as FileSystem from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { CallEvent } from '../../../contract/events';
import { EventSink } from '../../../media-node/event-sink';
import { EventSpool } from '../../../media-node/event-spool';
import { createLogger } from '../../../ops/logger';

/** Takes some of what is written, as a disk does whose room ends in the middle of it. */
const mockDisk = { full: false, room: 0, refused: 0 };

jest.mock('node:fs/promises', () => {
  const fs = jest.requireActual<typeof FileSystem>('node:fs/promises');
  return {
    ...fs,
    appendFile: async (file: string, lines: Buffer, options: object) => {
      if (!mockDisk.full || lines.length <= mockDisk.room) return fs.appendFile(file, lines, options);
      await fs.appendFile(file, lines.subarray(0, lines.length - 10), options);
      mockDisk.refused++;
      throw new Error('ENOSPC: no space left on device');
    },
  };
});

const note = (seq: number): CallEvent => ({ callId: 'c', orgId: 'org', seq, atMs: seq, type: 'note', note: 'n' });

let folder: string;
let open: EventSink | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-spool-'));
});

afterEach(async () => {
  await open?.close();
  open = undefined;
  rmSync(folder, { recursive: true, force: true });
  mockDisk.full = false;
  mockDisk.room = 0;
});

class WatchedSpool extends EventSpool {
  /** How many events each write had. */
  readonly appended: number[] = [];

  override append(events: readonly CallEvent[]): Promise<void> {
    if (events.length > 0) this.appended.push(events.length);
    return super.append(events);
  }
}

function setUp(maxBuffered: number, settledMs = 0) {
  mockDisk.full = true;
  const spool = new WatchedSpool(folder, { bootId: 'boot' });
  const lines: { msg: string; lost?: number; err?: { message: string } }[] = [];
  const postgres = { away: true, stored: [] as number[] };
  const sink = new EventSink({
    spool,
    store: {
      insertBatch: (events) => {
        if (postgres.away) return Promise.reject(new Error('connection refused'));
        postgres.stored.push(...events.map(({ seq }) => seq));
        return Promise.resolve({ rejected: [] });
      },
    },
    logger: createLogger({
      name: 'test',
      level: 'info',
      destination: { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) },
    }),
    batchMs: 5,
    retryMs: 40,
    maxBuffered,
    settledMs,
  });
  open = sink;
  const said = (pattern: RegExp) => lines.filter(({ msg }) => pattern.test(msg));
  return { spool, sink, postgres, said };
}

function spooledBytes(): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i++) await pause(5);
  expect(condition()).toBe(true);
}

test('it is said when it begins and when it is over, not at every try; nothing is lost while there is memory', async () => {
  const { sink, spool, postgres, said } = setUp(1_000);
  for (let seq = 1; seq <= 100; seq++) sink.report(note(seq));
  await until(() => spool.appended.length >= 5);
  expect(said(/could not be kept in a file/)).toHaveLength(1);
  expect(said(/could not be kept in a file/)[0]?.err?.message).toMatch(/ENOSPC/);
  mockDisk.full = false;
  await until(() => said(/kept in files again/).length === 1);
  postgres.away = false;
  await until(() => postgres.stored.length === 100);
  expect(postgres.stored).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  expect(said(/lost/)).toEqual([]);
});

test('a disk that takes a little now and then is one trouble, not one each time', async () => {
  const { sink, said } = setUp(1_000, 60_000);
  for (let round = 0; round < 3; round++) {
    mockDisk.room = 0;
    const { refused } = mockDisk;
    sink.report(note(round));
    await until(() => mockDisk.refused > refused);
    mockDisk.room = 10_000;
    const size = spooledBytes();
    await until(() => spooledBytes() > size);
  }
  expect(said(/could not be kept in a file/)).toHaveLength(1);
  expect(said(/kept in files again/)).toEqual([]);
});

test('beyond what memory may hold the oldest are lost, counted, and the disk is not tried for every new one', async () => {
  const { sink, spool, postgres, said } = setUp(100);
  for (let seq = 1; seq <= 130; seq++) sink.report(note(seq));
  await until(() => said(/events are lost/).length === 1);
  const tried = spool.appended.length;
  for (let seq = 131; seq <= 150; seq++) {
    sink.report(note(seq));
    await pause(1);
  }
  expect(spool.appended.length - tried).toBeLessThan(10);
  await until(() => said(/events are lost/).reduce((sum, { lost = 0 }) => sum + lost, 0) === 50);
  postgres.away = false;
  await until(() => postgres.stored.length === 100);
  expect(postgres.stored[0]).toBe(51);
  expect(said(/stored again/)).toMatchObject([{ lost: 50 }]);
});

test('what waits goes to the disk in pieces, as few as it takes to find it full', async () => {
  const { sink, spool } = setUp(10_000);
  for (let seq = 1; seq <= 4_000; seq++) sink.report(note(seq));
  await until(() => spool.appended.length >= 3);
  expect(Math.max(...spool.appended)).toBeLessThanOrEqual(500);
});

test('what neither PostgreSQL nor the disk has taken when the process ends is lost, and said to be', async () => {
  const { sink, said } = setUp(1_000);
  for (let seq = 1; seq <= 7; seq++) sink.report(note(seq));
  await sink.close();
  expect(said(/events are lost/)).toMatchObject([{ lost: 7 }]);
});

test('room that a write took before it was cut off is given back, however often it is tried', async () => {
  const spool = new EventSpool(folder, { bootId: 'boot' });
  await spool.append([note(1)]);
  const file = join(folder, readdirSync(folder)[0] ?? '');
  const { size } = statSync(file);
  mockDisk.full = true;
  for (let n = 0; n < 3; n++) await expect(spool.append([note(2), note(3)])).rejects.toThrow(/ENOSPC/);
  expect(readdirSync(folder).map((name) => statSync(join(folder, name)).size)).toEqual([size]);
  mockDisk.full = false;
  await spool.append([note(2)]);
  expect((await spool.read(file)).events.map(({ seq }) => seq)).toEqual([1, 2]);
  await spool.remove(file);

  mockDisk.full = true;
  for (let n = 0; n < 3; n++) await expect(spool.append([note(3)])).rejects.toThrow(/ENOSPC/);
  expect(readdirSync(folder)).toEqual([]);
});
