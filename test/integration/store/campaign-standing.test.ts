/** What a campaign does when what it calls with is changed elsewhere, on the real database. */
import { createDialDue } from '../../../activities/campaigns/dial-due';
import type { DialDueDeps } from '../../../activities/campaigns/dial-due';
import type { Campaign } from '../../../store/entities/campaign';
import { uuidV7 } from '../../../store/ids';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { CampaignStandingRepository } from '../../../store/repositories/campaign-standing-repository';
import { ConfigRepository } from '../../../store/repositories/config-repository';
import { PhoneNumberRepository } from '../../../store/repositories/phone-number-repository';
import type { TurnReport } from '../../../workflows/campaign/activities';
import { ALWAYS, CampaignRows } from '../../support/campaign-rows';
import { openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

let store: StoreFixture;
let rows: CampaignRows;
let orgId: string;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  orgId = await store.newOrg();
  rows = new CampaignRows(store.dataSource, orgId);
});

const sql = (text: string, ...parameters: unknown[]): Promise<Record<string, unknown>[]> =>
  store.dataSource.query(text, parameters);

function turn({ id: campaignId }: Campaign, allowedCountries: readonly string[] = ['US']): Promise<TurnReport> {
  const { dataSource, secrets } = store;
  const deps: DialDueDeps = {
    contacts: new CampaignContactRepository(dataSource),
    dialling: new CampaignDiallingRepository(dataSource),
    standings: new CampaignStandingRepository(dataSource),
    callers: new CallerRepository(dataSource),
    workflows: { startOutbound: () => Promise.resolve('started'), describe: () => Promise.resolve(null) },
    secrets,
    allowedCountries,
  };
  return createDialDue(deps).dialDue({ campaignId, orgId, turn: uuidV7() });
}

async function campaignOf(contacts: number, fields: object = {}, campaign: Partial<Campaign> = {}): Promise<Campaign> {
  const made = await rows.campaign({ trunkIds: [await rows.trunk()], agentId: await rows.agent(), ...campaign });
  for (let n = 0; n < contacts; n++) await rows.contact(made.id, fields);
  return made;
}

const states = async ({ id }: Campaign): Promise<unknown> => {
  const found = await sql(
    `SELECT concat_ws(' ', count(*), state, result) AS words FROM campaign_contacts WHERE campaign_id = $1
     GROUP BY state, result ORDER BY state, result`,
    id,
  );
  return found.map(({ words }) => words);
};

const events = async ({ id }: Campaign): Promise<unknown> => {
  const found = await sql('SELECT type, data FROM campaign_events WHERE campaign_id = $1 ORDER BY at, id', id);
  return found.map(({ type, data }) => [type, data]);
};

/** It has seen them a while ago. */
const seenLongAgo = ({ id }: Campaign): Promise<unknown> =>
  sql(`UPDATE campaigns SET rules_seen_at = now() - interval '11 seconds' WHERE id = $1`, id);

const resume = ({ id }: Campaign): Promise<unknown> =>
  sql(`UPDATE campaigns SET status = 'running', version = version + 1 WHERE id = $1`, id);

/** As its workflow does, after a turn that has changed the row. */
async function renewed({ id }: Campaign): Promise<void> {
  const run = new CampaignRunRepository(store.dataSource);
  while (await run.renewSome(id, 7));
}

