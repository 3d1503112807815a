/** A contact's way through a campaign's call: claimed, started, dialled, and what becomes of it. */
import type { CallEnding } from '../../../contract/endings';
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { ContactDecision } from '../../../store/entities/contact-decision';
import { campaignCallId, uuidV7 } from '../../../store/ids';
import { createDialDue } from '../../../activities/campaigns/dial-due';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import type { DialPlan } from '../../fakes/fake-media-control';
import { ALWAYS, CampaignRows } from '../../support/campaign-rows';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { PlannedDials } from './planned-dials';

let env: WorkflowEnvironment;
let node: FakeNode;
let dials: PlannedDials;
let rows: CampaignRows;
/** Attempts whose INVITE has left. */
const invites: string[] = [];

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  dials = new PlannedDials(env, node);
  node.control.onInvite = (sipCallId) => void invites.push(sipCallId);
  rows = new CampaignRows(env.dataSource, env.orgId);
  await env.dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [env.orgId]);
  await rows.agent(env.agentId);
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function campaignOf(fields: Partial<Campaign> = {}): Promise<Campaign> {
  return rows.campaign({ trunkIds: [await rows.trunk()], agentId: env.agentId, ...fields });
}

const dial = (campaignId: string, turn = uuidV7()) => env.dialDue.dialDue({ campaignId, orgId: env.orgId, turn });

/** The n-th call to a contact, whose dials go as planned. */
function planned(campaign: Campaign, contact: CampaignContact, plans: readonly DialPlan[], n = 1): string {
  const callId = campaignCallId(campaign.id, contact.id, n);
  dials.plan(callId, plans);
  return callId;
}

const BUSY: CallEnding = { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null };

const decisions = (contactId: string): Promise<ContactDecision[]> =>
  env.dataSource.manager.find(ContactDecision, { where: { contactId }, order: { at: 'ASC' } });

test.concurrent(
  'a contact is claimed, called with what its campaign says, answered, and done',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const callId = planned(campaign, contact, [{ kind: 'answer' }]);
    const report = await dial(campaign.id);
    expect(report).toMatchObject({ status: 'running', started: 1, calling: 1, open: 1, wakeInMs: null });
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'calling', callId, dueAt: null });
    await env.rowIs(callId, 'in_progress');
    const command = node.control.dials.find((one) => one.callId === callId);
    expect(command).toMatchObject({
      to: contact.phoneNumber,
      callerNumber: '+12025550100',
      script: {
        variables: { name: 'Ada', phone_number: contact.phoneNumber },
        disclosureLine: 'I am a machine, {{name}}.',
      },
    });
    expect(await env.row(callId)).toMatchObject({ campaignId: campaign.id, contactId: contact.id });
    node.control.end(callId, PEER_HANGUP);
    await env.finished(callId);
    expect(await rows.stored(contact.id)).toMatchObject({
      state: 'done',
      result: 'reached',
      attempts: 1,
      calls: 1,
      lastDisposition: 'answered',
    });
    expect(env.moved).toContain(campaign.id);
    const [decision, ...others] = await decisions(contact.id);
    expect(others).toEqual([]);
    expect(decision).toMatchObject({ callId, dialled: true });
    expect(decision?.checks.every(({ passed }) => passed)).toBe(true);
  },
  60_000,
);

test.concurrent(
  'busy: the contact waits for as long as its campaign says, and is called again then',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const first = planned(campaign, contact, [{ kind: 'end', ending: BUSY }]);
    await dial(campaign.id);
    const { endedAt } = await env.finished(first);
    const waiting = await rows.stored(contact.id);
    expect(waiting).toMatchObject({ state: 'waiting', attempts: 1, lastDisposition: 'busy' });
    expect(waiting.dueAt?.getTime()).toBe(waiting.lastAttemptAt!.getTime() + 15 * 60_000);
    expect(waiting.dueAt!.getTime()).toBeGreaterThan(endedAt!.getTime());
    const report = await dial(campaign.id);
    expect(report).toMatchObject({ started: 0, calling: 0, open: 1 });
    expect(report.wakeInMs).toBeGreaterThan(200_000);
    await env.dataSource.query('UPDATE campaign_contacts SET due_at = now() WHERE id = $1', [contact.id]);
    const second = planned(campaign, contact, [{ kind: 'answer' }], 2);
    expect(await dial(campaign.id)).toMatchObject({ started: 1 });
    await env.rowIs(second, 'in_progress');
    node.control.end(second, PEER_HANGUP);
    await env.finished(second);
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'reached', attempts: 2, calls: 2 });
  },
  60_000,
);

