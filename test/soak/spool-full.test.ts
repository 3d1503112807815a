/** The disk of the event spool is full while PostgreSQL is away: events have nowhere to go but memory. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { answered } from '../support/live/live-calls';
import { LiveStack } from '../support/live/live-stack';
import { askOptions } from '../support/live/options';
import { takeAway } from '../support/live/outage';
import { expectNothingLeft, tallyOf, warmUp } from '../support/live/tally';
import { SpoolDisk } from '../support/spool-disk';
import { waitFor } from '../support/wait-for';

const MINUTE_MS = 60_000;
const FULL_MS = Number(process.env['SOAK_FULL_SECONDS'] ?? 45) * 1000;
/** One after the other, so that a busy machine has them all answered. */
const WAVES = 4;
const WAVE = { inbound: 4, outbound: 3 };
const CALLS = WAVES * (WAVE.inbound + WAVE.outbound);
/** 5 s on a machine that has room for it (test/e2e/durability/disk-full.test.ts). */
const TOLD_WITHIN_MS = 20_000;
/** Until the node has looked for PostgreSQL and the disk again, and what it keeps is written. */
const WRITTEN_WITHIN_MS = 10_000;

interface Order {
  readonly first: 'disk' | 'postgres';
  readonly back: 'disk' | 'postgres';
}

describe('calls of both directions while PostgreSQL is away and the disk of the spool is full', () => {
  let dataDir: string;
  let disk: SpoolDisk;
  let live: LiveStack;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'trunkline-spool-full-'));
    disk = new SpoolDisk(dataDir);
    live = await LiveStack.start({ dataDir });
  }, 2 * MINUTE_MS);

  afterAll(async () => {
    await live?.close();
    disk?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }, MINUTE_MS);

  it.each<Order>([
    { first: 'disk', back: 'postgres' },
    { first: 'postgres', back: 'disk' },
  ])(
    'first the $first goes, and the $back is back first: no call and none of its events is lost',
    async ({ first, back }) => {
      const { calls, stack } = live;
      const before = await warmUp(live);
      const { bootId } = await live.nodeState();
      for (let n = 0; n < WAVES; n++) await calls.place(WAVE, n === 0 ? [] : calls.all);
      expect((await tallyOf(live)).rtpPorts).toBeGreaterThanOrEqual(calls.live.length);
      const short = await Promise.all([calls.call({ short: true }), calls.call({ short: true })]);
      const logged = stack.log.length;

      if (first === 'disk') disk.fill(stack);
      const comeBack = takeAway(stack, ['postgres'], 'gone');
      try {
        if (first === 'postgres') {
          await hangUp(2);
          await waitFor('events in files', WRITTEN_WITHIN_MS, () => (spooled() > 0 ? true : undefined));
          disk.fill(stack);
        }
        const fullMs = performance.now();
        await waitFor('the node to say so', TOLD_WITHIN_MS, refusesByName);
        await expectRefused();
        expect(new Set(await hangUp(6))).toEqual(new Set([200]));
        await sleep(FULL_MS / 2);
        await expectRefused();
        await expect(calls.callOut()).rejects.toThrow(/call: 503/);
        expect(new Set(await hangUp(4))).toEqual(new Set([200]));
        await sleep(Math.max(0, fullMs + FULL_MS - performance.now()));
        await expectRefused();
        expect(short.map(({ phone }) => phone.over)).toEqual([true, true]);
        for (const call of short) call.ending = answered('max_duration', 'system');
        if (back === 'disk') {
          disk.makeRoom(stack);
          await waitFor('events in files', WRITTEN_WITHIN_MS, () => (spooled() > 0 ? true : undefined));
        }
      } catch (error) {
        disk.makeRoom(stack);
        throw error;
      } finally {
        await comeBack();
      }
      if (back === 'postgres') {
        // The records need no disk of ours.
        expect(await calls.wrongRecords(MINUTE_MS)).toEqual([]);
        await expectRefused();
        disk.makeRoom(stack);
      }

      await stack.waitReady();
      await waitFor('a new call', 20_000, () => calls.call().catch(() => undefined));
      await waitFor('a new call out', 20_000, () => calls.callOut().catch(() => undefined));
      const gone = first === 'postgres' ? 12 : 10;
      expect(calls.live).toHaveLength(CALLS - gone + 2);
      await calls.hangUpByApi(calls.live.slice(0, 4), 30_000);
      await hangUp(calls.live.length);
      expect(await calls.audioProblems()).toEqual([]);
      expect(await calls.wrongRecords(40_000)).toEqual([]);
      await live.untilNothingIsOpen(MINUTE_MS);
      await waitFor('the empty spool', WRITTEN_WITHIN_MS, () => (spooled() === 0 ? true : undefined));
      expect(await live.nodeState()).toEqual({ bootId, lostBoots: [] });
      const log = stack.log.slice(logged);
      expect(log).toMatch(/"store":"spool".*"msg":"writes are refused/);
      expect(log.match(/"msg":"events could not be kept in a file/g)).toHaveLength(1);
      expect(log.match(/"msg":"events are stored again/g)).toHaveLength(1);
      expect(log).not.toMatch(/"msg":"(?:events are lost|uncaught exception|unhandled rejection)/);
      const title = `${disk.kind}: ${first} away first, ${back} back first`;
      await expectNothingLeft(live, title, before, { calls: calls.all.length, strays: 0 });

      async function expectRefused(): Promise<void> {
        const refused = await calls.refused();
        expect(refused).toMatchObject({ status: 503, rang: false });
        expect(Number(refused.retryAfter)).toBeGreaterThan(0);
        expect((await askOptions(calls.phone)).status).toBe(503);
        expect(await refusesByName()).toBe(true);
      }

      async function refusesByName(): Promise<true | undefined> {
        const answer = await fetch(`${stack.mediaUrl}/ready`, { signal: AbortSignal.timeout(3_000) });
        const told = (await answer.text()).includes('spool_refuses_writes');
        return answer.status === 503 && told ? true : undefined;
      }

      function hangUp(count: number): Promise<number[]> {
        return calls.hangUpByPhone(calls.live.filter(({ shortAgent }) => !shortAgent).slice(0, count));
      }

      function spooled(): number {
        const names = readdirSync(join(dataDir, 'spool'), { recursive: true }) as string[];
        return names.filter((name) => name.endsWith('.events.jsonl')).length;
      }
    },
    5 * MINUTE_MS,
  );
});