describe('a campaign pauses itself, and leaves out nobody', () => {
  it('whose agent says what no contact came with, until that is changed back', async () => {
    const campaign = await campaignOf(30);
    await sql(`UPDATE agents SET first_message = 'Hello from {{city}}' WHERE id = $1`, campaign.agentId);
    expect(await turn(campaign)).toMatchObject({ status: 'paused', started: 0, open: 30, wakeInMs: null });
    expect(await states(campaign)).toEqual(['30 pending']);
    const data = { reason: 'missing_column', columns: ['city'] };
    expect(await events(campaign)).toEqual([['paused_by_itself', data]]);
    const [row] = await sql('SELECT status_reason FROM campaigns WHERE id = $1', campaign.id);
    expect(row).toEqual({ status_reason: 'No contact has a value for city, which the texts use' });
    await sql(`UPDATE agents SET first_message = 'Hello' WHERE id = $1`, campaign.agentId);
    await resume(campaign);
    expect(await turn(campaign)).toMatchObject({ status: 'running', started: 20 });
  });

  it('whose agent, or last trunk, was deleted', async () => {
    const orphan = await campaignOf(1, { dueAt: new Date(Date.now() + 3_600_000) });
    await sql('DELETE FROM agents WHERE id = $1', orphan.agentId);
    expect(await turn(orphan)).toMatchObject({ status: 'paused', wakeInMs: null });
    expect(await events(orphan)).toEqual([['paused_by_itself', { reason: 'no_agent' }]]);
    const cut = await campaignOf(1);
    await sql(`UPDATE campaigns SET trunk_ids = '{}' WHERE id = $1`, cut.id);
    expect(await turn(cut)).toMatchObject({ status: 'paused' });
    expect(await events(cut)).toEqual([['paused_by_itself', { reason: 'no_trunk' }]]);
  });

  it('whose window never opens, before it has passed over its list', async () => {
    const campaign = await campaignOf(
      3,
      {},
      { dialWindow: { ...ALWAYS, start: '21:00', end: '23:00', legal: 'default' } },
    );
    expect(await turn(campaign)).toMatchObject({ status: 'paused', started: 0, open: 3 });
    expect(await events(campaign)).toEqual([['paused_by_itself', { reason: 'window_never_opens' }]]);
    expect(await states(campaign)).toEqual(['3 pending']);
  });

  it('whose window opens for none of a row of contacts; resumed with the same one, it has them exhausted', async () => {
    // In Alabama nobody is called on Sundays.
    const dialWindow = { ...ALWAYS, days: ['sun' as const], legal: 'default' as const };
    const campaign = await campaignOf(0, {}, { dialWindow });
    for (let n = 0; n < 30; n++) {
      await rows.contact(campaign.id, { phoneNumber: `+1205555${1000 + n}`, timeZone: 'America/Chicago' });
    }
    expect(await turn(campaign)).toMatchObject({ status: 'paused', started: 0, open: 30 });
    const data = { reason: 'outside_window', contacts: 30, in_a_row: 30 };
    expect(await events(campaign)).toEqual([['paused_by_itself', data]]);
    // To no better hours, which it is told of again.
    const other = JSON.stringify({ ...dialWindow, start: '09:00' });
    await sql('UPDATE campaigns SET dial_window = $2 WHERE id = $1', campaign.id, other);
    await resume(campaign);
    expect(await turn(campaign)).toMatchObject({ status: 'paused', started: 0, open: 30 });
    await resume(campaign);
    expect(await turn(campaign)).toMatchObject({ status: 'running', started: 0, open: 0 });
    expect(await states(campaign)).toEqual(['30 done exhausted']);
  });

  it('but not for contacts that are left out between others, for whom it opens some day', async () => {
    const campaign = await campaignOf(0, {}, { dialWindow: { ...ALWAYS, days: ['sun'], legal: 'default' } });
    for (let n = 0; n < 31; n++) {
      const [phoneNumber, timeZone] =
        n === 15 ? ['+12125551000', 'America/New_York'] : [`+1205555${1000 + n}`, 'America/Chicago'];
      await rows.contact(campaign.id, { phoneNumber, timeZone, priority: 100 - n });
    }
    expect(await turn(campaign)).toMatchObject({ status: 'running', open: 1 });
    expect(await states(campaign)).toContain('30 done exhausted');
  });

  it('when a row of contacts may not be called for what is set; resumed nevertheless, it has them left out', async () => {
    const campaign = await campaignOf(30);
    await sql(`UPDATE organisations SET limits = '{"allowedCountries": ["DE"]}' WHERE id = $1`, orgId);
    expect(await turn(campaign)).toMatchObject({ status: 'paused', started: 0, open: 30 });
    expect(await states(campaign)).toEqual(['30 pending']);
    const [[type, data]] = (await events(campaign)) as [[string, { contacts: number }]];
    expect([type, data]).toMatchObject(['paused_by_itself', { reason: 'destination_not_allowed' }]);
    expect(data.contacts).toBeGreaterThanOrEqual(20);
    await resume(campaign);
    expect(await turn(campaign)).toMatchObject({ status: 'running', started: 0, open: 0 });
    expect(await states(campaign)).toEqual(['30 done suppressed']);
  });
});

