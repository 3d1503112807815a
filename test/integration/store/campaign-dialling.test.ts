/** Claims, admissions and endings of campaigns' calls, on the real database: what several at once, repeats and pauses do to them. */
import type { CallEnding } from '../../../contract/endings';
import type { StoredCheck } from '../../../store/entities/contact-decision';
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { attemptIdOf, campaignCallId, uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignResultsRepository } from '../../../store/repositories/campaign-results-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { CampaignAnswer } from '../../../store/repositories/capacity-repository';
import { CampaignRows } from '../../support/campaign-rows';
import { storedAttempts } from '../../support/stored-rows';
import { waitFor } from '../../support/wait-for';
import { newCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const boot = { nodeId: 'node', bootId: 'boot' };
const CHECKS: readonly StoredCheck[] = [{ check: 'no_consent', passed: true, detail: 'Consent form-1' }];
const AHEAD_MS = 1_000;

let store: StoreFixture;
let orgId: string;
let rows: CampaignRows;
let agentId: string;
let dialling: CampaignDiallingRepository;
let ledger: CapacityRepository;
let calls: CallRepository;
const moved: string[] = [];

beforeAll(async () => {
  store = await openStore();
  orgId = await store.newOrg();
  rows = new CampaignRows(store.dataSource, orgId);
  agentId = await rows.agent();
  dialling = new CampaignDiallingRepository(store.dataSource);
  ledger = new CapacityRepository(store.dataSource);
  calls = new CallRepository(store.dataSource, { moved: (campaignId) => void moved.push(campaignId) });
});
afterAll(() => store.close());

async function campaignOf(fields: Partial<Campaign> = {}): Promise<Campaign> {
  return rows.campaign({ trunkIds: [await rows.trunk()], agentId, ...fields });
}

const change = (campaign: Campaign, set: string): Promise<unknown> =>
  store.dataSource.query(`UPDATE campaigns SET ${set}, version = version + 1 WHERE id = $1`, [campaign.id]);

async function claim(
  campaign: Campaign,
  contacts: readonly CampaignContact[],
  { turn = uuidV7(), version = campaign.version } = {},
): Promise<string[]> {
  const trunkId = campaign.trunkIds![0]!;
  const wanted = contacts.map(({ id, calls: n }) => ({
    id,
    calls: n + 1,
    callId: campaignCallId(campaign.id, id, n + 1),
    trunkId,
  }));
  return dialling.claim(orgId, campaign.id, { turn, version, wanted, nowMs: Date.now() });
}

/** The call of a claimed contact, as its node admits it. */
async function admit(
  campaign: Campaign,
  contactId: string,
  { n = 1, aheadMs = AHEAD_MS, atMs = null as number | null } = {},
): Promise<CampaignAnswer> {
  const { callId, phoneNumber: to, trunkId } = await rows.stored(contactId);
  const call = newCall(orgId, { id: callId!, trunkId, to, campaignId: campaign.id, contactId });
  const attemptId = attemptIdOf(call.id, n);
  const admission = { campaignId: campaign.id, contactId, version: campaign.version, checks: CHECKS };
  return ledger.admitCampaignCall({ attemptId, call, n, sipCallId: attemptId, ...boot }, admission, aheadMs, atMs);
}

async function claimed(campaign: Campaign, fields: Partial<CampaignContact> = {}): Promise<CampaignContact> {
  const contact = await rows.contact(campaign.id, fields);
  expect(await claim(campaign, [contact])).toEqual([contact.id]);
  return rows.stored(contact.id);
}

async function end(
  { callId }: CampaignContact,
  disposition: CallEnding['disposition'],
  { endReason = null as CallEnding['endReason'], undialled = false, endedAtMs = Date.now() } = {},
): Promise<string> {
  const ending = { disposition, endReason, endedBy: 'system', sip: null } as const;
  const record = { callId: callId!, ending, endedAtMs, answeredAtMs: null, metrics: null, truncated: false };
  return calls.finaliseCall(record, { undialled });
}

const decisions = (contactId: string): Promise<{ dialled: boolean; checks: StoredCheck[] }[]> =>
  store.dataSource.query('SELECT dialled, checks FROM contact_decisions WHERE contact_id = $1 ORDER BY at', [
    contactId,
  ]);

describe('a claim', () => {
  it('is one worker’s, however many want the same contacts at the same moment', async () => {
    const campaign = await campaignOf();
    const contacts: CampaignContact[] = [];
    for (let n = 0; n < 40; n++) contacts.push(await rows.contact(campaign.id));
    for (let round = 0; round < 4; round++) {
      const some = contacts.slice(round * 10, round * 10 + 10);
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => claim(campaign, n % 2 === 0 ? some : some.toReversed())),
      );
      expect(answers.flat().toSorted()).toEqual(some.map(({ id }) => id).toSorted());
    }
  });

  it('of a turn that is repeated claims nobody else, and finds those it has', async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const turn = uuidV7();
    expect(await claim(campaign, [contact], { turn })).toEqual([contact.id]);
    expect(await claim(campaign, [contact], { turn })).toEqual([]);
    const callId = campaignCallId(campaign.id, contact.id, 1);
    expect(await dialling.claimedBy(orgId, campaign.id, turn)).toMatchObject([{ id: contact.id, calls: 1, callId }]);
    expect(await dialling.claimedBy(orgId, campaign.id, uuidV7())).toEqual([]);
  });

  it('of a campaign that does not run any more, or by other rules, claims nobody', async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    await change(campaign, `name = 'other'`);
    expect(await claim(campaign, [contact])).toEqual([]);
    await change(campaign, `status = 'paused'`);
    expect(await claim(campaign, [contact], { version: campaign.version + 2 })).toEqual([]);
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'pending', calls: 0 });
  });

  it('of a number by two campaigns at once is one campaign’s, and costs the others of the batch nothing', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, two] = [await campaignOf(), await campaignOf()];
      const first = await rows.contact(one.id);
      const { phoneNumber } = first;
      const second = await rows.contact(two.id, { phoneNumber });
      const others = [await rows.contact(two.id), await rows.contact(two.id)];
      const [a, b] = await Promise.all([claim(one, [first]), claim(two, [others[0]!, second, others[1]!])]);
      expect([...a, ...b].filter((id) => id === first.id || id === second.id)).toHaveLength(1);
      expect(b).toEqual(expect.arrayContaining(others.map(({ id }) => id)));
    }
  });

  it('whose call was never started is given back, once, and not to a call that comes late', async () => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    expect(await dialling.stuck(orgId, campaign.id, Date.now() - 60_000)).toEqual([]);
    const found = [{ id: contact.id, callId: contact.callId }];
    expect(await dialling.stuck(orgId, campaign.id, Date.now() + 1)).toEqual(found);
    expect(await dialling.giveBack(contact.id, contact.callId!, Date.now())).toBe(true);
    expect(await dialling.giveBack(contact.id, contact.callId!, Date.now())).toBe(false);
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'pending' });
    expect(await admit(campaign, contact.id)).toEqual({ ok: false, refusal: 'contact_moved' });
    // The next claim is another call, and the late one is not its.
    expect(await claim(campaign, [await rows.stored(contact.id)])).toEqual([contact.id]);
    expect(await end(contact, 'expired', { undialled: true })).toBe('finalised');
    const next = await rows.stored(contact.id);
    expect(next).toMatchObject({ state: 'calling', calls: 2 });
    await change(campaign, `status = 'canceled'`);
    expect(await dialling.giveBack(next.id, next.callId!, Date.now())).toBe(true);
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'canceled', dueAt: null });
  });
});