const pause = (campaign: Campaign): Promise<unknown> =>
  env.dataSource.query(`UPDATE campaigns SET status = 'paused', version = version + 1 WHERE id = $1`, [campaign.id]);

const resume = (campaign: Campaign): Promise<unknown> =>
  env.dataSource.query(`UPDATE campaigns SET status = 'running', version = version + 1 WHERE id = $1`, [campaign.id]);

const leases = async (trunkId: string): Promise<number> =>
  (await new CapacityRepository(env.dataSource).inUse()).find((one) => one.trunkId === trunkId)?.leases ?? 0;

const invited = async (callId: string): Promise<number> =>
  (await env.attempts(callId)).filter(({ sipCallId }) => invites.includes(sipCallId)).length;

test.concurrent(
  'a call that waits for room when its campaign is paused is not dialled, and its contact comes again when it is resumed',
  async () => {
    const trunkId = await rows.trunk({ maxConcurrentCalls: 1 });
    const campaign = await campaignOf({ trunkIds: [trunkId] });
    const first = await rows.contact(campaign.id);
    const up = planned(campaign, first, [{ kind: 'answer' }]);
    expect(await dial(campaign.id)).toMatchObject({ started: 1 });
    await env.rowIs(up, 'in_progress');
    const second = await rows.contact(campaign.id);
    const waits = campaignCallId(campaign.id, second.id, 1);
    // One more than there is room for, so that it is there when a slot comes free; and no third.
    await rows.contact(campaign.id, { priority: -1 });
    expect(await dial(campaign.id)).toMatchObject({ started: 1, calling: 2, wakeInMs: 2_000 });
    await waitFor('the place in the queue', 10_000, async () =>
      (await new CapacityRepository(env.dataSource).places(env.orgId, [waits])).get(waits),
    );
    await pause(campaign);
    await new CallWorkflows({ client: env.client, limitMs: 5_000 }).signalCapacity(waits);
    const ended = await env.finished(waits);
    expect(ended).toMatchObject({
      disposition: 'canceled',
      endReason: null,
      sipReason: 'not dialled by its campaign: campaign not running',
    });
    expect(await env.attempts(waits)).toEqual([]);
    const back = await rows.stored(second.id);
    expect(back).toMatchObject({ state: 'pending', attempts: 0, lastDecision: { reason: 'campaign_not_running' } });
    expect(await decisions(second.id)).toMatchObject([{ dialled: false, callId: waits }]);
    expect(await dial(campaign.id)).toMatchObject({ status: 'paused', started: 0, wakeInMs: null });
    await resume(campaign);
    node.control.end(up, PEER_HANGUP);
    await env.finished(up);
    await env.dataSource.query('UPDATE campaign_contacts SET due_at = NULL WHERE campaign_id = $1 AND priority = -1', [
      campaign.id,
    ]);
    const again = planned(campaign, second, [{ kind: 'answer' }], 2);
    expect(await dial(campaign.id)).toMatchObject({ started: 1 });
    await env.rowIs(again, 'in_progress');
    node.control.end(again, PEER_HANGUP);
    await env.finished(again);
    expect([await invited(up), await invited(waits), await invited(again)]).toEqual([1, 0, 1]);
    expect(await leases(trunkId)).toBe(0);
  },
  60_000,
);

test.concurrent(
  'a pause between two gateways of an attempt keeps the second INVITE back, and is evidence',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const callId = planned(campaign, contact, [{ kind: 'ring' }]);
    await dial(campaign.id);
    await waitFor('the first INVITE', 10_000, async () => ((await invited(callId)) === 1 ? true : undefined));
    const mayGoOn = node.control.failovers.get(callId)!;
    expect(await mayGoOn()).toBeNull();
    await pause(campaign);
    expect(await mayGoOn()).toBe('campaign_not_running');
    const failed = (await decisions(contact.id)).map(({ checks }) => checks.find(({ passed }) => !passed)?.check);
    expect(failed).toEqual([undefined, 'campaign_not_running']);
    node.control.end(callId, { ...BUSY, disposition: 'congestion' });
    await env.finished(callId);
  },
  60_000,
);

