import type { OptOutWay } from '../../../contract/events';
import { CampaignContact } from '../../../store/entities/campaign-contact';
import { uuidV7 } from '../../../store/ids';
import { CampaignResultsRepository } from '../../../store/repositories/campaign-results-repository';
import { DncRepository } from '../../../store/repositories/dnc-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { insertCampaign, insertContact, insertContactCall, nodeEvent, openStore } from './store-fixture';
import type { ContactCall, StoreFixture } from './store-fixture';

const NUMBER = '+12025550100';

let store: StoreFixture;
let events: EventRepository;
let dnc: DncRepository;
let orgId: string;
let campaignId: string;
beforeAll(async () => {
  store = await openStore();
  events = new EventRepository(store.dataSource, store.secrets);
  dnc = new DncRepository(store.dataSource);
});
afterAll(() => store.close());
beforeEach(async () => {
  orgId = await store.newOrg();
  campaignId = await insertCampaign(store.dataSource, orgId);
});

async function optsOut(callId: string, by: OptOutWay = 'word', of = orgId): Promise<void> {
  const note = nodeEvent({ id: callId, orgId: of }, 4, { type: 'note', note: 'x' });
  const event = nodeEvent({ id: callId, orgId: of }, 5, { type: 'opted_out', by });
  expect(await events.insertBatch([note, event])).toEqual({ stored: 2, rejected: [] });
}

const contactOf = (id: string): Promise<CampaignContact> =>
  store.dataSource.manager.findOneByOrFail(CampaignContact, { id });

async function calledContact(state = 'calling'): Promise<ContactCall & { contactId: string; callId: string }> {
  const contactId = await insertContact(store.dataSource, { orgId, campaignId }, { state });
  const of = { orgId, campaignId, contactId };
  return { ...of, callId: await insertContactCall(store.dataSource, of) };
}

test('with the event the number is on the list, and it stands in the timeline and the audit log, once', async () => {
  const { callId, contactId } = await calledContact();
  for (let times = 0; times < 2; times++) await optsOut(callId, 'key');
  const { items } = await dnc.list(orgId, { phoneNumber: NUMBER });
  expect(items).toMatchObject([{ source: 'opt_out', reason: `Opted out in call ${callId}` }]);
  const told = await store.dataSource.query('SELECT org_id, type, data FROM campaign_events WHERE campaign_id = $1', [
    campaignId,
  ]);
  expect(told).toEqual([
    { org_id: orgId, type: 'opted_out', data: { call_id: callId, contact_id: contactId, by: 'key' } },
  ]);
  const audit = await store.dataSource.query(
    `SELECT action, resource, resource_id, key_id, after->>'source' AS source FROM audit_log WHERE org_id = $1`,
    [orgId],
  );
  expect(audit).toEqual([
    { action: 'create', resource: 'dnc_entry', resource_id: items[0]?.id, key_id: null, source: 'opt_out' },
  ]);
});

test('a number that is on the list already stays as it is there, and the timeline still has it', async () => {
  await dnc.add(orgId, 'api', [{ phoneNumber: NUMBER, reason: 'By letter' }]);
  const { callId } = await calledContact();
  await optsOut(callId);
  expect((await dnc.list(orgId, { phoneNumber: NUMBER })).items).toMatchObject([
    { source: 'api', reason: 'By letter' },
  ]);
  expect(await store.dataSource.query('SELECT type FROM campaign_events WHERE campaign_id = $1', [campaignId])).toEqual(
    [{ type: 'opted_out' }],
  );
  expect(await store.dataSource.query('SELECT id FROM audit_log WHERE org_id = $1', [orgId])).toEqual([]);
});

test('whose call is under way is moved by its end; whose call has ended, by the event that comes late', async () => {
  const { callId, contactId } = await calledContact();
  await optsOut(callId);
  expect(await contactOf(contactId)).toMatchObject({ state: 'calling', result: null });
  for (const state of ['waiting', 'done'] as const) {
    await store.dataSource.query('DELETE FROM campaign_contacts WHERE campaign_id = $1', [campaignId]);
    const late = await calledContact(state);
    await optsOut(late.callId);
    expect(await contactOf(late.contactId)).toMatchObject({ state: 'done', result: 'opted_out', dueAt: null });
  }
});

test('of another organisation, or of a call that is not known, the event is only an event', async () => {
  const { callId } = await calledContact();
  await optsOut(callId, 'word', await store.newOrg());
  await optsOut(uuidV7());
  expect(await store.dataSource.query('SELECT id FROM dnc_entries WHERE org_id = $1', [orgId])).toEqual([]);
});

test('the evidence of the contact has the list, from when on and by what', async () => {
  const { callId, contactId } = await calledContact();
  await optsOut(callId);
  await dnc.add(null, 'api', [{ phoneNumber: NUMBER, reason: null }]);
  const [evidence] = await new CampaignResultsRepository(store.dataSource).evidence(orgId, campaignId, [contactId]);
  expect(evidence).toMatchObject({
    contact: { id: contactId, phoneNumber: NUMBER },
    listing: { organisation: { source: 'opt_out', since: expect.any(Date) }, server: { since: expect.any(Date) } },
    decisions: [],
    attempts: [{ callId, sipCallId: `sip-${callId}`, state: 'sent', disposition: null }],
  });
});
