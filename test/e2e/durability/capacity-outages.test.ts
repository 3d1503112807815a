/**
 * Calls that wait for room while what decides about it dies or stands still: each is dialled once, in its order, none
 * sooner than the trunk allows, and all room is free in the end. Counted by the carrier.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { SimulatedCarrier, smallestGapMs } from '../../support/campaign/carrier';
import type { CarrierCall } from '../../support/campaign/carrier';
import { StoredCapacity } from '../../support/campaign/stored-capacity';
import { takeAway } from '../../support/live/outage';
import type { Dispensable, OutageWay } from '../../support/live/outage';
import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { Stack } from '../../support/stack';

const SOAK = process.env['TEST_SOAK'] === '1';
const MINUTE_MS = 60_000;
const ALL = ['postgres', 'temporal', 'api', 'worker'] as const;
const ROUNDS: readonly (readonly [way: OutageWay, seconds: number, targets: readonly Dispensable[]])[] = SOAK
  ? [
      ...ALL.flatMap((name) => [['kill', 0, [name]] as const, ['stop', 6, [name]] as const]),
      ['gone', 12, ['postgres', 'temporal']],
      ['stop', 20, ['worker', 'temporal']],
      ['stop', 12, ALL],
      ['kill', 0, ALL],
    ]
  : [
      ['kill', 0, ALL],
      ['stop', 4, ALL],
    ];
/** At one call a second, counted at the carrier. */
const SPACING_MS = 950;
const WAITING = 8;
const LATER = 2;
/** Of a trunk's calls: one whose INVITE has its turn, and the next, which has asked for one. */
const INSIDE_A_DIAL = 2;

describe('calls that wait for room', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let stored: StoredCapacity;
  const carriers: SimulatedCarrier[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
    stored = new StoredCapacity(stack);
  }, 90_000);

  afterAll(async () => {
    await Promise.all(carriers.map((carrier) => carrier.stop()));
    await stack?.stop();
  }, 60_000);

  /** A trunk to a carrier of its own, and the calls that are placed over it one after the other. */
  async function line(limits: Readonly<Record<string, number>>): Promise<{
    readonly place: (count: number) => Promise<void>;
    readonly waiting: () => Promise<number>;
    readonly settled: () => Promise<readonly CarrierCall[]>;
  }> {
    const carrier = await SimulatedCarrier.start({
      seed: 3,
      mix: { answered: 1, busy: 1 },
      ringMs: [200, 400],
      talkMs: [600, 1_200],
    });
    carriers.push(carrier);
    const trunkId = await calls.trunkTo(carrier.port, limits);
    const placing: Promise<CallRecord>[] = [];
    const placed: { readonly id: string; readonly number: string }[] = [];
    return {
      place: async (count) => {
        for (let n = 0; n < count; n++) {
          const number = newNumber();
          const key = `wait-${number}`;
          // Not answered yet where it waits for its turn on the node: the next is placed as soon as this one is in the ledger.
          placing.push(calls.placeSurely(trunkId, number, key));
          const id = calls.keyedId(key);
          placed.push({ id, number });
          await stored.untilAsked(id);
        }
      },
      waiting: () => stored.waiting(trunkId),
      settled: async () => {
        expect((await Promise.all(placing)).map(({ id }) => id)).toEqual(placed.map(({ id }) => id));
        const ended = await Promise.all(placed.map(({ id }) => calls.ended(id, MINUTE_MS)));
        const log = await carrier.log();
        const seen = log.map(({ sipCallId }) => sipCallId);
        const attempts = await stored.attempts(trunkId);
        expect(log.filter(({ transactions }) => transactions !== 1)).toEqual([]);
        expect(attempts.map(({ sipCallId }) => sipCallId)).toEqual(expect.arrayContaining(seen));
        // In the middle of its dial, which was too late to send anything, or of which nobody can tell: it has had its place.
        const begun = attempts.filter(({ n, state }) => n > 1 || state === 'not_sent' || state === 'uncertain');
        const interrupted = new Set(begun.map(({ callId }) => callId));
        expect(interrupted.size).toBeLessThanOrEqual(INSIDE_A_DIAL);
        const sure = placed.filter(({ id }) => !interrupted.has(id)).map(({ number }) => number);
        expect(log.map(({ number }) => number).filter((number) => sure.includes(number))).toEqual(sure);
        expect(new Set(log.map(({ number }) => number)).size).toBe(log.length);
        for (const { disposition } of ended) expect(['answered', 'busy', 'uncertain']).toContain(disposition);
        return log;
      },
    };
  }

  it.each(ROUNDS)(
    '%s for %i s of %j: dialled once, in their order, none too soon, and all room is free again',
    async (way, seconds, targets) => {
      const bySecond = await line({ max_calls_per_second: 1 });
      const oneByOne = await line({ max_concurrent_calls: 1 });
      await Promise.all([bySecond.place(WAITING), oneByOne.place(WAITING)]);
      expect(Math.min(await bySecond.waiting(), await oneByOne.waiting())).toBeGreaterThanOrEqual(2);
      const comeBack = takeAway(stack, targets, way);
      await sleep(seconds * 1000);
      await comeBack();
      await stack.waitReady();
      await Promise.all([bySecond.place(LATER), oneByOne.place(LATER)]);
      const log = await bySecond.settled();
      expect(smallestGapMs(log)).toBeGreaterThanOrEqual(SPACING_MS);
      await oneByOne.settled();
      await stored.untilFree();
    },
    3 * MINUTE_MS,
  );
});
