/** Admissions of campaigns' calls, and their places in the queue, on the real database. */
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { attemptIdOf, uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { storedAttempts } from '../../support/stored-rows';
import { AHEAD_MS, BOOT, CHECKS, DiallingStore } from './dialling-store';
import { newCall } from './store-fixture';

let store: DiallingStore;
let contacts: CampaignContactRepository;
beforeAll(async () => {
  store = await DiallingStore.open();
  contacts = new CampaignContactRepository(store.dataSource);
});
afterAll(() => store.close());

describe('an admission', () => {
  it('stores the call, its attempt and the decision with its checks at once, and refuses to be repeated', async () => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    expect(await store.admit(campaign, contact.id)).toMatchObject({ ok: true, waitMs: 0 });
    const row = await store.calls.find(store.orgId, contact.callId!);
    expect(row).toMatchObject({ campaignId: campaign.id, contactId: contact.id, status: 'queued' });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toMatchObject([{ n: 1, state: 'intended' }]);
    expect(await store.decisions(contact.id)).toEqual([{ dialled: true, checks: CHECKS }]);
    await expect(store.admit(campaign, contact.id)).rejects.toMatchObject({ code: 'attempt_exists' });
    expect(await store.decisions(contact.id)).toHaveLength(1);
  });

  it.each([
    ['the campaign was paused', `status = 'paused'`, 'campaign_not_running'],
    ['it was changed', `name = 'other'`, 'campaign_changed'],
    ['it was deleted', 'deleted_at = now()', 'campaign_not_running'],
  ])('is refused, without an attempt and a slot, when %s before', async (_, set, refusal) => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    await store.change(campaign, set);
    expect(await store.admit(campaign, contact.id)).toEqual({ ok: false, refusal });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toEqual([]);
    const [left] = await store.dataSource.query('SELECT count(*)::int AS n FROM capacity_leases WHERE trunk_id = $1', [
      contact.trunkId,
    ]);
    expect(left).toEqual({ n: 0 });
  });

  it('is refused when the number came onto a do-not-call list, or the time of the campaign is over', async () => {
    const campaign = await store.campaign();
    const [listed, late] = [await store.claimed(campaign), await store.claimed(campaign)];
    await store.dataSource.query(
      `INSERT INTO dnc_entries (id, org_id, phone_number, source) VALUES ($1, $2, $3, 'api')`,
      [uuidV7(), store.orgId, listed.phoneNumber],
    );
    expect(await store.admit(campaign, listed.id)).toEqual({ ok: false, refusal: 'suppressed' });
    await store.dataSource.query('UPDATE campaigns SET ends_at = $2 WHERE id = $1', [campaign.id, new Date(5_000)]);
    expect(await store.admit(campaign, late.id, { atMs: 5_000 })).toEqual({ ok: false, refusal: 'campaign_ended' });
    expect(await store.admit(campaign, late.id, { atMs: 4_999 })).toMatchObject({ ok: true });
  });

  it.each([
    ['that the API has made', 'outbound', 'dialing', false],
    ['that waits for room', 'outbound', 'queued', false],
    ['that came in', 'inbound', 'in_progress', false],
    ['that is to be made another day', 'outbound', 'scheduled', true],
    ['of another organisation', 'outbound', 'in_progress', true],
  ] as const)('beside a call with the number %s', async (what, direction, status, admitted) => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    const party = direction === 'inbound' ? { from: contact.phoneNumber } : { to: contact.phoneNumber };
    const orgId = what.includes('another org') ? uuidV7() : store.orgId;
    const other = newCall(orgId, { direction, status, ...party });
    await store.calls.insertCall(other);
    const answer = await store.admit(campaign, contact.id);
    expect(answer).toMatchObject(admitted ? { ok: true, waitMs: 0 } : { ok: false, refusal: 'called_now' });
    // Whoever claims does not take the number either.
    const again = await store.rows.contact((await store.campaign()).id, { phoneNumber: contact.phoneNumber });
    await store.end(contact, 'canceled', { undialled: true });
    const due = async (): Promise<boolean | undefined> => {
      const asked = { after: null, limit: 1, dialledSince: new Date() };
      const [one] = await contacts.due(store.orgId, again.campaignId, new Date(), asked);
      return one?.calling;
    };
    expect(await due()).toBe(!admitted);
    if (admitted) return;
    await store.dataSource.query(`UPDATE calls SET status = 'completed', ended_at = now() WHERE id = $1`, [other.id]);
    expect(await due()).toBe(false);
  });

  it('waits for the trunk behind a pause that comes while it does, and is refused', async () => {
    const trunkId = await store.rows.trunk({ maxConcurrentCalls: 5 });
    const campaign = await store.campaign({ trunkIds: [trunkId] });
    const [first, contact] = [await store.claimed(campaign), await store.claimed(campaign)];
    await store.admit(campaign, first.id);
    const holder = store.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT FROM trunk_capacity WHERE trunk_id = $1 FOR UPDATE', [trunkId]);
    const answer = store.admit(campaign, contact.id);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await store.change(campaign, `status = 'paused'`);
    await holder.commitTransaction();
    await holder.release();
    expect(await answer).toEqual({ ok: false, refusal: 'campaign_not_running' });
  });

  it('is within the campaign’s own slots and rate, and says so', async () => {
    const few = await store.campaign({ maxConcurrentCalls: 1 });
    const [one, two] = [await store.claimed(few), await store.claimed(few)];
    expect(await store.admit(few, one.id)).toMatchObject({ ok: true });
    expect(await store.admit(few, two.id)).toEqual({ ok: false, reason: 'campaign_concurrency', retryInMs: null });
    const places = await store.ledger.places(store.orgId, [two.callId!]);
    expect(places.get(two.callId!)).toMatchObject({ reason: 'campaign_concurrency', position: 1 });
    expect(await store.ledger.release(attemptIdOf(one.callId!, 1))).toEqual([two.callId]);
    expect(await store.admit(few, two.id)).toMatchObject({ ok: true });

    const slow = await store.campaign({ callsPerSecond: 0.5 });
    const [first, second] = [await store.claimed(slow), await store.claimed(slow)];
    expect(await store.admit(slow, first.id)).toMatchObject({ ok: true, waitMs: 0 });
    const refused = await store.admit(slow, second.id);
    expect(refused).toMatchObject({ ok: false, reason: 'campaign_rate' });
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(1_700);
  });

  it('of a campaign that a guard has slowed comes at its share of the rate', async () => {
    const trunkId = await store.rows.trunk({ maxCallsPerSecond: 1 });
    const campaign = await store.campaign({ trunkIds: [trunkId], pace: 0.25 });
    const [first, second] = [await store.claimed(campaign), await store.claimed(campaign)];
    expect(await store.admit(campaign, first.id)).toMatchObject({ ok: true, waitMs: 0 });
    const refused = await store.admit(campaign, second.id);
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(3_500);
  });

  it('of a slowed campaign with several trunks comes at its share of what all of them carry', async () => {
    const rates = [1, 9];
    const trunkIds: string[] = [];
    for (const maxCallsPerSecond of rates) trunkIds.push(await store.rows.trunk({ maxCallsPerSecond }));
    const campaign = await store.campaign({ trunkIds, pace: 0.5 });
    const [slow, fast] = [await store.claimed(campaign), await store.claimed(campaign)];
    await store.dataSource.query('UPDATE campaign_contacts SET trunk_id = $2 WHERE id = $1', [fast.id, trunkIds[1]]);
    expect(await store.admit(campaign, slow.id)).toMatchObject({ ok: true, waitMs: 0 });
    const next = await store.admit(campaign, fast.id);
    expect(next).toMatchObject({ ok: true });
    expect((next as { waitMs: number }).waitMs).toBeLessThanOrEqual(200);
  });
});

