/** A contact's way through a campaign's call: claimed, started, dialled, and what becomes of it. */
import type { CallEnding } from '../../../contract/endings';
import type { Campaign } from '../../../store/entities/campaign';
import type { CampaignContact } from '../../../store/entities/campaign-contact';
import { ContactDecision } from '../../../store/entities/contact-decision';
import { campaignCallId, uuidV7 } from '../../../store/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import type { DialPlan } from '../../fakes/fake-media-control';
import { CampaignRows } from '../../support/campaign-rows';
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

const dial = (campaignId: string, turn = uuidV7()) => env.dialling.dialDue({ campaignId, orgId: env.orgId, turn });

/** The n-th call to a contact, whose dials go as planned. */
function planned(campaign: Campaign, contact: CampaignContact, plans: readonly DialPlan[], n = 1): string {
  const callId = campaignCallId(campaign.id, contact.id, n);
  dials.plan(callId, plans);
  return callId;
}

const ending = (disposition: CallEnding['disposition']): DialPlan => ({
  kind: 'end',
  ending: { disposition, endReason: null, endedBy: 'callee', sip: null },
});

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
        disclosureLine: 'I am a machine, Ada.',
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
    const first = planned(campaign, contact, [ending('busy')]);
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
