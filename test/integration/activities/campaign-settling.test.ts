/** What a campaign's row asks for beside dialling, on the real database: whatever happens while it is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createCampaignActivities } from '../../../activities/campaigns/campaign-activities';
import type { CampaignTimes } from '../../../contract/campaigns';
import type { Campaign } from '../../../store/entities/campaign';
import { CampaignImportRepository } from '../../../store/repositories/campaign-import-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import type { CampaignSettlement } from '../../../workflows/campaign/activities';
import { waitFor } from '../../support/wait-for';
import { DiallingStore } from '../store/dialling-store';

let store: DiallingStore;
let campaigns: CampaignRunRepository;
beforeAll(async () => {
  store = await DiallingStore.open();
  campaigns = new CampaignRunRepository(store.dataSource);
});
afterAll(() => store.close());

/** @param ensure stands for the making of its schedules */
async function settle(
  { id: campaignId }: Campaign,
  ensure: (times: CampaignTimes) => Promise<void> = () => Promise.resolve(),
): Promise<CampaignSettlement> {
  const calls = {
    signalCapacity: () => Promise.resolve('gone' as const),
    control: () => Promise.reject(new Error('there is no call')),
  };
  const { settleCampaign } = createCampaignActivities({
    campaigns,
    dialling: store.dialling,
    calls,
    schedules: { ensure: (_, times) => ensure(times) },
    workflows: { tell: () => Promise.resolve() },
  });
  const request = { orgId: store.orgId, campaignId, schedules: null };
  return await new MockActivityEnvironment().run(() => settleCampaign(request));
}

async function waitsUntil(startsAt: Date | null, fields: Partial<Campaign> = {}): Promise<Campaign> {
  const campaign = await store.campaign({ status: 'scheduled', startsAt, settledVersion: 1, ...fields });
  await store.rows.contact(campaign.id);
  return campaign;
}

describe('one that waits for its starts_at', () => {
  it('which comes while its schedule is made is started at once', async () => {
    // A whole second, as a schedule knows them.
    const startMs = Math.ceil((Date.now() + 300) / 1000) * 1000;
    const campaign = await waitsUntil(new Date(startMs));
    const asked: (number | null)[] = [];
    const first = await settle(campaign, async ({ startAtMs }) => {
      asked.push(startAtMs);
      await sleep(startMs - Date.now() + 20);
    });
    expect([first.status, first.again, asked]).toEqual(['scheduled', true, [startMs]]);
    expect(await settle(campaign)).toMatchObject({ status: 'running', again: false });
  });

  it('is told of it again when it waits nevertheless, and only then', async () => {
    const ago = (ms: number): Date => new Date(Date.now() - ms);
    const recurrence = { cron: '0 9 * * 1', timeZone: 'Europe/Berlin', dispositions: null };
    const given = [
      ['it has come', await waitsUntil(ago(5_000)), false],
      ['it has come, after an earlier run', await waitsUntil(ago(5_000), { runningSince: ago(60_000) }), false],
      ['it has come this moment', await waitsUntil(ago(1_000)), true],
      ['it is to come', await waitsUntil(new Date(Date.now() + 60_000)), true],
      ['it has run since then', await waitsUntil(ago(60_000), { recurrence, runningSince: ago(5_000) }), true],
      ['it waits for a round alone', await waitsUntil(null, { recurrence, runningSince: ago(5_000) }), true],
    ] as const;
    const live = new Map((await campaigns.live()).map(({ campaignId, settled }) => [campaignId, settled]));
    expect(given.map(([what, { id }]) => [what, live.get(id)])).toEqual(
      given.map(([what, , wanted]) => [what, wanted]),
    );
  });
});

describe('an upload', () => {
  const rows = [
    {
      row: 1,
      contact: {
        phoneNumber: '+12025557777',
        name: null,
        timeZone: null,
        consentId: null,
        priority: 0,
        variables: {},
      },
    },
  ];

  it.each([
    ['is canceled', `status = 'canceled'`, 'canceled'],
    ['ends', `ends_at = now()`, 'completed'],
  ] as const)(
    'leaves nobody behind in a campaign that %s under its batch, and no batch follows',
    async (_, change, status) => {
      const campaign = await store.campaign();
      const { id: importId } = await new CampaignImportRepository(store.dataSource).begin(store.orgId, campaign.id, []);
      const batch = { importId, campaignId: campaign.id, rows, invalid: [] };
      const under = store.dataSource.createQueryRunner();
      await under.startTransaction();
      expect(await new CampaignImportRepository(under).add(store.orgId, { ...batch, part: 0 })).toEqual([]);
      await store.change(campaign, change);
      const settling = settle(campaign);
      await waitFor('who waits for the batch', 5_000, async () => {
        const [{ waiting }] = await store.dataSource.query(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting > 0 ? true : undefined;
      });
      await under.commitTransaction();
      await under.release();
      await settling;
      expect(await settle(campaign)).toMatchObject({ status, open: 0 });
      const add = new CampaignImportRepository(store.dataSource).add(store.orgId, { ...batch, part: 1 });
      await expect(add).rejects.toMatchObject({ code: 'campaign_over', details: { status } });
      const states = await store.dataSource.query(
        'SELECT state, result FROM campaign_contacts WHERE campaign_id = $1',
        [campaign.id],
      );
      expect(states).toEqual([{ state: 'done', result: 'canceled' }]);
    },
  );
});