test.concurrent(
  'a pause while a node waits for its turn leaves no INVITE, no slot and no attempt',
  async () => {
    const trunkId = await rows.trunk({ maxCallsPerSecond: 1 });
    const campaign = await campaignOf({ trunkIds: [trunkId] });
    const contacts = [await rows.contact(campaign.id, { priority: 1 }), await rows.contact(campaign.id)];
    // The second is started when the first has left, and finds its turn to be a good part of a second off.
    await waitFor('both to be started', 10_000, async () => {
      const { open, calling } = await dial(campaign.id);
      return calling === open ? true : undefined;
    });
    const callIds = contacts.map(({ id }) => campaignCallId(campaign.id, id, 1));
    const sleeper = await waitFor('an attempt that sleeps', 10_000, async () => {
      const attempts = (await Promise.all(callIds.map((callId) => env.attempts(callId)))).flat();
      return attempts.length === 2 ? attempts.find(({ sipCallId }) => !invites.includes(sipCallId))?.callId : undefined;
    });
    await pause(campaign);
    expect(await env.finished(sleeper)).toMatchObject({ disposition: 'canceled' });
    expect(await env.attempts(sleeper)).toMatchObject([{ state: 'not_sent' }]);
    expect(await invited(sleeper)).toBe(0);
    const contact = contacts.find(({ id }) => campaignCallId(campaign.id, id, 1) === sleeper);
    expect(await rows.stored(contact!.id)).toMatchObject({ state: 'pending', attempts: 0 });
    const other = callIds.find((callId) => callId !== sleeper)!;
    expect(await invited(other)).toBe(1);
    node.control.end(other, BUSY);
    await env.finished(other);
    await waitFor('the slots', 5_000, async () => ((await leases(trunkId)) === 0 ? true : undefined));
  },
  60_000,
);

test.concurrent(
  'a dial of which nobody knows whether it left is counted, and the contact is not called again',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const callId = planned(campaign, contact, [{ kind: 'hang_after_intended' }]);
    await dial(campaign.id);
    expect(await env.finished(callId, 40_000)).toMatchObject({ disposition: 'uncertain' });
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'done', result: 'uncertain', attempts: 1 });
    expect(await dial(campaign.id)).toMatchObject({ started: 0, open: 0, calling: 0, wakeInMs: null });
  },
  60_000,
);

test.concurrent(
  'a dial that dies before its attempt is stored is none: the contact comes again, and is called once',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const callId = planned(campaign, contact, [{ kind: 'hang_before_intended' }]);
    await dial(campaign.id);
    const { endedAt } = await env.finished(callId, 40_000);
    const back = await rows.stored(contact.id);
    expect(back).toMatchObject({ state: 'pending', result: null, attempts: 0 });
    expect(back.dueAt!.getTime()).toBe(endedAt!.getTime() + 60_000);
    expect([await env.attempts(callId), await invited(callId)]).toEqual([[], 0]);
    await env.dataSource.query('UPDATE campaign_contacts SET due_at = now() WHERE id = $1', [contact.id]);
    const again = planned(campaign, contact, [{ kind: 'end', ending: BUSY }], 2);
    expect(await dial(campaign.id)).toMatchObject({ started: 1 });
    await env.finished(again);
    expect([await invited(callId), await invited(again)]).toEqual([0, 1]);
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'waiting', attempts: 1, calls: 2 });
  },
  60_000,
);

test.concurrent(
  'a trunk that cannot be reached is tried again as the campaign says, and was no attempt',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const callId = planned(campaign, contact, [{ kind: 'unreachable', reason: 'no address' }]);
    await dial(campaign.id);
    expect(await env.finished(callId)).toMatchObject({ disposition: 'trunk_unreachable' });
    expect(await invited(callId)).toBe(0);
    const waiting = await rows.stored(contact.id);
    expect(waiting.lastDisposition).toBe('trunk_unreachable');
    expect(waiting.dueAt!.getTime()).toBeGreaterThan(Date.now() + 4 * 60_000);
  },
  60_000,
);

test.concurrent(
  'a worker that dies between claim and start: the same turn starts the call, and it is one call',
  async () => {
    const campaign = await campaignOf();
    const contacts = [await rows.contact(campaign.id), await rows.contact(campaign.id)];
    const turn = uuidV7();
    let starts = 0;
    const dying = createDialDue({
      ...env.dialDueDeps,
      workflows: {
        startOutbound: (input) => {
          starts += 1;
          return starts === 1
            ? env.dialDueDeps.workflows.startOutbound(input)
            : Promise.reject(new Error('the process has died'));
        },
        describe: () => Promise.reject(new Error('the process has died')),
      },
    });
    await expect(dying.dialDue({ campaignId: campaign.id, orgId: env.orgId, turn })).rejects.toThrow('has died');
    expect(await dial(campaign.id, turn)).toMatchObject({ started: 2, calling: 2 });
    expect(await dial(campaign.id, turn)).toMatchObject({ calling: 2 });
    for (const { id } of contacts) {
      const callId = campaignCallId(campaign.id, id, 1);
      await waitFor('the INVITE', 10_000, async () => ((await invited(callId)) === 1 ? true : undefined));
      node.control.end(callId, BUSY);
      await env.finished(callId);
      expect(await rows.stored(id)).toMatchObject({ state: 'waiting', calls: 1, attempts: 1 });
      expect(await invited(callId)).toBe(1);
    }
  },
  60_000,
);

