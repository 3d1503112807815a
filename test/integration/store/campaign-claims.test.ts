/** Claims of contacts, on the real database: what several at once, repeats and pauses do to them. */
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact, LastDecision } from '../../../store/entities/campaign-contact';
import { campaignCallId, uuidV7 } from '../../../store/ids';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { addCampaignEvent, renewContacts } from '../../../store/repositories/campaign-status';
import { DiallingStore } from './dialling-store';

let store: DiallingStore;
beforeAll(async () => {
  store = await DiallingStore.open();
});
afterAll(() => store.close());

describe('a claim', () => {
  it('is one worker’s, however many want the same contacts at the same moment', async () => {
    const campaign = await store.campaign();
    const contacts: CampaignContact[] = [];
    for (let n = 0; n < 40; n++) contacts.push(await store.rows.contact(campaign.id));
    for (let round = 0; round < 4; round++) {
      const some = contacts.slice(round * 10, round * 10 + 10);
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => store.claim(campaign, n % 2 === 0 ? some : some.toReversed())),
      );
      expect(answers.flat().toSorted()).toEqual(some.map(({ id }) => id).toSorted());
    }
  });

  it('of a turn that is repeated claims nobody else, and finds those it has', async () => {
    const campaign = await store.campaign();
    const contact = await store.rows.contact(campaign.id);
    const turn = uuidV7();
    expect(await store.claim(campaign, [contact], { turn })).toEqual([contact.id]);
    expect(await store.claim(campaign, [contact], { turn })).toEqual([]);
    const callId = campaignCallId(campaign.id, contact.id, 1);
    expect(await store.dialling.claimedBy(store.orgId, campaign.id, turn)).toMatchObject([
      { id: contact.id, calls: 1, callId },
    ]);
    expect(await store.dialling.claimedBy(store.orgId, campaign.id, uuidV7())).toEqual([]);
  });

  it('of a campaign that does not run any more, or by other rules, claims nobody', async () => {
    const campaign = await store.campaign();
    const contact = await store.rows.contact(campaign.id);
    await store.change(campaign, `name = 'other'`);
    expect(await store.claim(campaign, [contact])).toEqual([]);
    await store.change(campaign, `status = 'paused'`);
    expect(await store.claim(campaign, [contact], { version: campaign.version + 2 })).toEqual([]);
    expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'pending', calls: 0 });
  });

  it('of a number by two campaigns at once is one campaign’s, and costs the others of the batch nothing', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await store.campaign(), await store.campaign()];
      const first = await store.rows.contact(one.id);
      const { phoneNumber } = first;
      const second = await store.rows.contact(two.id, { phoneNumber });
      const others = [await store.rows.contact(two.id), await store.rows.contact(two.id)];
      const [a, b] = await Promise.all([store.claim(one, [first]), store.claim(two, [others[0]!, second, others[1]!])]);
      expect([...a, ...b].filter((id) => id === first.id || id === second.id)).toHaveLength(1);
      expect(b).toEqual(expect.arrayContaining(others.map(({ id }) => id)));
    }
  });

  it('whose call was never started is given back, once, and not to a call that comes late', async () => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    expect(await store.dialling.stuck(store.orgId, campaign.id, Date.now() - 60_000)).toEqual([]);
    const found = [{ id: contact.id, callId: contact.callId }];
    expect(await store.dialling.stuck(store.orgId, campaign.id, Date.now() + 1)).toEqual(found);
    expect(await store.dialling.giveBack(contact.id, contact.callId!, Date.now())).toBe(true);
    expect(await store.dialling.giveBack(contact.id, contact.callId!, Date.now())).toBe(false);
    expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'pending' });
    expect(await store.admit(campaign, contact.id)).toEqual({ ok: false, refusal: 'contact_moved' });
    // The next claim is another call, and the late one is not its.
    expect(await store.claim(campaign, [await store.rows.stored(contact.id)])).toEqual([contact.id]);
    expect(await store.end(contact, 'expired', { undialled: true })).toBe('finalised');
    const next = await store.rows.stored(contact.id);
    expect(next).toMatchObject({ state: 'calling', calls: 2 });
    await store.change(campaign, `status = 'canceled'`);
    expect(await store.dialling.giveBack(next.id, next.callId!, Date.now())).toBe(true);
    expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'canceled', dueAt: null });
  });
});

