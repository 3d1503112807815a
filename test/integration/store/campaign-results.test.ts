import type { CallEnding, Disposition } from '../../../contract/endings';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { CampaignResultsRepository } from '../../../store/repositories/campaign-results-repository';
import type { CallCount } from '../../../store/repositories/campaign-results-repository';
import { insertCampaign, insertContact, insertContactCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

/** 10:30 in New York, 16:30 in Berlin. */
const AT = new Date('2026-11-30T15:30:00Z');

let store: StoreFixture;
let calls: CallRepository;
let results: CampaignResultsRepository;
let orgId: string;
let campaignId: string;
beforeAll(async () => {
  store = await openStore();
  calls = new CallRepository(store.dataSource);
  results = new CampaignResultsRepository(store.dataSource);
  orgId = await store.newOrg();
});
afterAll(() => store.close());
beforeEach(async () => {
  campaignId = await insertCampaign(store.dataSource, orgId);
});

let numbers = 0;
const contact = (zones: { timeZone?: string; clockZone?: string } = {}): Promise<string> =>
  insertContact(
    store.dataSource,
    { orgId, campaignId },
    { ...zones, number: `+1202555${String(++numbers).padStart(4, '0')}`, state: 'waiting' },
  );

async function dial(
  contactId: string | null,
  disposition: Disposition,
  { at = AT, seconds = 0, attempt = 'finished' as string | null, endings = 1, of = campaignId } = {},
): Promise<string> {
  const callId = await insertContactCall(store.dataSource, { orgId, campaignId: of, contactId }, { at, attempt });
  const ending: CallEnding = { disposition, endReason: null, endedBy: 'callee', sip: null };
  const answeredAtMs = disposition === 'answered' ? at.getTime() + 5_000 : null;
  const endedAtMs = (answeredAtMs ?? at.getTime()) + seconds * 1000;
  for (let times = 0; times < endings; times++) {
    await calls.finaliseCall({ callId, ending, endedAtMs, answeredAtMs, metrics: null, truncated: false });
  }
  return callId;
}

const counts = async (): Promise<CallCount[]> => results.callCounts(orgId, campaignId);
const count = (disposition: Disposition, hour: number, attempt: number, of: number, seconds = 0): CallCount => ({
  disposition,
  hour,
  attempt,
  calls: of,
  seconds,
});

test('calls are counted as they end, each once, by how, by the hour where the contact is, and by its dials', async () => {
  const [ada, bob] = [await contact({ timeZone: 'America/New_York' }), await contact({ clockZone: 'Europe/Berlin' })];
  await dial(ada, 'no_answer', { endings: 3 });
  await dial(ada, 'answered', { at: new Date('2026-11-30T16:59:59Z'), seconds: 42 });
  await dial(bob, 'answered', { seconds: 30 });
  await dial(await contact({ timeZone: 'America/New_York' }), 'answered', {
    at: new Date('2026-11-30T16:00:00Z'),
    seconds: 8,
  });
  expect(await counts()).toEqual([
    count('answered', 11, 1, 1, 8),
    count('answered', 11, 2, 1, 42),
    count('answered', 16, 1, 1, 30),
    count('no_answer', 10, 1, 1),
  ]);
});

test('the zone of the contact counts more than that of its number, that more than the default of the window', async () => {
  campaignId = await insertCampaign(store.dataSource, orgId, { defaultTimeZone: 'Asia/Tokyo' });
  await dial(await contact({ timeZone: 'America/New_York', clockZone: 'Europe/Berlin' }), 'busy');
  await dial(await contact({ clockZone: 'Europe/Berlin' }), 'busy');
  await dial(await contact(), 'busy');
  expect((await counts()).map(({ hour }) => hour)).toEqual([0, 10, 16]);
});

test('a zone that PostgreSQL does not know, and none, cost the hour and nothing else', async () => {
  await dial(await contact({ timeZone: 'Mars/Base' }), 'busy');
  await dial(await contact(), 'busy');
  expect(await counts()).toEqual([count('busy', -1, 1, 2)]);
});

test('what was not dialled is not counted, neither as a call nor as a dial before another one', async () => {
  const ada = await contact({ timeZone: 'America/New_York' });
  await dial(ada, 'canceled', { attempt: null });
  await dial(ada, 'failed', { attempt: 'not_sent', at: new Date(AT.getTime() + 1000) });
  await dial(ada, 'uncertain', { attempt: 'uncertain', at: new Date(AT.getTime() + 2000) });
  await dial(ada, 'busy', { at: new Date(AT.getTime() + 3000) });
  expect(await counts()).toEqual([count('busy', 10, 2, 1), count('uncertain', 10, 1, 1)]);
});

test('a call of a campaign that is gone ends as any other', async () => {
  const ada = await contact();
  await dial(ada, 'busy');
  await store.dataSource.query('DELETE FROM campaigns WHERE id = $1', [campaignId]);
  const callId = await dial(ada, 'busy', { at: new Date(AT.getTime() + 1000) });
  expect((await calls.find(orgId, callId))?.disposition).toBe('busy');
  expect(
    await store.dataSource.query('SELECT * FROM campaign_call_tallies WHERE campaign_id = $1', [campaignId]),
  ).toEqual([]);
});

test('the evidence and the talks of contacts are those of their campaign alone', async () => {
  const [ada, bob] = [await contact({ timeZone: 'America/New_York' }), await contact()];
  const [first, second] = [
    await dial(ada, 'no_answer'),
    await dial(ada, 'answered', { at: new Date(AT.getTime() + 3_600_000), seconds: 61 }),
  ];
  await store.dataSource.query(
    `INSERT INTO contact_decisions (id, org_id, campaign_id, contact_id, call_id, at, dialled, checks)
     VALUES ($1, $2, $3, $4, $5, $6, true, $7)`,
    [uuidV7(), orgId, campaignId, ada, first, AT, JSON.stringify([{ check: 'no_consent', passed: true, detail: 'c' }])],
  );
  const [evidence, other, ...none] = await results.evidence(orgId, campaignId, [ada, bob, uuidV7(), 'none']);
  expect(none).toEqual([]);
  expect(evidence).toMatchObject({
    contact: { id: ada },
    listing: { organisation: null, server: null },
    decisions: [{ callId: first, at: AT, dialled: true, checks: [{ check: 'no_consent', passed: true, detail: 'c' }] }],
    attempts: [
      { callId: first, disposition: 'no_answer', at: AT, durationSeconds: 0 },
      { callId: second, disposition: 'answered', durationSeconds: 61 },
    ],
  });
  expect(other).toMatchObject({ contact: { id: bob }, decisions: [], attempts: [] });
  expect(await results.talks(orgId, campaignId, [ada, bob])).toEqual(
    new Map([[ada, { lastCallId: second, seconds: 61 }]]),
  );
  const elsewhere = await insertCampaign(store.dataSource, orgId);
  const otherOrg = await store.newOrg();
  expect(await results.evidence(orgId, elsewhere, [ada])).toEqual([]);
  expect(await results.evidence(otherOrg, campaignId, [ada])).toEqual([]);
  expect(await results.talks(otherOrg, campaignId, [ada])).toEqual(new Map());
  expect(await results.callCounts(otherOrg, campaignId)).toEqual([]);
});
