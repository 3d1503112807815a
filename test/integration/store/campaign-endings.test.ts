/** What the ends of campaigns' calls do to their contacts, on the real database, whoever else is at them at that moment. */
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { statsView } from '../../../api/campaigns/stats-view';
import { attemptIdOf, uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignRepository } from '../../../store/repositories/campaign-repository';
import { CampaignResultsRepository } from '../../../store/repositories/campaign-results-repository';
import { storedAttempts } from '../../support/stored-rows';
import { waitFor } from '../../support/wait-for';
import { AHEAD_MS, BOOT, CHECKS, DiallingStore } from './dialling-store';
import { newCall } from './store-fixture';

let store: DiallingStore;
beforeAll(async () => {
  store = await DiallingStore.open();
});
afterAll(() => store.close());

describe('the end of a call', () => {
  it('moves its contact in the same transaction, once, and its campaign is told', async () => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    await store.admit(campaign, contact.id);
    await new AttemptRepository(store.dataSource).sent(attemptIdOf(contact.callId!, 1));
    store.moved.length = 0;
    expect(await store.end(contact, 'no_answer')).toBe('finalised');
    expect(await store.end(contact, 'no_answer')).toBe('already_final');
    expect(store.moved).toEqual([campaign.id]);
    const after = await store.rows.stored(contact.id);
    const lastDecision = { called: true, call_id: contact.callId };
    expect(after).toMatchObject({ state: 'waiting', attempts: 1, lastDisposition: 'no_answer', lastDecision });
    expect(after.dueAt!.getTime()).toBeGreaterThan(Date.now() + 3 * 3_600_000);
  });

  it.each([
    ['that only met a network without room has disturbed nobody', 'congestion', false, 0],
    ['of a phone that rang first counts by the caps of its number', 'congestion', true, 1],
    ['with any other outcome does too', 'no_answer', false, 1],
  ] as const)('%s', async (_, disposition, rang, counted) => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    const { callId } = contact;
    await store.admit(campaign, contact.id);
    await new AttemptRepository(store.dataSource).sent(attemptIdOf(callId!, 1));
    if (rang) {
      await store.dataSource.query(
        `INSERT INTO call_events (call_id, source, seq, org_id, at, type) VALUES ($1, 'node', 1, $2, now(), 'ringing')`,
        [callId, store.orgId],
      );
    }
    const dialled = async (): Promise<number | undefined> => {
      const until = new Date(Date.now() + 30 * 86_400_000);
      const asked = { after: null, limit: 10, dialledSince: new Date(0) };
      const due = await new CampaignContactRepository(store.dataSource).due(store.orgId, campaign.id, until, asked);
      return due.find(({ id }) => id === contact.id)?.dialledAt.length;
    };
    await store.end(contact, disposition, { attempt: { attemptId: attemptIdOf(callId!, 1), state: 'finished' } });
    expect(await dialled()).toBe(counted);
  });

  it('counts whom it has left out by why: of a look, of the call, and of those whose number was listed meanwhile', async () => {
    const campaign = await store.campaign();
    const at = new Date().toISOString();
    const note = (reason: string) => ({ at, called: false, reason, detail: '' }) as const;
    const due = await Promise.all([0, 1, 2].map(() => store.rows.contact(campaign.id)));
    const seen = await Promise.all(due.map(({ id }) => store.rows.seen(id)));
    const moves = due.map(({ id }, n) => ({
      id,
      seen: seen[n]!,
      result: n < 2 ? ('suppressed' as const) : ('exhausted' as const),
      dueAtMs: null,
      note: note(n < 2 ? 'no_consent' : 'outside_window'),
    }));
    await store.dialling.move(store.orgId, campaign.id, moves, Date.now());
    const called = await store.claimed(campaign);
    await store.dataSource.query('UPDATE campaign_contacts SET last_decision = $2 WHERE id = $1', [
      called.id,
      note('outside_window'),
    ]);
    await store.dataSource.query(
      `INSERT INTO dnc_entries (id, org_id, phone_number, source) VALUES ($1, $2, $3, 'api')`,
      [uuidV7(), store.orgId, called.phoneNumber],
    );
    const { callId: id, phoneNumber: to, trunkId, id: contactId } = called;
    await store.calls.insertCall(newCall(store.orgId, { id: id!, trunkId, to, campaignId: campaign.id, contactId }));
    await store.end(called, 'canceled', { undialled: true });
    const leftOut = async (): Promise<object> =>
      statsView(await new CampaignRepository(store.dataSource).counts(campaign.id), []).left_out;
    expect(await leftOut()).toEqual({ no_consent: 2, outside_window: 1, suppressed: 1 });
    // Due anew, they are not left out any more.
    await store.dataSource.query(
      `UPDATE campaign_contacts SET state = 'pending', result = NULL WHERE campaign_id = $1 AND last_decision->>'reason' = 'no_consent'`,
      [campaign.id],
    );
    expect(await leftOut()).toEqual({ outside_window: 1, suppressed: 1 });
  });

  it('an attempt that nobody knows the outcome of is counted, and its contact not called again', async () => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    await store.admit(campaign, contact.id);
    await store.end(contact, 'uncertain', {
      attempt: { attemptId: attemptIdOf(contact.callId!, 1), state: 'uncertain' },
    });
    expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'uncertain', attempts: 1 });
  });

  describe('whose dial nobody knows of', () => {
    /** The call has a row, as its workflow writes one when no node has dialled within a second. */
    async function givenUp(): Promise<{ campaign: Campaign; contact: CampaignContact }> {
      const campaign = await store.campaign();
      const contact = await store.claimed(campaign);
      const { callId: id, phoneNumber: to, trunkId } = contact;
      await store.calls.insertCall(
        newCall(store.orgId, { id: id!, trunkId, to, campaignId: campaign.id, contactId: contact.id }),
      );
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
      await store.end(contact, 'uncertain');
      const back = await store.rows.stored(contact.id);
      expect(back).toMatchObject({ state: 'pending', result: null, attempts: 0, lastDisposition: null });
      expect(back.dueAt!.getTime()).toBeLessThan(Date.now() + 61_000);
      // Nothing is uncertain about it.
      expect(await store.calls.find(store.orgId, contact.callId!)).toMatchObject({
        disposition: 'failed',
        sipReason: 'no media node had come to the attempt when the call was given up',
      });
      const [event] = await store.dataSource.query(
        `SELECT data FROM call_events WHERE call_id = $1 AND type = 'call.failed'`,
        [contact.callId],
      );
      expect(event).toMatchObject({ data: { disposition: 'failed' } });
      expect(await store.admit(campaign, contact.id)).toEqual({ ok: false, refusal: 'contact_moved' });
      await store.dataSource.query('UPDATE campaign_contacts SET due_at = now() WHERE id = $1', [contact.id]);
      expect(await store.claim(campaign, [back])).toEqual([contact.id]);
      const call = newCall(store.orgId, { id: contact.callId!, to: contact.phoneNumber, trunkId: contact.trunkId });
      const attempt = { attemptId: attemptIdOf(call.id, 1), call, n: 1, sipCallId: 's', ...BOOT };
      const late = { campaignId: campaign.id, contactId: contact.id, version: campaign.version, checks: CHECKS };
      expect(await store.ledger.admitCampaignCall(attempt, late, AHEAD_MS)).toEqual({
        ok: false,
        refusal: 'contact_moved',
      });
      expect(await attemptsOf(contact)).toEqual([]);
      expect(await store.admit(campaign, contact.id)).toMatchObject({ ok: true });
    });

    it('at the moment at which a node that stood still is admitted: given up first, it is not', async () => {
      const { campaign, contact } = await givenUp();
      const [ended, admitted] = await crowded(contact.id, [
        () => store.end(contact, 'uncertain'),
        () => store.admit(campaign, contact.id),
      ]);
      expect([ended, admitted]).toEqual(['finalised', { ok: false, refusal: 'contact_moved' }]);
      expect(await attemptsOf(contact)).toEqual([]);
      expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'pending', attempts: 0 });
    });

    it('at the moment at which a node that stood still is admitted: admitted first, it is an attempt', async () => {
      const { campaign, contact } = await givenUp();
      const [admitted, ended] = await crowded(contact.id, [
        () => store.admit(campaign, contact.id),
        () => store.end(contact, 'uncertain'),
      ]);
      expect([ended, admitted]).toMatchObject(['finalised', { ok: true, waitMs: 0 }]);
      expect(await attemptsOf(contact)).toMatchObject([{ state: 'uncertain' }]);
      expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'uncertain', attempts: 1 });
      const tallies = await new CampaignResultsRepository(store.dataSource).callCounts(store.orgId, campaign.id);
      expect(tallies).toMatchObject([{ disposition: 'uncertain', calls: 1 }]);
    });
  });

  it('found by the reconciler without an ending counts as dialled where an INVITE may have left', async () => {
    const campaign = await store.campaign();
    const [dialled, not] = [await store.claimed(campaign), await store.claimed(campaign)];
    await store.admit(campaign, dialled.id);
    await store.calls.insertCall(
      newCall(store.orgId, { id: not.callId!, campaignId: campaign.id, contactId: not.id, to: not.phoneNumber }),
    );
    await store.end(dialled, 'failed', { endReason: 'workflow_lost' });
    await store.end(not, 'failed', { endReason: 'workflow_lost' });
    expect(await store.rows.stored(dialled.id)).toMatchObject({
      state: 'waiting',
      attempts: 1,
      lastDisposition: 'failed',
    });
    expect(await store.rows.stored(not.id)).toMatchObject({ state: 'pending', attempts: 0, lastDisposition: null });
  });

  it('undialled is no attempt, and one that was only intended has not left', async () => {
    const campaign = await store.campaign();
    const contact = await store.claimed(campaign);
    await store.admit(campaign, contact.id);
    await store.end(contact, 'canceled', { undialled: true });
    expect(await storedAttempts(store.dataSource, contact.callId!)).toMatchObject([{ state: 'not_sent' }]);
    expect(await store.decisions(contact.id)).toMatchObject([{ dialled: false }]);
    const after = await store.rows.stored(contact.id);
    expect(after).toMatchObject({ state: 'pending', attempts: 0, lastAttemptAt: null });
    const counted = await store.dataSource.query('SELECT calls FROM campaign_call_tallies WHERE campaign_id = $1', [
      campaign.id,
    ]);
    expect(counted).toEqual([]);
    expect(after.dueAt!.getTime()).toBeLessThanOrEqual(Date.now());
    const [due] = await new CampaignContactRepository(store.dataSource).due(store.orgId, campaign.id, new Date(), {
      after: null,
      limit: 10,
      dialledSince: new Date(0),
    });
    expect(due).toMatchObject({ id: contact.id, dialledAt: [] });
  });

  it('who has opted out is done, on the list, and not called by any other campaign', async () => {
    const [campaign, other] = [await store.campaign(), await store.campaign()];
    const contact = await store.claimed(campaign);
    await store.admit(campaign, contact.id);
    await store.dataSource.query(
      `INSERT INTO call_events (call_id, source, seq, org_id, at, type, data) VALUES ($1, 'node', 1, $2, now(), 'opted_out', '{}')`,
      [contact.callId, store.orgId],
    );
    await store.end(contact, 'answered', { endReason: 'agent_goodbye' });
    expect(await store.rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'opted_out' });
    const entries = await store.dataSource.query('SELECT source FROM dnc_entries WHERE phone_number = $1', [
      contact.phoneNumber,
    ]);
    expect(entries).toEqual([{ source: 'opt_out' }]);
    const same = await store.claimed(other, { phoneNumber: contact.phoneNumber });
    expect(await store.admit(other, same.id)).toEqual({ ok: false, refusal: 'suppressed' });
  });

  it('of a campaign that was canceled meanwhile leaves the contact with it', async () => {
    const campaign = await store.campaign();
    const [busy, answered] = [await store.claimed(campaign), await store.claimed(campaign)];
    for (const contact of [busy, answered]) await store.admit(campaign, contact.id);
    await store.change(campaign, `status = 'canceled'`);
    await store.end(busy, 'busy');
    await store.end(answered, 'answered');
    expect(await store.rows.stored(busy.id)).toMatchObject({ state: 'done', result: 'canceled' });
    expect(await store.rows.stored(answered.id)).toMatchObject({ state: 'done', result: 'reached' });
  });
});
