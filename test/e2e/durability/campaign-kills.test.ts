/**
 * A campaign whose processes are killed at moments that a seed decides, while it calls at full speed: nobody is called twice,
 * nobody is lost, and what the product counts is what its carrier has seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { LiveCampaign } from '../../support/campaign/live-campaign';
import { StoredCapacity } from '../../support/campaign/stored-capacity';
import { SeededRandom } from '../../support/live/random';
import { Stack } from '../../support/stack';

const SOAK = process.env['TEST_SOAK'] === '1';
const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_130);
const MINUTE_MS = 60_000;
const RUN = SOAK
  ? { contacts: 500, callsPerSecond: 10, everyMs: 5_000, kills: 12 }
  : { contacts: 40, callsPerSecond: 5, everyMs: 3_000, kills: 2 };
/** A process that ran this long may be killed again without the supervisor counting it as another failure in a row. */
const RECOVERED_MS = 10_500;
const TARGETS = SOAK ? (['worker', 'api', 'media'] as const) : (['worker', 'media'] as const);

describe(`a campaign whose processes are killed, seed ${SEED}`, () => {
  let stack: Stack;
  let campaign: LiveCampaign;
  let stored: StoredCapacity;

  beforeAll(async () => {
    stack = await Stack.start();
    stored = new StoredCapacity(stack);
  }, 90_000);

  afterAll(async () => {
    await campaign?.carrier.stop();
    await stack?.stop();
  }, 60_000);

  it(
    'calls each contact once, and counts what its carrier has seen',
    async () => {
      const { contacts, callsPerSecond } = RUN;
      campaign = await LiveCampaign.create(stack, {
        contacts,
        callsPerSecond,
        carrier: {
          seed: SEED,
          mix: { answered: 4, voicemail: 1, busy: 3, no_answer: 2, declined: 1, blocked: 1, rejected: 1 },
          ringMs: [100, 600],
          talkMs: [300, 1_500],
        },
      });
      const random = new SeededRandom(SEED);
      const completed = new AbortController();
      await campaign.act('start');
      const killing = kills(random, completed.signal);
      await campaign.until('completed', (SOAK ? 6 : 3) * MINUTE_MS).finally(() => completed.abort());
      const { insideADial, killed } = await killing;
      expect(killed).toBeGreaterThan(0);
      await stack.waitReady();

      const attempts = await stored.attempts(campaign.trunkId);
      const log = await campaign.carrier.log();
      const seen = new Set(log.map(({ sipCallId }) => sipCallId));
      // At the carrier: one INVITE transaction for each Call-ID, one Call-ID for each contact.
      expect(log.filter(({ transactions }) => transactions !== 1)).toEqual([]);
      expect(new Set(log.map(({ number }) => number)).size).toBe(log.length);
      // What it has seen are attempts, and none that is said not to have been sent.
      const dials = attempts.filter(({ state }) => state !== 'not_sent');
      const dialled = new Set(dials.map(({ sipCallId }) => sipCallId));
      expect([...seen].filter((sipCallId) => !dialled.has(sipCallId))).toEqual([]);
      // What it has not seen is said to be uncertain, and was inside a dial when its node was killed.
      const unseen = dials.filter(({ sipCallId }) => !seen.has(sipCallId));
      expect(unseen.filter(({ disposition }) => disposition !== 'uncertain')).toEqual([]);
      const uncertain = dials.filter(({ disposition }) => disposition === 'uncertain');
      expect(uncertain.filter(({ sipCallId }) => !insideADial.has(sipCallId))).toEqual([]);

      const stats = await campaign.stats();
      expect(stats.states).toEqual({ pending: 0, waiting: 0, calling: 0, done: contacts });
      const results = Object.values(stats.results).reduce((sum, count) => sum + count, 0);
      expect([stats.contacts, results, stats.attempts]).toEqual([contacts, contacts, dials.length]);
      // A dial whose node died before it had stored the attempt is none: its contact was called later.
      expect([dials.length, stats.results['uncertain']]).toEqual([contacts, uncertain.length]);
      const answered = log.filter(({ outcome }) => outcome === 'answered' || outcome === 'voicemail').length;
      expect(stats.results['reached']).toBeLessThanOrEqual(answered);
      await stored.untilFree();
    },
    (SOAK ? 8 : 4) * MINUTE_MS,
  );

  async function kills(
    random: SeededRandom,
    over: AbortSignal,
  ): Promise<{ readonly insideADial: ReadonlySet<string>; readonly killed: number }> {
    const insideADial = new Set<string>();
    let killed = 0;
    const killedAtMs = new Map<string, number>();
    while (!over.aborted && killed < RUN.kills) {
      await sleep(RUN.everyMs * (0.8 + 0.4 * random.next()), undefined, { signal: over }).catch(() => undefined);
      const target = SOAK ? random.pick(TARGETS) : TARGETS[killed % TARGETS.length]!;
      const since = performance.now() - (killedAtMs.get(target) ?? -Infinity);
      if (over.aborted || stack.findPid(target) === undefined || since < RECOVERED_MS) continue;
      killedAtMs.set(target, performance.now());
      stack.kill(target);
      killed++;
      if (target !== 'media') continue;
      // Of the dead nobody writes any more what has become of them, but their workflows after seconds.
      for (const { sipCallId, state } of await stored.attempts(campaign.trunkId)) {
        if (state === 'intended') insideADial.add(sipCallId);
      }
    }
    return { insideADial, killed };
  }
});
