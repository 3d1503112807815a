/** PostgreSQL and Temporal away at once, longer than anything waits for them, under live calls of both directions. */
import { setTimeout as sleep } from 'node:timers/promises';

import { answered } from '../support/live/live-calls';
import { SHORT_CALL_MS } from '../support/live/live-phones';
import { LiveStack } from '../support/live/live-stack';
import { askOptions } from '../support/live/options';
import { takeAway } from '../support/live/outage';
import { expectNothingLeft, tallyOf, warmUp } from '../support/live/tally';
import { waitFor } from '../support/wait-for';

const MINUTE_MS = 60_000;
const AWAY_MS = Number(process.env['SOAK_AWAY_SECONDS'] ?? 60) * 1000;
/** One after the other, so that a busy machine has them all answered. */
const WAVES = 4;
const WAVE = { inbound: 4, outbound: 3 };
const CALLS = WAVES * (WAVE.inbound + WAVE.outbound);
/** From then on peers are told before they try. */
const TOLD_AFTER_MS = 7_000;
const BETWEEN_TRIES_MS = 8_000;

describe('calls of both directions while PostgreSQL and Temporal are away', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 2 * MINUTE_MS);

  afterAll(async () => {
    await live?.close();
  }, MINUTE_MS);

  it.each([
    ['are gone', 'gone'],
    ['stand still', 'stop'],
  ] as const)(
    'both %s: calls go on and end, new ones are refused, and every call has one record and one ending',
    async (title, way) => {
      const { calls, stack } = live;
      const before = await warmUp(live);
      const { bootId } = await live.nodeState();
      for (let n = 0; n < WAVES; n++) await calls.place(WAVE, n === 0 ? [] : calls.all);
      expect((await tallyOf(live)).rtpPorts).toBeGreaterThanOrEqual(calls.live.length);
      // These end by themselves, at their limit, while nobody is there to hear of it.
      const short = await Promise.all([calls.call({ short: true }), calls.call({ short: true })]);
      const dialled = calls.carrier.invites.length;

      const awayMs = performance.now();
      const left = (): number => awayMs + AWAY_MS - performance.now();
      const comeBack = takeAway(stack, ['postgres', 'temporal'], way);
      let tries = 0;
      try {
        expect(new Set(await hangUp(6))).toEqual(new Set([200]));
        while (left() > 0) {
          await expectRefused();
          tries += 1;
          await sleep(Math.max(0, Math.min(BETWEEN_TRIES_MS, left())));
          if (tries === 3) expect(new Set(await hangUp(4))).toEqual(new Set([200]));
        }
        expect(tries).toBeGreaterThan(1);
        expect((await askOptions(calls.phone)).status).toBe(503);
        expect(await nodeReady()).toMatchObject({ status: 503, text: expect.stringMatching('temporal_unreachable') });
        await expect(calls.callOut()).rejects.toThrow(/call: 503/);
        expect(awayMs + SHORT_CALL_MS).toBeLessThan(performance.now());
        expect(short.map(({ phone }) => phone.over)).toEqual([true, true]);
        for (const call of short) call.ending = answered('max_duration', 'system');
      } finally {
        await comeBack();
      }

      await stack.waitReady();
      await waitFor('a new call', 20_000, () => calls.call().catch(() => undefined));
      await waitFor('a new call out', 20_000, () => calls.callOut().catch(() => undefined));
      expect(calls.live).toHaveLength(CALLS - 10 + 2);
      await calls.hangUpByApi(calls.live.slice(0, 4), 30_000);
      await hangUp(calls.live.length);
      expect(await calls.audioProblems()).toEqual([]);
      expect(await calls.wrongRecords(40_000)).toEqual([]);
      await live.untilNothingIsOpen(MINUTE_MS, true);
      expect(await live.nodeState()).toEqual({ bootId, lostBoots: [] });
      expect(calls.dialledTwice()).toEqual([]);
      expect(calls.carrier.invites.length).toBeGreaterThan(dialled);
      // A start that was given up waits in the socket of a server that stands still.
      const strays = way === 'stop' ? tries : 0;
      await expectNothingLeft(live, `both ${title}`, before, { calls: calls.all.length, strays });

      async function expectRefused(): Promise<void> {
        const told = performance.now() - awayMs > TOLD_AFTER_MS;
        const refused = await calls.refused();
        expect(refused).toMatchObject({ status: 503, rang: false });
        expect(Number(refused.retryAfter)).toBeGreaterThan(0);
        // The start of a call is given up after 2 s; later nothing is waited for.
        expect(refused.tookMs).toBeLessThan(told ? 1_500 : 4_000);
      }

      function hangUp(count: number): Promise<number[]> {
        return calls.hangUpByPhone(calls.live.filter(({ shortAgent }) => !shortAgent).slice(0, count));
      }

      async function nodeReady(): Promise<{ status: number; text: string }> {
        const answer = await fetch(`${stack.mediaUrl}/ready`, { signal: AbortSignal.timeout(3_000) });
        return { status: answer.status, text: await answer.text() };
      }
    },
    5 * MINUTE_MS,
  );
});