describe('whom a campaign has left out is looked at again', () => {
  it('when the countries are others', async () => {
    const campaign = await campaignOf(8);
    await sql(`UPDATE organisations SET limits = '{"allowedCountries": ["DE"]}' WHERE id = $1`, orgId);
    // Somebody who is still to be called: it goes on.
    await rows.contact(campaign.id, { dueAt: new Date(Date.now() + 3_600_000) });
    expect(await turn(campaign)).toMatchObject({ status: 'running', started: 0 });
    expect(await states(campaign)).toEqual(['8 done suppressed', '1 pending']);
    await sql(`UPDATE organisations SET limits = '{}' WHERE id = $1`, orgId);
    // Not at every turn, should two workers be set differently.
    const tooSoon = await turn(campaign);
    expect([tooSoon.changed, tooSoon.wakeInMs]).toEqual([undefined, 10_000]);
    await seenLongAgo(campaign);
    expect(await turn(campaign)).toMatchObject({ status: 'running', changed: true, wakeInMs: 500 });
    await renewed(campaign);
    expect(await turn(campaign)).toMatchObject({ started: 8 });
    expect(await events(campaign)).toEqual([
      ['left_out', { reason: 'destination_not_allowed', contacts: 8 }],
      ['changed', { fields: ['allowed_countries'], contacts: 8 }],
    ]);
  });

  it('when the organisation has a number in another country, or calls from one, where the server names none', async () => {
    const campaign = await campaignOf(0);
    await rows.contact(campaign.id, { dueAt: new Date(Date.now() + 3_600_000) });
    const contact = (phoneNumber: string): Promise<unknown> => rows.contact(campaign.id, { phoneNumber });
    await contact('+493012345678');
    await contact('+442079460000');
    await turn(campaign, []);
    expect(await states(campaign)).toEqual(['2 done suppressed', '1 pending']);
    const numbers = new PhoneNumberRepository(store.dataSource);
    const config = new ConfigRepository(store.dataSource);
    await config.transaction((tx) => numbers.attest(tx, orgId, ['+4989123456']));
    await seenLongAgo(campaign);
    expect((await turn(campaign, [])).changed).toBe(true);
    await renewed(campaign);
    expect(await turn(campaign, [])).toMatchObject({ started: 1 });
    expect(await states(campaign)).toEqual(['1 calling', '1 done suppressed', '1 pending']);
    await sql(`UPDATE outbound_trunks SET caller_numbers = '{+442079460001}' WHERE org_id = $1`, orgId);
    await seenLongAgo(campaign);
    expect((await turn(campaign, [])).changed).toBe(true);
    await renewed(campaign);
    expect(await turn(campaign, [])).toMatchObject({ started: 1 });
    const fields = ['allowed_countries'];
    expect((await events(campaign)) as unknown[]).toEqual(
      expect.arrayContaining([
        ['changed', { fields, contacts: 2 }],
        ['changed', { fields, contacts: 1 }],
      ]),
    );
  });

  it('but not for a number of its own where the server names the countries', async () => {
    const campaign = await campaignOf(0);
    await rows.contact(campaign.id, { dueAt: new Date(Date.now() + 3_600_000) });
    await turn(campaign);
    const numbers = new PhoneNumberRepository(store.dataSource);
    await new ConfigRepository(store.dataSource).transaction((tx) => numbers.attest(tx, orgId, ['+4989123457']));
    await seenLongAgo(campaign);
    expect((await turn(campaign)).changed).toBeUndefined();
    const [{ rules_seen: seen }] = (await sql('SELECT rules_seen FROM campaigns WHERE id = $1', campaign.id)) as [
      { rules_seen: string },
    ];
    expect(JSON.parse(seen.split('\n')[1]!)[0]).toEqual(['US']);
  });

  it('when the texts of its agent are others, once', async () => {
    const campaign = await campaignOf(3, { name: null });
    await rows.contact(campaign.id, { dueAt: new Date(Date.now() + 3_600_000) });
    await turn(campaign);
    expect(await states(campaign)).toEqual(['3 done suppressed', '1 pending']);
    await sql(`UPDATE agents SET first_message = 'Hello' WHERE id = $1`, campaign.agentId);
    await sql(`UPDATE campaigns SET disclosure_line = NULL WHERE id = $1`, campaign.id);
    await seenLongAgo(campaign);
    expect(await turn(campaign)).toMatchObject({ changed: true });
    await renewed(campaign);
    const after = await turn(campaign);
    expect([after.started, after.changed]).toEqual([3, undefined]);
  });
});