describe('the timeline', () => {
  const AT = Date.parse('2026-11-30T10:10:00Z');
  const eventsOf = async ({ id }: Campaign): Promise<unknown[]> =>
    store.dataSource.query('SELECT at, type, data FROM campaign_events WHERE campaign_id = $1 ORDER BY at, type', [id]);

  it('counts whom a turn has put off or left out, by reason and hour', async () => {
    const campaign = await store.campaign();
    const move = async (reason: string, result: 'suppressed' | null, atMs: number): Promise<void> => {
      const { id } = await store.rows.contact(campaign.id, { dueAt: new Date(AT) });
      const note = { at: new Date(atMs).toISOString(), called: false, reason, detail: '' } as const;
      const dueAtMs = result === null ? atMs + 3_600_000 : null;
      // Whoever was moved meanwhile is not counted twice.
      const moves = [{ id, seen: await store.rows.seen(id), result, dueAtMs, note }];
      await store.dialling.move(store.orgId, campaign.id, moves, atMs);
      await store.dialling.move(store.orgId, campaign.id, moves, atMs);
    };
    for (const minutes of [0, 20, 40]) await move('outside_window', null, AT + minutes * 60_000);
    await move('no_consent', 'suppressed', AT);
    await move('outside_window', null, AT + 3_600_000);
    expect(await eventsOf(campaign)).toEqual([
      { at: new Date(AT), type: 'left_out', data: { reason: 'no_consent', contacts: 1 } },
      { at: new Date(AT), type: 'put_off', data: { reason: 'outside_window', contacts: 3 } },
      { at: new Date(AT + 3_600_000), type: 'put_off', data: { reason: 'outside_window', contacts: 1 } },
    ]);
  });

  it('counts whom the end of the campaign has left out', async () => {
    const campaign = await store.campaign();
    for (let n = 0; n < 3; n++) await store.rows.contact(campaign.id);
    const note = { at: new Date(AT).toISOString(), called: false, reason: 'campaign_ended', detail: '' } as const;
    for (let n = 0; n < 2; n++) await store.dialling.endContacts(store.orgId, campaign.id, note);
    expect(await eventsOf(campaign)).toEqual([
      { at: new Date(AT), type: 'left_out', data: { reason: 'campaign_ended', contacts: 3 } },
    ]);
  });

  it('tells of carriers that want to be left in peace, until the latest time that they have named', async () => {
    const campaign = await store.campaign();
    const [trunkId = ''] = campaign.trunkIds ?? [];
    const note = (coolMs: number, atMs: number): Promise<void> =>
      store.dialling.noteCoolDowns(store.orgId, campaign.id, [{ id: trunkId, coolMs }], atMs);
    await note(30_000, AT);
    await note(60_000, AT + 10_000);
    await note(20_000, AT + 20_000);
    expect(await eventsOf(campaign)).toEqual([
      {
        at: new Date(AT),
        type: 'trunk_cool_down',
        data: { trunk_id: trunkId, until: new Date(AT + 70_000).toISOString() },
      },
    ]);
  });
});