describe('the end of a campaign', () => {
  it('leaves no contact that would still be called, whatever number there is, and those under way alone', async () => {
    const campaign = await campaignOf();
    const under = await claimed(campaign);
    for (let n = 0; n < 3; n++) await rows.contact(campaign.id);
    const note = { at: new Date().toISOString(), called: false, reason: 'campaign_ended', detail: '' } as const;
    expect(await dialling.endContacts(orgId, campaign.id, note)).toBe(3);
    expect(await dialling.endContacts(orgId, campaign.id, note)).toBe(0);
    expect(await dialling.remainder(campaign.id)).toEqual({ open: 1, calling: 1, nextDueMs: null });
    await change(campaign, `ends_at = now()`);
    await admit(campaign, under.id);
    await end(under, 'canceled', { undialled: true });
    expect(await dialling.endContacts(orgId, campaign.id, note)).toBe(1);
    expect(await rows.stored(under.id)).toMatchObject({ state: 'done', result: 'canceled' });
  });
});

describe('an admission', () => {
  it('stores the call, its attempt and the decision with its checks at once, and refuses to be repeated', async () => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    expect(await admit(campaign, contact.id)).toEqual({ ok: true, waitMs: 0 });
    const row = await calls.find(orgId, contact.callId!);
    expect(row).toMatchObject({ campaignId: campaign.id, contactId: contact.id, status: 'queued' });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toMatchObject([{ n: 1, state: 'intended' }]);
    expect(await decisions(contact.id)).toEqual([{ dialled: true, checks: CHECKS }]);
    await expect(admit(campaign, contact.id)).rejects.toMatchObject({ code: 'attempt_exists' });
    expect(await decisions(contact.id)).toHaveLength(1);
  });

  it.each([
    ['the campaign was paused', `status = 'paused'`, 'campaign_not_running'],
    ['it was changed', `name = 'other'`, 'campaign_changed'],
    ['it was deleted', 'deleted_at = now()', 'campaign_not_running'],
  ])('is refused, without an attempt and a slot, when %s before', async (_, set, refusal) => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    await change(campaign, set);
    expect(await admit(campaign, contact.id)).toEqual({ ok: false, refusal });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toEqual([]);
    const [left] = await store.dataSource.query('SELECT count(*)::int AS n FROM capacity_leases WHERE trunk_id = $1', [
      contact.trunkId,
    ]);
    expect(left).toEqual({ n: 0 });
  });

  it('is refused when the number came onto a do-not-call list, or the time of the campaign is over', async () => {
    const campaign = await campaignOf();
    const [listed, late] = [await claimed(campaign), await claimed(campaign)];
    await store.dataSource.query(
      `INSERT INTO dnc_entries (id, org_id, phone_number, source) VALUES ($1, $2, $3, 'api')`,
      [uuidV7(), orgId, listed.phoneNumber],
    );
    expect(await admit(campaign, listed.id)).toEqual({ ok: false, refusal: 'suppressed' });
    await store.dataSource.query('UPDATE campaigns SET ends_at = $2 WHERE id = $1', [campaign.id, new Date(5_000)]);
    expect(await admit(campaign, late.id, { atMs: 5_000 })).toEqual({ ok: false, refusal: 'campaign_ended' });
    expect(await admit(campaign, late.id, { atMs: 4_999 })).toMatchObject({ ok: true });
  });

  it('waits for the trunk behind a pause that comes while it does, and is refused', async () => {
    const trunkId = await rows.trunk({ maxConcurrentCalls: 5 });
    const campaign = await campaignOf({ trunkIds: [trunkId] });
    const [first, contact] = [await claimed(campaign), await claimed(campaign)];
    await admit(campaign, first.id);
    const holder = store.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('SELECT FROM trunk_capacity WHERE trunk_id = $1 FOR UPDATE', [trunkId]);
    const answer = admit(campaign, contact.id);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await change(campaign, `status = 'paused'`);
    await holder.commitTransaction();
    await holder.release();
    expect(await answer).toEqual({ ok: false, refusal: 'campaign_not_running' });
  });

  it('is within the campaign’s own slots and rate, and says so', async () => {
    const few = await campaignOf({ maxConcurrentCalls: 1 });
    const [one, two] = [await claimed(few), await claimed(few)];
    expect(await admit(few, one.id)).toMatchObject({ ok: true });
    expect(await admit(few, two.id)).toEqual({ ok: false, reason: 'campaign_concurrency', retryInMs: null });
    const places = await ledger.places(orgId, [two.callId!]);
    expect(places.get(two.callId!)).toMatchObject({ reason: 'campaign_concurrency', position: 1 });
    expect(await ledger.release(attemptIdOf(one.callId!, 1))).toEqual([two.callId]);
    expect(await admit(few, two.id)).toMatchObject({ ok: true });

    const slow = await campaignOf({ callsPerSecond: 0.5 });
    const [first, second] = [await claimed(slow), await claimed(slow)];
    expect(await admit(slow, first.id)).toEqual({ ok: true, waitMs: 0 });
    const refused = await admit(slow, second.id);
    expect(refused).toMatchObject({ ok: false, reason: 'campaign_rate' });
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(1_700);
  });

  it('of a campaign that a guard has slowed comes at its share of the rate', async () => {
    const trunkId = await rows.trunk({ maxCallsPerSecond: 1 });
    const campaign = await campaignOf({ trunkIds: [trunkId], pace: 0.25 });
    const [first, second] = [await claimed(campaign), await claimed(campaign)];
    expect(await admit(campaign, first.id)).toEqual({ ok: true, waitMs: 0 });
    const refused = await admit(campaign, second.id);
    expect((refused as { retryInMs: number }).retryInMs).toBeGreaterThan(3_500);
  });
});

