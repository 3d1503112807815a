import { checkGuards } from '../../../../activities/campaigns/campaign-guards';
import type { GuardFigures } from '../../../../store/campaigns/guard';
import type { CampaignPaceRepository } from '../../../../store/repositories/campaign-pace-repository';

const GOOD: GuardFigures = { answered: 60, attempts: 100, shortCalls6s: 0, shortCalls12s: 0, abandoned: 0 };
const limits = { answerRateBelow: 0.3, shortCallShareAbove: 0.2, abandonShareAbove: null };
const campaign = { orgId: 'o', campaignId: 'c' };

interface Done {
  readonly changed: boolean;
  readonly calls: readonly (readonly unknown[])[];
  readonly sinceMs: number;
}

async function check(pace: number, figures: GuardFigures, slowedAt: Date | null = null): Promise<Done> {
  const calls: unknown[][] = [];
  let sinceMs = 0;
  const noted =
    (name: string) =>
    (...given: unknown[]) => {
      calls.push([name, ...given]);
      return Promise.resolve(true);
    };
  const paces = {
    find: () => Promise.resolve({ limits, pace, runningSince: new Date(Date.now() - 60_000), slowedAt }),
    slow: noted('slow'),
    recover: noted('recover'),
    pause: noted('pause'),
  } as unknown as CampaignPaceRepository;
  const guards = {
    figures: (_: string, since: number) => {
      sinceMs = since;
      return Promise.resolve(figures);
    },
  };
  return { changed: await checkGuards({ paces, guards }, campaign), calls, sinceMs };
}

test('calls that go well change nothing', async () => {
  expect(await check(1, GOOD)).toMatchObject({ changed: false, calls: [] });
});

test('the first breach slows it, with the figure that has broken the limit', async () => {
  const { changed, calls } = await check(1, { ...GOOD, answered: 20 });
  expect(changed).toBe(true);
  expect(calls).toEqual([['slow', 'c', 1, { guard: 'answer_rate', figure: 0.2, limit: 0.3, calls: 100 }]]);
});

test('the next one pauses it, and says why in words', async () => {
  const { calls } = await check(0.5, { ...GOOD, shortCalls6s: 20 });
  const data = { guard: 'short_calls', figure: 0.3333, limit: 0.2, calls: 60 };
  const reason = '33.3 % of its answered calls were over at once, the limit is 20 % (60 calls)';
  expect(calls).toEqual([['pause', 'c', reason, data]]);
});

test('slowed, it looks at the calls since then, and goes on at full pace when enough of them went well', async () => {
  const slowedAt = new Date(Date.now() - 10_000);
  const few = await check(0.5, { ...GOOD, attempts: 10, answered: 9 }, slowedAt);
  expect(few).toMatchObject({ changed: false, calls: [], sinceMs: slowedAt.getTime() });
  expect((await check(0.5, GOOD, slowedAt)).calls).toEqual([['recover', 'c', { answered: 60, calls: 100 }]]);
});