describe('rules that have changed', () => {
  const TOMORROW = new Date(Date.now() + 24 * 3_600_000);
  const AT = '2026-11-30T10:10:00.000Z';
  const passedOver = (reason: string): LastDecision => ({ at: AT, called: false, reason, detail: '' });
  const called: LastDecision = { at: AT, called: true, call_id: uuidV7() };
  const done = { state: 'done', dueAt: null } as const;

  it.each<readonly [string, Partial<CampaignContact>, string]>([
    ['who was put off', { dueAt: TOMORROW, lastDecision: passedOver('outside_window') }, 'pending'],
    ['who was left out', { ...done, result: 'suppressed', lastDecision: passedOver('no_consent') }, 'pending'],
    [
      'who was called before and then left out',
      { ...done, result: 'exhausted', attempts: 1, lastDecision: passedOver('outside_window') },
      'waiting',
    ],
  ])('are asked about %s', async (_, fields, state) => {
    const { contact, events } = await renewed(fields);
    expect(contact).toMatchObject({ state, result: null });
    expect(contact.dueAt!.getTime()).toBeLessThan(Date.now() + 1_000);
    expect(events).toEqual([{ data: { contacts: 1 } }]);
  });

  it.each<readonly [string, Partial<CampaignContact>]>([
    ['who is on a list', { ...done, result: 'suppressed', lastDecision: passedOver('suppressed') }],
    ['who waits for the next try', { state: 'waiting', attempts: 1, dueAt: TOMORROW, lastDecision: called }],
    ['who was called often enough', { ...done, result: 'exhausted', attempts: 3, lastDecision: called }],
    ['who was reached', { ...done, result: 'reached', attempts: 1, lastDecision: called }],
    ['who has opted out', { ...done, result: 'opted_out', attempts: 1, lastDecision: called }],
  ])('leave alone %s', async (_, fields) => {
    const { contact, before, events } = await renewed(fields);
    expect(contact).toEqual(before);
    expect(events).toEqual([{ data: { contacts: 0 } }]);
  });

  async function renewed(fields: Partial<CampaignContact>) {
    const campaign = await store.campaign();
    const before = await store.rows.contact(campaign.id, fields);
    const id = uuidV7();
    await store.dataSource.transaction(async (manager) => {
      await addCampaignEvent(manager, campaign, { id, type: 'changed' });
      await renewContacts(manager, campaign, id, [], { passedOver: true });
    });
    await new CampaignRunRepository(store.dataSource).renewSome(campaign.id, 100);
    const events = await store.dataSource.query('SELECT data FROM campaign_events WHERE id = $1', [id]);
    return { before, contact: await store.rows.stored(before.id), events };
  }
});

describe('the end of a campaign', () => {
  it('leaves no contact that would still be called, whatever number there is, and those under way alone', async () => {
    const campaign = await store.campaign();
    const under = await store.claimed(campaign);
    for (let n = 0; n < 3; n++) await store.rows.contact(campaign.id);
    const note = { at: new Date().toISOString(), called: false, reason: 'campaign_ended', detail: '' } as const;
    expect(await store.dialling.endContacts(store.orgId, campaign.id, note)).toBe(3);
    expect(await store.dialling.endContacts(store.orgId, campaign.id, note)).toBe(0);
    expect(await store.dialling.remainder(campaign.id)).toEqual({ open: 1, calling: 1, nextDueMs: null });
    await store.change(campaign, `ends_at = now()`);
    await store.admit(campaign, under.id);
    await store.end(under, 'canceled', { undialled: true });
    expect(await store.dialling.endContacts(store.orgId, campaign.id, note)).toBe(1);
    expect(await store.rows.stored(under.id)).toMatchObject({ state: 'done', result: 'canceled' });
  });
});

it('what a deleted campaign has left is removed, a few rows at a time', async () => {
  const campaign = await store.campaign({ maxConcurrentCalls: 3 });
  const contact = await store.claimed(campaign);
  await store.admit(campaign, contact.id);
  await store.dataSource.query(
    `INSERT INTO campaign_events (id, org_id, campaign_id, type) VALUES ($1, $2, $3, 'started')`,
    [uuidV7(), store.orgId, campaign.id],
  );
  await store.change(campaign, 'deleted_at = now()');
  for (let removed = 1; removed > 0;) {
    removed = (await store.dataSource.query('SELECT purge_campaigns(1) AS n'))[0].n;
  }
  for (const table of ['campaign_contacts', 'contact_decisions', 'campaign_events', 'campaign_capacity']) {
    const left = await store.dataSource.query(`SELECT FROM ${table} WHERE campaign_id = $1`, [campaign.id]);
    expect([table, left]).toEqual([table, []]);
  }
});
