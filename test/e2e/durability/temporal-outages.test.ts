import { setTimeout as sleep } from 'node:timers/promises';

import { answered } from '../../support/live/live-calls';
import { SHORT_CALL_MS } from '../../support/live/live-phones';
import { LiveStack } from '../../support/live/live-stack';
import { askOptions } from '../../support/live/options';
import { takeAway } from '../../support/live/outage';
import { waitFor } from '../../support/wait-for';

const MINUTE_MS = 60_000;
/** From then on OPTIONS tells it; a little for the probe that finds it out. */
const TOLD_AFTER_MS = 7_000;
/** The node's pollers may need 10 s after an outage; then the verdict on it has been reached. */
const VERDICT_MS = 12_000;

describe('20 live calls while Temporal is away', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it.each([
    ['stands still', 5, 'stop'],
    ['is gone', 10, 'gone'],
    ['stands still', 30, 'stop'],
  ] as const)(
    'are undisturbed when it %s for %i s; new ones are refused at once and work again afterwards',
    async (_, seconds, way) => {
      const { calls, stack } = live;
      // These end by themselves, at their limit, in the middle of the outage.
      const short = await Promise.all([calls.call({ short: true }), calls.call({ short: true })]);
      const shortMs = performance.now();
      await calls.place({ inbound: 18, outbound: 3 }, short);
      expect((await askOptions(calls.phone)).status).toBe(200);
      const { bootId } = await live.nodeState();
      await sleep(Math.max(0, shortMs + SHORT_CALL_MS - 3_500 - performance.now()));

      const awayMs = performance.now();
      const comeBack = takeAway(stack, ['temporal'], way);
      try {
        const statuses = await calls.hangUpByPhone(calls.live.filter((call) => !call.shortAgent).slice(0, 5));
        expect(new Set(statuses)).toEqual(new Set([200]));
        const refused = await calls.refused();
        expect(refused).toMatchObject({ status: 503, rang: false });
        expect(Number(refused.retryAfter)).toBeGreaterThan(0);
        expect(refused.tookMs).toBeLessThan(3_000);
        if (way === 'gone') {
          const [call] = calls.live.filter(({ shortAgent }) => !shortAgent);
          const id = call === undefined ? '' : (await calls.find(call))?.id;
          const answer = await stack.api('POST', `/phone/calls/${id}/hangup`);
          expect(answer).toMatchObject({ status: 503, body: { code: 'temporal_unavailable' } });
        }
        await Promise.all(short.map(({ phone }) => phone.ended));
        for (const call of short) call.ending = answered('max_duration', 'system');
        expect(performance.now() - awayMs).toBeLessThan(seconds * 1000);
        if (seconds * 1000 > TOLD_AFTER_MS) {
          await sleep(Math.max(0, awayMs + TOLD_AFTER_MS - performance.now()));
          const options = await askOptions(calls.phone);
          expect(options.status).toBe(503);
          expect(Number(options.retryAfter)).toBeGreaterThan(0);
          expect((await calls.refused()).status).toBe(503);
        }
        await sleep(Math.max(0, awayMs + seconds * 1000 - performance.now()));
      } finally {
        await comeBack();
      }

      const rest = calls.live;
      expect(rest).toHaveLength(16);
      await waitFor('a new call', 10_000, () => calls.call().catch(() => undefined));
      expect((await askOptions(calls.phone)).status).toBe(200);
      await calls.hangUpByApi(rest.slice(0, 3));
      await calls.hangUpByPhone(rest.slice(3, 8));
      await sleep(VERDICT_MS);
      await stack.waitReady();
      expect(calls.live).toHaveLength(9);
      await calls.hangUpByPhone(calls.live);
      expect(await calls.audioProblems()).toEqual([]);
      expect(await calls.wrongRecords()).toEqual([]);
      // A start that was given up may have reached Temporal after all.
      await live.untilNothingIsOpen();
      expect(await live.nodeState()).toEqual({ bootId, lostBoots: [] });
    },
    3 * MINUTE_MS,
  );
});
