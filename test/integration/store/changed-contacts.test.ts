/** Contacts that somebody changes while their campaign looks at them, claims them or dials: on the real database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { createDialDue } from '../../../activities/campaigns/dial-due';
import { openDetails } from '../../../store/call-details';
import type { ReadContact } from '../../../store/campaigns/contact-row';
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { uuidV7 } from '../../../store/ids';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignRepository } from '../../../store/repositories/campaign-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { CampaignStandingRepository } from '../../../store/repositories/campaign-standing-repository';
import { newMasterKey, SecretBox } from '../../../store/secrets';
import type { OutboundCallInput } from '../../../workflows/call/input';
import { DiallingStore } from './dialling-store';

let store: DiallingStore;
beforeAll(async () => {
  store = await DiallingStore.open();
});
afterAll(() => store.close());

/** In the order of locks in which the API does it. */
async function change(
  manager: EntityManager,
  campaign: Campaign,
  id: string,
  fields: Partial<ReadContact>,
  beforeItsEnd: () => Promise<unknown> = () => Promise.resolve(),
): Promise<CampaignContact> {
  const contacts = new CampaignContactRepository(store.dataSource);
  const held = await new CampaignRepository(store.dataSource).findForChange(manager, store.orgId, campaign.id);
  const before = await contacts.findForChange(manager, held!, id);
  const again = before!.passedOver;
  const after = await contacts.change(manager, before!, { ...before!, ...fields }, { again });
  await beforeItsEnd();
  return after;
}
const changed = (campaign: Campaign, id: string, fields: Partial<ReadContact>): Promise<CampaignContact> =>
  store.dataSource.transaction((manager) => change(manager, campaign, id, fields));

const LEFT_OUT = { at: new Date().toISOString(), called: false, reason: 'missing_variable', detail: 'city' } as const;

async function lookAt(campaign: Campaign) {
  const asked = { after: null, limit: 10, dialledSince: new Date(0) };
  return new CampaignContactRepository(store.dataSource).due(store.orgId, campaign.id, new Date(), asked);
}

it('who is changed while a look decides is not left out for what is no longer so, and who is not is', async () => {
  const campaign = await store.campaign();
  const mended = await store.rows.contact(campaign.id);
  const other = await store.rows.contact(campaign.id);
  const moves = (await lookAt(campaign)).map(({ id, seen }) => {
    return { id, seen, result: 'suppressed' as const, dueAtMs: null, note: LEFT_OUT };
  });
  expect(moves).toHaveLength(2);
  const { dueAt } = await changed(campaign, mended.id, { variables: { city: 'Rome' } });
  expect(dueAt).toEqual(mended.dueAt);
  await store.dialling.move(store.orgId, campaign.id, moves, Date.now());
  expect(await store.rows.stored(mended.id)).toMatchObject({ state: 'pending', result: null, lastDecision: null });
  expect(await store.rows.stored(other.id)).toMatchObject({ state: 'done', result: 'suppressed' });
  expect((await lookAt(campaign)).map(({ id }) => id)).toEqual([mended.id]);
});

it('who is changed between look and claim is called by what is said of them then', async () => {
  const campaign = await store.campaign();
  const { id } = await store.rows.contact(campaign.id, { name: 'Adda', variables: { plan: 'gold' } });
  const started: OutboundCallInput[] = [];
  const secrets = new SecretBox(newMasterKey());
  const contacts = new CampaignContactRepository(store.dataSource);
  const { dialDue } = createDialDue({
    contacts: {
      due: async (...asked) => {
        const found = await contacts.due(...asked);
        await changed(campaign, id, { name: 'Ada', variables: { plan: 'silver' } });
        return found;
      },
    },
    dialling: store.dialling,
    standings: new CampaignStandingRepository(store.dataSource),
    callers: new CallerRepository(store.dataSource),
    workflows: {
      startOutbound: (input) => {
        started.push(input);
        return Promise.resolve('started');
      },
      describe: () => Promise.resolve(null),
    },
    secrets,
    allowedCountries: ['US'],
  });
  await dialDue({ campaignId: campaign.id, orgId: store.orgId, turn: uuidV7() });
  const said = started.map((input) => openDetails(secrets, input).script?.variables);
  expect(said).toMatchObject([{ name: 'Ada', plan: 'silver' }]);
});

it('who is changed while their call is admitted neither stops it nor is stopped', async () => {
  const campaign = await store.campaign({ maxConcurrentCalls: 100 });
  const contacts: CampaignContact[] = [];
  for (let n = 0; n < 10; n++) contacts.push(await store.claimed(campaign));
  const answers = await Promise.all(
    contacts.flatMap(({ id }, n) => [
      store.admit(campaign, id).then(({ ok }) => ok),
      changed(campaign, id, { name: `Ada ${n}` }).then(({ state }) => state),
    ]),
  );
  expect(answers).toEqual(contacts.flatMap(() => [true, 'calling']));
  // The admission of a contact that is being changed waits for no more than that.
  const waiting = await store.claimed(campaign);
  let admitted: ReturnType<typeof store.admit> | undefined;
  await store.dataSource.transaction((manager) =>
    change(manager, campaign, waiting.id, { name: 'Bob' }, async () => {
      admitted = store.admit(campaign, waiting.id);
      await sleep(100);
    }),
  );
  expect(await admitted).toMatchObject({ ok: true });
  expect(await store.rows.stored(waiting.id)).toMatchObject({ name: 'Bob', state: 'calling' });
});

it('a campaign is not found to be over while the last one it has left out is mended', async () => {
  const campaign = await store.campaign();
  const { id } = await store.rows.contact(campaign.id, {
    state: 'done',
    result: 'suppressed',
    dueAt: null,
    lastDecision: LEFT_OUT,
  });
  const runs = new CampaignRunRepository(store.dataSource);
  let over: ReturnType<typeof runs.completeIfOver> | undefined;
  await store.dataSource.transaction((manager) =>
    change(manager, campaign, id, { variables: { city: 'Rome' } }, async () => {
      over = runs.completeIfOver(campaign.id);
      await sleep(100);
    }),
  );
  expect(await over).toBeNull();
  expect(await runs.find(campaign.id)).toMatchObject({ status: 'running' });
  expect(await store.rows.stored(id)).toMatchObject({ state: 'pending', result: null, variables: { city: 'Rome' } });
});