describe('the queue', () => {
  it('lets campaigns and the organisation’s own calls take turns, however many of each wait', async () => {
    const trunkId = await rows.trunk({ maxConcurrentCalls: 1 });
    const [large, small] = [await campaignOf({ trunkIds: [trunkId] }), await campaignOf({ trunkIds: [trunkId] })];
    const attempts = new Map<string, string>();
    const own = async (): Promise<string> => {
      const call = newCall(orgId, { trunkId });
      const attemptId = attemptIdOf(call.id, 1);
      attempts.set(call.id, attemptId);
      await ledger.admitCall({ attemptId, call, n: 1, sipCallId: attemptId, ...boot }, AHEAD_MS);
      return call.id;
    };
    const ofCampaign = async (campaign: Campaign): Promise<string> => {
      const { id, callId } = await claimed(campaign);
      attempts.set(callId!, attemptIdOf(callId!, 1));
      await admit(campaign, id);
      return callId!;
    };
    let holder = await own();
    const names = new Map<string, string>();
    for (let n = 0; n < 6; n++) names.set(await ofCampaign(large), `large ${n}`);
    for (let n = 0; n < 3; n++) names.set(await own(), `own ${n}`);
    for (let n = 0; n < 2; n++) names.set(await ofCampaign(small), `small ${n}`);
    const order: string[] = [];
    for (let n = 0; n < names.size; n++) {
      const [next] = await ledger.release(attempts.get(holder)!);
      order.push(names.get(next!)!);
      // It is taken as its workflow would: the slot is its, and its place in the queue is gone.
      await store.dataSource.query('DELETE FROM capacity_queue WHERE call_id = $1', [next]);
      await store.dataSource.query(
        `INSERT INTO capacity_leases (lease_id, org_id, trunk_id, node_id, boot_id) VALUES ($1, $2, $3, 'n', 'b')`,
        [attempts.get(next!), orgId, trunkId],
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

  it('a call that comes when others have waited for long is not behind all of them', async () => {
    const trunkId = await rows.trunk({ maxConcurrentCalls: 1 });
    const campaign = await campaignOf({ trunkIds: [trunkId] });
    for (let n = 0; n < 4; n++) {
      const call = newCall(orgId, { trunkId });
      const attemptId = attemptIdOf(call.id, 1);
      await ledger.admitCall({ attemptId, call, n: 1, sipCallId: attemptId, ...boot }, AHEAD_MS);
    }
    await store.dataSource.query(
      `UPDATE capacity_queue SET queued_at = queued_at - interval '1 hour' WHERE trunk_id = $1`,
      [trunkId],
    );
    const { id, callId } = await claimed(campaign);
    await admit(campaign, id);
    expect((await ledger.places(orgId, [callId!])).get(callId!)).toMatchObject({ position: 2 });
  });
});

describe('the queue of a trunk with a rate', () => {
  const T = 1_800_000_000_000;

  /** At instants of the test’s own; what else than a rate there is is not asked. */
  async function queueOf(perSecond: number): Promise<(call: string, atMs: number) => Promise<string>> {
    const trunkId = await rows.trunk({ maxCallsPerSecond: perSecond });
    await store.dataSource.query('INSERT INTO trunk_capacity (trunk_id, org_id) VALUES ($1, $2)', [trunkId, orgId]);
    return async (call, atMs) => {
      const [answer] = await store.dataSource.query(
        'SELECT reason, wait_ms FROM decide_capacity($1, $2, $3, $4, $5, $6, $7, 1000)',
        [new Date(atMs), uuidV7(), call, orgId, trunkId, 'n', 'b'],
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

describe('the end of a call', () => {
  it('moves its contact in the same transaction, once, and its campaign is told', async () => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    await admit(campaign, contact.id);
    await new AttemptRepository(store.dataSource).sent(attemptIdOf(contact.callId!, 1));
    moved.length = 0;
    expect(await end(contact, 'no_answer')).toBe('finalised');
    expect(await end(contact, 'no_answer')).toBe('already_final');
    expect(moved).toEqual([campaign.id]);
    const after = await rows.stored(contact.id);
    const lastDecision = { called: true, call_id: contact.callId };
    expect(after).toMatchObject({ state: 'waiting', attempts: 1, lastDisposition: 'no_answer', lastDecision });
    expect(after.dueAt!.getTime()).toBeGreaterThan(Date.now() + 3 * 3_600_000);
  });

  it('an attempt that nobody knows the outcome of is counted, and its contact not called again', async () => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    await admit(campaign, contact.id);
    await new AttemptRepository(store.dataSource).uncertain(attemptIdOf(contact.callId!, 1));
    await end(contact, 'uncertain');
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'uncertain', attempts: 1 });
  });

  describe('whose dial nobody knows of', () => {
    /** The call has a row, as its workflow writes one when no node has dialled within a second. */
    async function givenUp(): Promise<{ campaign: Campaign; contact: CampaignContact }> {
      const campaign = await campaignOf();
      const contact = await claimed(campaign);
      const { callId: id, phoneNumber: to, trunkId } = contact;
      await calls.insertCall(newCall(orgId, { id: id!, trunkId, to, campaignId: campaign.id, contactId: contact.id }));
      return { campaign, contact };
    }
    const attemptsOf = ({ callId }: CampaignContact) => storedAttempts(store.dataSource, callId!);

    /** One behind the other: they wait for the contact's row in the order in which they came. */
    async function crowded(contactId: string, works: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
      const before = store.dataSource.createQueryRunner();
      await before.startTransaction();
      await before.query('SELECT FROM campaign_contacts WHERE id = $1 FOR UPDATE', [contactId]);
      const under: Promise<unknown>[] = [];
      for (const [n, work] of works.entries()) {
        under.push(work());
        await waitFor(`${n + 1} that wait`, 5_000, async () => {
          const [{ waiting }] = await store.dataSource.query(
            `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return waiting > n ? true : undefined;
        });
      }
      await before.rollbackTransaction();
      await before.release();
      return Promise.all(under);
    }

    it('is nobody’s attempt: its contact comes again, and the dial that comes after all is refused', async () => {
      const { campaign, contact } = await givenUp();
      await end(contact, 'uncertain');
      const back = await rows.stored(contact.id);
      expect(back).toMatchObject({ state: 'pending', result: null, attempts: 0, lastDisposition: null });
      expect(back.dueAt!.getTime()).toBeLessThan(Date.now() + 61_000);
      expect(await admit(campaign, contact.id)).toEqual({ ok: false, refusal: 'contact_moved' });
      await store.dataSource.query('UPDATE campaign_contacts SET due_at = now() WHERE id = $1', [contact.id]);
      expect(await claim(campaign, [back])).toEqual([contact.id]);
      const call = newCall(orgId, { id: contact.callId!, to: contact.phoneNumber, trunkId: contact.trunkId });
      const attempt = { attemptId: attemptIdOf(call.id, 1), call, n: 1, sipCallId: 's', ...boot };
      const late = { campaignId: campaign.id, contactId: contact.id, version: campaign.version, checks: CHECKS };
      expect(await ledger.admitCampaignCall(attempt, late, AHEAD_MS)).toEqual({ ok: false, refusal: 'contact_moved' });
      expect(await attemptsOf(contact)).toEqual([]);
      expect(await admit(campaign, contact.id)).toMatchObject({ ok: true });
    });

    it('at the moment at which a node that stood still is admitted: given up first, it is not', async () => {
      const { campaign, contact } = await givenUp();
      const [ended, admitted] = await crowded(contact.id, [
        () => end(contact, 'uncertain'),
        () => admit(campaign, contact.id),
      ]);
      expect([ended, admitted]).toEqual(['finalised', { ok: false, refusal: 'contact_moved' }]);
      expect(await attemptsOf(contact)).toEqual([]);
      expect(await rows.stored(contact.id)).toMatchObject({ state: 'pending', attempts: 0 });
    });

    it('at the moment at which a node that stood still is admitted: admitted first, it is an attempt', async () => {
      const { campaign, contact } = await givenUp();
      const [admitted, ended] = await crowded(contact.id, [
        () => admit(campaign, contact.id),
        () => end(contact, 'uncertain'),
      ]);
      expect([ended, admitted]).toEqual(['finalised', { ok: true, waitMs: 0 }]);
      expect(await attemptsOf(contact)).toMatchObject([{ state: 'uncertain' }]);
      expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'uncertain', attempts: 1 });
      const tallies = await new CampaignResultsRepository(store.dataSource).callCounts(orgId, campaign.id);
      expect(tallies).toMatchObject([{ disposition: 'uncertain', calls: 1 }]);
    });
  });

  it('found by the reconciler without an ending counts as dialled where an INVITE may have left', async () => {
    const campaign = await campaignOf();
    const [dialled, not] = [await claimed(campaign), await claimed(campaign)];
    await admit(campaign, dialled.id);
    await calls.insertCall(
      newCall(orgId, { id: not.callId!, campaignId: campaign.id, contactId: not.id, to: not.phoneNumber }),
    );
    await end(dialled, 'failed', { endReason: 'workflow_lost' });
    await end(not, 'failed', { endReason: 'workflow_lost' });
    expect(await rows.stored(dialled.id)).toMatchObject({ state: 'waiting', attempts: 1, lastDisposition: 'failed' });
    expect(await rows.stored(not.id)).toMatchObject({ state: 'pending', attempts: 0, lastDisposition: null });
  });

  it('undialled is no attempt, and one that was only intended has not left', async () => {
    const campaign = await campaignOf();
    const contact = await claimed(campaign);
    await admit(campaign, contact.id);
    await end(contact, 'canceled', { undialled: true });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toMatchObject([{ state: 'not_sent' }]);
    expect(await decisions(contact.id)).toMatchObject([{ dialled: false }]);
    const after = await rows.stored(contact.id);
    expect(after).toMatchObject({ state: 'pending', attempts: 0, lastAttemptAt: null });
    expect(after.dueAt!.getTime()).toBeLessThanOrEqual(Date.now());
    const [due] = await new CampaignContactRepository(store.dataSource).due(orgId, campaign.id, new Date(), {
      after: null,
      limit: 10,
      dialledSince: new Date(0),
    });
    expect(due).toMatchObject({ id: contact.id, dialledAt: [] });
  });

  it('who has opted out is done, on the list, and not called by any other campaign', async () => {
    const [campaign, other] = [await campaignOf(), await campaignOf()];
    const contact = await claimed(campaign);
    await admit(campaign, contact.id);
    await store.dataSource.query(
      `INSERT INTO call_events (call_id, source, seq, org_id, at, type, data) VALUES ($1, 'node', 1, $2, now(), 'opted_out', '{}')`,
      [contact.callId, orgId],
    );
    await end(contact, 'answered', { endReason: 'agent_goodbye' });
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'opted_out' });
    const entries = await store.dataSource.query('SELECT source FROM dnc_entries WHERE phone_number = $1', [
      contact.phoneNumber,
    ]);
    expect(entries).toEqual([{ source: 'opt_out' }]);
    const same = await claimed(other, { phoneNumber: contact.phoneNumber });
    expect(await admit(other, same.id)).toEqual({ ok: false, refusal: 'suppressed' });
  });

  it('of a campaign that was canceled meanwhile leaves the contact with it', async () => {
    const campaign = await campaignOf();
    const [busy, answered] = [await claimed(campaign), await claimed(campaign)];
    for (const contact of [busy, answered]) await admit(campaign, contact.id);
    await change(campaign, `status = 'canceled'`);
    await end(busy, 'busy');
    await end(answered, 'answered');
    expect(await rows.stored(busy.id)).toMatchObject({ state: 'done', result: 'canceled' });
    expect(await rows.stored(answered.id)).toMatchObject({ state: 'done', result: 'reached' });
  });
});

it('what a deleted campaign has left is removed, a few rows at a time', async () => {
  const campaign = await campaignOf({ maxConcurrentCalls: 3 });
  const contact = await claimed(campaign);
  await admit(campaign, contact.id);
  await store.dataSource.query(
    `INSERT INTO campaign_events (id, org_id, campaign_id, type) VALUES ($1, $2, $3, 'started')`,
    [uuidV7(), orgId, campaign.id],
  );
  await change(campaign, 'deleted_at = now()');
  for (let removed = 1; removed > 0;) {
    removed = (await store.dataSource.query('SELECT purge_campaigns(1) AS n'))[0].n;
  }
  for (const table of ['campaign_contacts', 'contact_decisions', 'campaign_events', 'campaign_capacity']) {
    const left = await store.dataSource.query(`SELECT FROM ${table} WHERE campaign_id = $1`, [campaign.id]);
    expect([table, left]).toEqual([table, []]);
  }
});