test.concurrent(
  'claimed and never started: a later turn gives the contact back and calls it',
  async () => {
    const campaign = await campaignOf();
    const contact = await rows.contact(campaign.id);
    const workflows = { ...env.dialDueDeps.workflows, startOutbound: () => Promise.reject(new Error('died')) };
    const dying = createDialDue({ ...env.dialDueDeps, workflows });
    const turn = uuidV7();
    await expect(dying.dialDue({ campaignId: campaign.id, orgId: env.orgId, turn })).rejects.toThrow('died');
    expect(await dial(campaign.id)).toMatchObject({ started: 0, calling: 1 });
    const aMinuteLater = createDialDue({ ...env.dialDueDeps, nowMs: () => Date.now() + 61_000 });
    const report = await aMinuteLater.dialDue({ campaignId: campaign.id, orgId: env.orgId, turn: uuidV7() });
    expect(report).toMatchObject({ started: 1, calling: 1 });
    expect(await rows.stored(contact.id)).toMatchObject({ state: 'calling', calls: 2 });
  },
  60_000,
);

test.concurrent(
  'contacts whose window is closed stand before open ones: they are moved to its opening, without a call',
  async () => {
    const campaign = await campaignOf({
      dialWindow: { ...ALWAYS, start: '09:00', end: '17:00' },
    });
    const hours = new Date().getUTCHours();
    const zoneAt = (hour: number): string => {
      const offset = ((hour - hours + 36) % 24) - 12;
      return offset === 0 ? 'Etc/GMT' : `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
    };
    await env.dataSource.query(
      `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, name, time_zone, consent_id, priority, variables, due_at)
       SELECT gen_random_uuid(), $1, $2, '+1202557' || lpad(i::text, 4, '0'), 'N', $3, 'c', 0, '{}', now() - interval '1 hour'
       FROM generate_series(1, 700) AS i`,
      [env.orgId, campaign.id, zoneAt(2)],
    );
    const open = [
      await rows.contact(campaign.id, { timeZone: zoneAt(12) }),
      await rows.contact(campaign.id, { timeZone: zoneAt(12) }),
    ];
    const report = await dial(campaign.id);
    expect(report).toMatchObject({ started: 2, calling: 2, open: 702 });
    expect(report.wakeInMs).toBeGreaterThan(200_000);
    const [left] = await env.dataSource.query(
      `SELECT count(*) FILTER (WHERE due_at <= now())::int AS due, count(*) FILTER (WHERE due_at > now() + interval '5 hours')::int AS later,
         sum(calls)::int AS calls, min(last_decision->>'reason') AS reason
       FROM campaign_contacts WHERE campaign_id = $1`,
      [campaign.id],
    );
    expect(left).toEqual({ due: 0, later: 700, calls: 2, reason: 'outside_window' });
    for (const { id } of open) {
      const callId = campaignCallId(campaign.id, id, 1);
      await waitFor('the INVITE', 10_000, async () => ((await invited(callId)) === 1 ? true : undefined));
      node.control.end(callId, BUSY);
      await env.finished(callId);
    }
  },
  60_000,
);

test.concurrent(
  'several trunks are used by their rates, and one that is left in peace is not',
  async () => {
    const [fast, slow, cool] = [
      await rows.trunk({ maxCallsPerSecond: 4 }),
      await rows.trunk({ maxCallsPerSecond: 1 }),
      await rows.trunk({ maxCallsPerSecond: 10 }),
    ];
    await new CapacityRepository(env.dataSource).coolDown(cool, 60_000);
    const campaign = await campaignOf({ trunkIds: [fast, slow, cool] });
    for (let n = 0; n < 20; n++) await rows.contact(campaign.id);
    const report = await dial(campaign.id);
    // As many of each as leave in a second, and a quarter of that.
    expect(report).toMatchObject({ started: 6, calling: 6, open: 20, wakeInMs: 500 });
    const used = await env.dataSource.query(
      `SELECT trunk_id AS id, count(*)::int AS n FROM campaign_contacts WHERE campaign_id = $1 AND state = 'calling' GROUP BY 1`,
      [campaign.id],
    );
    expect(new Map(used.map(({ id, n }: { id: string; n: number }) => [id, n]))).toEqual(
      new Map([
        [fast, 5],
        [slow, 1],
      ]),
    );
    await pause(campaign);
  },
  60_000,
);