describe('the queue', () => {
  it('lets campaigns and the organisation’s own calls take turns, however many of each wait', async () => {
    const trunkId = await store.rows.trunk({ maxConcurrentCalls: 1 });
    const [large, small] = [
      await store.campaign({ trunkIds: [trunkId] }),
      await store.campaign({ trunkIds: [trunkId] }),
    ];
    const attempts = new Map<string, string>();
    const own = async (): Promise<string> => {
      const call = newCall(store.orgId, { trunkId });
      const attemptId = attemptIdOf(call.id, 1);
      attempts.set(call.id, attemptId);
      await store.ledger.admitCall({ attemptId, call, n: 1, sipCallId: attemptId, ...BOOT }, AHEAD_MS);
      return call.id;
    };
    const ofCampaign = async (campaign: Campaign): Promise<string> => {
      const { id, callId } = await store.claimed(campaign);
      attempts.set(callId!, attemptIdOf(callId!, 1));
      await store.admit(campaign, id);
      return callId!;
    };
    let holder = await own();
    const names = new Map<string, string>();
    for (let n = 0; n < 6; n++) names.set(await ofCampaign(large), `large ${n}`);
    for (let n = 0; n < 3; n++) names.set(await own(), `own ${n}`);
    for (let n = 0; n < 2; n++) names.set(await ofCampaign(small), `small ${n}`);
    const order: string[] = [];
    for (let n = 0; n < names.size; n++) {
      const [next] = await store.ledger.release(attempts.get(holder)!);
      order.push(names.get(next!)!);
      // It is taken as its workflow would: the slot is its, and its place in the queue is gone.
      await store.dataSource.query('DELETE FROM capacity_queue WHERE call_id = $1', [next]);
      await store.dataSource.query(
        `INSERT INTO capacity_leases (lease_id, org_id, trunk_id, node_id, boot_id) VALUES ($1, $2, $3, 'n', 'b')`,
        [attempts.get(next!), store.orgId, trunkId],
      );
      holder = next!;
    }
    for (const flow of ['large', 'own', 'small']) {
      const places = order.flatMap((name, at) => (name.startsWith(flow) ? [{ name, at }] : []));
      expect(places.map(({ name }) => name)).toEqual(places.map((_, n) => `${flow} ${n}`));
    }
    // Each flow's n-th comes before anybody else's n + 2nd.
    expect(order.indexOf('small 0')).toBeLessThan(order.indexOf('large 2'));
    expect(order.indexOf('small 1')).toBeLessThan(order.indexOf('large 3'));
    expect(order.indexOf('own 2')).toBeLessThan(order.indexOf('large 4'));
    expect(order.slice(-2)).toEqual(['large 4', 'large 5']);
  });

  it('is where a call was whose attempt was admitted and never sent', async () => {
    const trunkId = await store.rows.trunk({ maxConcurrentCalls: 1 });
    const campaign = await store.campaign({ trunkIds: [trunkId] });
    const attempts = new AttemptRepository(store.dataSource);
    const contacts: CampaignContact[] = [];
    for (let n = 0; n < 4; n++) contacts.push(await store.claimed(campaign));
    const [first, second, third, fourth] = contacts as [
      CampaignContact,
      CampaignContact,
      CampaignContact,
      CampaignContact,
    ];
    for (const { id } of contacts) await store.admit(campaign, id);
    const idOf = ({ callId }: CampaignContact): string => attemptIdOf(callId!, 1);
    expect(await store.ledger.release(idOf(first))).toEqual([second.callId]);
    expect(await store.admit(campaign, second.id)).toMatchObject({ ok: true });
    // Its node is stopped: the slot is the next one's.
    await attempts.notSent(idOf(second));
    expect(await store.ledger.release(idOf(second))).toEqual([third.callId]);
    expect(await store.admit(campaign, third.id)).toMatchObject({ ok: true });
    expect(await store.admit(campaign, second.id, { n: 2 })).toMatchObject({ reason: 'trunk_concurrency' });
    const places = await store.ledger.places(store.orgId, [second.callId!, fourth.callId!]);
    expect([places.get(second.callId!)?.position, places.get(fourth.callId!)?.position]).toEqual([1, 2]);
    expect(await store.ledger.release(idOf(third))).toEqual([second.callId]);
    expect(await store.admit(campaign, second.id, { n: 2 })).toMatchObject({ ok: true });
  });

  it('a call that comes when others have waited for long is not behind all of them', async () => {
    const trunkId = await store.rows.trunk({ maxConcurrentCalls: 1 });
    const campaign = await store.campaign({ trunkIds: [trunkId] });
    for (let n = 0; n < 4; n++) {
      const call = newCall(store.orgId, { trunkId });
      const attemptId = attemptIdOf(call.id, 1);
      await store.ledger.admitCall({ attemptId, call, n: 1, sipCallId: attemptId, ...BOOT }, AHEAD_MS);
    }
    await store.dataSource.query(
      `UPDATE capacity_queue SET queued_at = queued_at - interval '1 hour' WHERE trunk_id = $1`,
      [trunkId],
    );
    const { id, callId } = await store.claimed(campaign);
    await store.admit(campaign, id);
    expect((await store.ledger.places(store.orgId, [callId!])).get(callId!)).toMatchObject({ position: 2 });
  });
});

