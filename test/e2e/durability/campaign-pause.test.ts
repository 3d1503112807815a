/** A campaign at full speed that is paused, resumed and cut off from what drives it: counted and timed by its carrier. */
import { setTimeout as sleep } from 'node:timers/promises';

import { mostWithin, smallestGapMs } from '../../support/campaign/carrier';
import { LiveCampaign } from '../../support/campaign/live-campaign';
import { StoredCapacity } from '../../support/campaign/stored-capacity';
import { takeAway } from '../../support/live/outage';
import { SeededRandom } from '../../support/live/random';
import { Stack } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const SOAK = process.env['TEST_SOAK'] === '1';
const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_130);
const MINUTE_MS = 60_000;
const PAUSES = SOAK ? 20 : 3;
const CALLS_PER_SECOND = 10;
/** From the answer to the last INVITE at the carrier. */
const PAUSED_WITHIN_MS = 1_000;
/** Nothing may come after that either. */
const WATCHED_MS = 2_500;
const CARRIER = {
  seed: SEED,
  mix: { busy: 3, answered: 1, declined: 1 },
  ringMs: [50, 300],
  talkMs: [200, 600],
} as const;

describe('a campaign', () => {
  let stack: Stack;
  let stored: StoredCapacity;
  const campaigns: LiveCampaign[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
    stored = new StoredCapacity(stack);
  }, 90_000);

  afterAll(async () => {
    for (const { carrier } of campaigns) await carrier.stop();
    await stack?.stop();
  }, 60_000);

  async function campaignOf(contacts: number, callsPerSecond: number): Promise<LiveCampaign> {
    const campaign = await LiveCampaign.create(stack, { contacts, callsPerSecond, carrier: CARRIER });
    campaigns.push(campaign);
    return campaign;
  }

  const untilCalled = (campaign: LiveCampaign, count: number): Promise<true> =>
    waitFor(`${count} INVITEs`, 30_000, async () =>
      (await campaign.carrier.log()).length >= count ? true : undefined,
    );

  it(
    `that is paused ${PAUSES} times at full speed sends no INVITE a second later, and calls nobody twice`,
    async () => {
      const random = new SeededRandom(SEED);
      const campaign = await campaignOf(PAUSES * 15 + 30, CALLS_PER_SECOND);
      const delaysMs: number[] = [];
      for (let n = 0; n < PAUSES; n++) {
        const before = (await campaign.carrier.log()).length;
        await campaign.act(n === 0 ? 'start' : 'resume');
        await untilCalled(campaign, before + 5);
        await sleep(random.between(0, 500));
        await campaign.act('pause');
        const pausedAtMs = performance.timeOrigin + performance.now();
        await sleep(WATCHED_MS);
        const last = (await campaign.carrier.log()).at(-1);
        delaysMs.push(Math.max(0, last!.atMs - pausedAtMs));
      }
      expect(Math.max(...delaysMs)).toBeLessThanOrEqual(PAUSED_WITHIN_MS);
      expect(delaysMs).toHaveLength(PAUSES);
      const { states } = await campaign.stats();
      expect(states['calling']).toBe(0);
      expect(states['pending']).toBeGreaterThan(0);
      await campaign.act('resume');
      await campaign.until('completed', 2 * MINUTE_MS);
      const log = await campaign.carrier.log();
      expect(new Set(log.map(({ number }) => number)).size).toBe(log.length);
      expect((await campaign.stats()).contacts).toBe(log.length);
      // One that is received late stands close to the next: a busy machine is no burst.
      expect(mostWithin(log, 1_000)).toBeLessThanOrEqual(CALLS_PER_SECOND + 2);
      await stored.untilFree();
    },
    5 * MINUTE_MS,
  );

  it(
    'whose worker and Temporal stand still makes up for nothing when they are back',
    async () => {
      const contacts = 12;
      const campaign = await campaignOf(contacts, 1);
      await campaign.act('start');
      await untilCalled(campaign, 3);
      const comeBack = takeAway(stack, ['worker', 'temporal'], 'stop');
      await sleep(SOAK ? 20_000 : 6_000);
      const meanwhile = (await campaign.carrier.log()).length;
      await comeBack();
      await campaign.until('completed', MINUTE_MS);
      const log = await campaign.carrier.log();
      expect(new Set(log.map(({ number }) => number)).size).toBe(contacts);
      expect(log).toHaveLength(contacts);
      expect(meanwhile).toBeLessThan(contacts);
      expect(smallestGapMs(log)).toBeGreaterThanOrEqual(950);
      await stored.untilFree();
    },
    2 * MINUTE_MS,
  );
});
