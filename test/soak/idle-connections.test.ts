/**
 * Thousands of TCP connections that say nothing, half a message, or one message and nothing more, while peers of both
 * transports call: the table stays within its limits, nobody waits, new peers get in, and nothing is kept.
 * `SOAK_CONNECTIONS` changes how many.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { percentiles } from '../../bench/percentiles';
import { IdleConnections } from '../support/live/idle-connections';
import { LiveStack } from '../support/live/live-stack';
import { askOptions } from '../support/live/options';
import type { Phone } from '../support/phone/phone';
import { connectionsAt, resourcesOf } from '../support/process-resources';
import { waitFor } from '../support/wait-for';

const CONNECTIONS = Number(process.env['SOAK_CONNECTIONS'] ?? 5_000);
const OPENED_PER_SECOND = 200;
/** After the last has come. A message has 10 s to be complete. */
const STAND_MS = 20_000;
/** Of all and of one address, as docs/operations.md has them. */
const LIMIT = 2_000;
const LIMIT_OF_ONE = 500;
const CROWDED = '127.0.0.2';
const OTHERS = Array.from({ length: 9 }, (_, n) => `127.0.0.${n + 3}`);
const CALL_EVERY_MS = 1_000;
const TALK_MS = 2_500;
const ASK_EVERY_MS = 200;
/** Connections to PostgreSQL and Temporal come and go. */
const POOLED_SOCKETS = 6;
/** 12 KB for each would be as much. */
const KEPT_MB = 60;

const onLinux = process.platform === 'linux';

(onLinux ? describe : describe.skip)(`${CONNECTIONS} idle connections`, () => {
  let live: LiveStack;
  let idle: IdleConnections;
  let udp: Phone;
  let tcp: Phone;

  beforeAll(async () => {
    live = await LiveStack.start();
    const { sipHost, sipPort } = live.stack;
    idle = new IdleConnections({ address: sipHost, port: sipPort });
    udp = live.calls.phone;
    tcp = await live.calls.newPhone('tcp');
  }, 90_000);

  afterAll(async () => {
    idle?.close();
    await live?.close();
  }, 60_000);

  it(
    'nobody else notices, and nothing is left of them',
    async () => {
      const { calls, stack } = live;
      const pid = stack.pid('media');
      for (const phone of [udp, tcp]) await talk(phone);
      await live.untilNothingIsOpen();
      const before = resourcesOf(pid);

      const over = new AbortController();
      const table = watchTable(pid, over.signal);
      const asked = [udp, tcp].map((phone) => ask(phone, over.signal));
      const called = call(over.signal);
      await Promise.all([
        idle.open(CONNECTIONS * 0.3, [CROWDED], OPENED_PER_SECOND * 0.3),
        idle.open(CONNECTIONS * 0.7, OTHERS, OPENED_PER_SECOND * 0.7),
      ]);
      const arrived = idle.counts;
      await sleep(STAND_MS);
      const stood = idle.counts;
      over.abort();
      const newcomers = await called;
      const { most, mostOfOne } = await table;
      const answers = (await Promise.all(asked)).flat();
      const audio = await calls.audioProblems();
      const wrong = await calls.wrongRecords();
      await live.untilNothingIsOpen();

      idle.close();
      for (const phone of newcomers) phone.close();
      await waitFor('the end of the connections', 5_000, () =>
        sumOf(connectionsAt(pid, stack.sipPort)) <= 1 ? true : undefined,
      );
      await sleep(2_000);
      const after = resourcesOf(pid);
      const optionsMs = percentiles(answers.map(({ ms }) => ms));
      const counts = { placed: calls.all.length, newPeers: newcomers.length, wrong, audio };
      const line = { arrived, stood, most, mostOfOne, calls: counts, optionsMs, before, after };
      process.stdout.write(`idle connections: ${JSON.stringify(line)}\n`);

      expect(arrived.opened + arrived.refused).toBe(CONNECTIONS);
      expect({ audio, wrong }).toEqual({ audio: [], wrong: [] });
      expect(newcomers.length).toBeGreaterThan(0);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(most).toBeLessThanOrEqual(LIMIT);
      expect(mostOfOne).toBeLessThanOrEqual(LIMIT_OF_ONE);
      // Who does not end a message within its time is gone, who has ended one may stay where there is room.
      expect(stood.open).toMatchObject({ silent: 0, half: 0 });
      expect(stood.open.spoken).toBeGreaterThan(0);
      expect(after.udpSockets).toBe(before.udpSockets);
      expect(after.tcpSockets).toBeLessThanOrEqual(before.tcpSockets + POOLED_SOCKETS);
      expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + POOLED_SOCKETS);
      expect(after.residentMb - before.residentMb).toBeLessThan(KEPT_MB);
    },
    5 * 60_000,
  );

  /** Until told to stop: a call a second, of known peers and of new ones in turn. The new ones. */
  async function call(signal: AbortSignal): Promise<Phone[]> {
    const newcomers: Phone[] = [];
    const talks: Promise<void>[] = [];
    for (let n = 0; !signal.aborted; n++) {
      const newcomer = n % 4 < 2 ? undefined : await live.calls.newPhone(n % 4 === 2 ? 'udp' : 'tcp');
      if (newcomer !== undefined) newcomers.push(newcomer);
      talks.push(talk(newcomer ?? (n % 4 === 0 ? udp : tcp)));
      await sleep(CALL_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(talks);
    return newcomers;
  }

  async function talk(phone: Phone): Promise<void> {
    const placed = await live.calls.call({ phone });
    await sleep(TALK_MS);
    expect(await live.calls.hangUpByPhone([placed])).toEqual([200]);
  }

  /** How long each answer took. */
  async function ask(phone: Phone, signal: AbortSignal): Promise<{ status: number; ms: number }[]> {
    const answers: { status: number; ms: number }[] = [];
    while (!signal.aborted) {
      const askedMs = performance.now();
      const { status } = await askOptions(phone);
      answers.push({ status, ms: performance.now() - askedMs });
      await sleep(ASK_EVERY_MS);
    }
    return answers;
  }

  /** The most that the node held at once, of all and of one address. */
  async function watchTable(pid: number, signal: AbortSignal): Promise<{ most: number; mostOfOne: number }> {
    let most = 0;
    let mostOfOne = 0;
    while (!signal.aborted) {
      const byPeer = connectionsAt(pid, live.stack.sipPort);
      most = Math.max(most, sumOf(byPeer));
      mostOfOne = Math.max(mostOfOne, ...byPeer.values());
      await sleep(500);
    }
    return { most, mostOfOne };
  }
});

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