describe('the queue of a trunk with a rate', () => {
  const T = 1_800_000_000_000;

  /** At instants of the test’s own; what else than a rate there is is not asked. */
  async function queueOf(perSecond: number): Promise<(call: string, atMs: number) => Promise<string>> {
    const trunkId = await store.rows.trunk({ maxCallsPerSecond: perSecond });
    await store.dataSource.query('INSERT INTO trunk_capacity (trunk_id, org_id) VALUES ($1, $2)', [
      trunkId,
      store.orgId,
    ]);
    return async (call, atMs) => {
      const [answer] = await store.dataSource.query(
        'SELECT reason, wait_ms FROM decide_capacity($1, $2, $3, $4, $5, $6, $7, 1000)',
        [new Date(atMs), uuidV7(), call, store.orgId, trunkId, 'n', 'b'],
      );
      return answer.reason ?? `in ${answer.wait_ms}`;
    };
  }

  it('is not overtaken by who comes half a second before its turn, when the one ahead is late', async () => {
    const ask = await queueOf(1);
    const [first, second, third, fourth] = [uuidV7(), uuidV7(), uuidV7(), uuidV7()];
    expect([await ask(first, T), await ask(second, T + 1)]).toEqual(['in 0', 'in 999']);
    expect([await ask(third, T + 2), await ask(fourth, T + 3)]).toEqual(['trunk_rate', 'trunk_rate']);
    expect(await ask(fourth, T + 2_500)).toBe('trunk_rate');
    expect(await ask(third, T + 2_600)).toBe('in 0');
    expect(await ask(fourth, T + 2_700)).toBe('in 900');
  });

  it('holds up no call of a campaign for another one of it, as long as nobody else waits', async () => {
    const trunkId = await store.rows.trunk({ maxCallsPerSecond: 4 });
    const [campaign, other] = [
      await store.campaign({ trunkIds: [trunkId] }),
      await store.campaign({ trunkIds: [trunkId] }),
    ];
    const [first, second, third] = [
      await store.claimed(campaign),
      await store.claimed(campaign),
      await store.claimed(campaign),
    ];
    const theirs = await store.claimed(other);
    const at = (contact: CampaignContact, of: Campaign, ms: number) =>
      store.admit(of, contact.id, { aheadMs: 100, atMs: T + ms });
    expect(await at(first, campaign, 0)).toMatchObject({ ok: true, waitMs: 0 });
    expect(await at(second, campaign, 0)).toMatchObject({ reason: 'trunk_rate', retryInMs: 1_000 });
    // The timer of the second is still on, and the trunk has a turn.
    expect(await at(third, campaign, 300)).toMatchObject({ ok: true, waitMs: 0 });
    expect(await at(theirs, other, 600)).toMatchObject({ reason: 'trunk_rate' });
    expect(await at(second, campaign, 1_000)).toMatchObject({ ok: true, waitMs: 0 });
    expect(await at(theirs, other, 1_600)).toMatchObject({ ok: true, waitMs: 0 });
  });

  it('keeps its order over a time in which nobody could ask', async () => {
    const ask = await queueOf(1);
    const calls = Array.from({ length: 5 }, () => uuidV7());
    for (const [n, call] of calls.entries()) await ask(call, T + n);
    const [, , third, fourth, fifth] = calls as [string, string, string, string, string];
    const afterMs = T + 60_000;
    // Whoever’s workflow wakes first is not the first for it.
    expect([await ask(fifth, afterMs), await ask(fourth, afterMs + 50)]).toEqual(['trunk_rate', 'trunk_rate']);
    expect(await ask(third, afterMs + 100)).toBe('in 0');
    expect(await ask(fourth, afterMs + 200)).toBe('in 900');
  });

  it('lets neighbours change places where the trunk is fast', async () => {
    const ask = await queueOf(50);
    const calls = Array.from({ length: 60 }, () => uuidV7());
    const answers: string[] = [];
    for (const call of calls) answers.push(await ask(call, T));
    const waiting = calls.filter((_, n) => answers[n] === 'trunk_rate');
    expect(waiting.length).toBeGreaterThan(5);
    expect(await ask(waiting[3]!, T + 1_500)).not.toBe('trunk_rate');
  });
});
