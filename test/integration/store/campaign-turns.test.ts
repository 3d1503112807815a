/**
 * Several workers take turns of the same campaigns at the same time, die at any point of them and are repeated; calls are
 * dialled, lost or refused. On the real database and a clock of the test's own, over three days: nobody is called twice at
 * once, above the caps or by one call twice, and nobody is lost.
 */
import { createDialDue } from '../../../activities/campaigns/dial-due';
import type { DialDueDeps } from '../../../activities/campaigns/dial-due';
import type { Disposition } from '../../../contract/endings';
import type { Campaign } from '../../../store/entities/campaign';
import { attemptIdOf, uuidV7 } from '../../../store/ids';
import { AttemptRepository } from '../../../store/repositories/attempt-repository';
import { CallerRepository } from '../../../store/repositories/caller-repository';
import { CallRepository } from '../../../store/repositories/call-repository';
import type { Finalisation } from '../../../store/repositories/call-repository';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignStandingRepository } from '../../../store/repositories/campaign-standing-repository';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import { openDetails } from '../../../store/call-details';
import type { OutboundCallInput } from '../../../workflows/call/input';
import { CampaignRows } from '../../support/campaign-rows';
import { seededRandom } from '../../support/seeded-random';
import { newCall, openStore } from './store-fixture';
import type { StoreFixture } from './store-fixture';

const SEED = Number(process.env['SEED'] ?? 7);
const WORKERS = 3;
const CONTACTS = 40;
const STEP_MS = 20 * 60_000;
const STEPS = 3 * 24 * 3;
const DAY_MS = 24 * 3_600_000;
const boot = { nodeId: 'node', bootId: 'boot' };

let store: StoreFixture;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

it('whatever dies, each contact is called as its campaign says', async () => {
  const random = seededRandom(SEED);
  const chance = (share: number): boolean => random() < share;
  const orgId = await store.newOrg();
  const rows = new CampaignRows(store.dataSource, orgId);
  const agentId = await rows.agent();
  const trunkIds = [await rows.trunk({ maxConcurrentCalls: 8 }), await rows.trunk({ maxConcurrentCalls: 4 })];
  const caps = { perNumberPerDay: 2, perNumberPerWeek: 4 };
  const campaigns: Campaign[] = [];
  for (let n = 0; n < 2; n++) campaigns.push(await rows.campaign({ trunkIds, agentId, caps, maxConcurrentCalls: 6 }));
  let nowMs = Date.now();
  for (let n = 0; n < CONTACTS; n++) {
    const phoneNumber = `+1202558${String(n).padStart(4, '0')}`;
    for (const { id } of campaigns) await rows.contact(id, { phoneNumber, dueAt: new Date(nowMs) });
  }

  const ledger = new CapacityRepository(store.dataSource);
  const calls = new CallRepository(store.dataSource);
  const attempts = new AttemptRepository(store.dataSource);
  /** What Temporal has: each call once. */
  const workflows = new Map<string, OutboundCallInput>();
  const open = new Set<string>();
  const invites: { readonly callId: string; readonly to: string; readonly atMs: number }[] = [];
  const live = new Map<string, string>();
  const withoutRoom = new Set<string>();
  const deps: DialDueDeps = {
    contacts: new CampaignContactRepository(store.dataSource),
    dialling: new CampaignDiallingRepository(store.dataSource),
    standings: new CampaignStandingRepository(store.dataSource),
    callers: new CallerRepository(store.dataSource),
    workflows: {
      startOutbound: (input) => {
        if (chance(0.1)) return Promise.reject(new Error('died before the start'));
        const exists = workflows.has(input.callId);
        if (!exists) {
          workflows.set(input.callId, input);
          open.add(input.callId);
        }
        if (chance(0.1)) return Promise.reject(new Error('died after the start'));
        return Promise.resolve(exists ? 'exists' : 'started');
      },
      describe: (callId) => Promise.resolve(workflows.has(callId) ? { running: open.has(callId), memo: {} } : null),
    },
    secrets: store.secrets,
    allowedCountries: [],
    nowMs: () => nowMs,
  };
  const { dialDue } = createDialDue(deps);

  /** Two tries of one turn may overlap, and a turn that has failed is repeated or given up. */
  async function turnOf({ id: campaignId }: Campaign): Promise<void> {
    const turn = { campaignId, orgId, turn: uuidV7() };
    for (let tries = 0; tries < 3; tries++) {
      const answers = await Promise.allSettled(Array.from({ length: chance(0.3) ? 2 : 1 }, () => dialDue(turn)));
      if (answers.every(({ status }) => status === 'fulfilled') || chance(0.2)) return;
    }
  }

  async function dial(input: OutboundCallInput): Promise<Disposition | 'waits'> {
    const { callId, trunkId, campaign } = input;
    const { to, from } = openDetails(store.secrets, input);
    const { campaignId, contactId, version } = campaign!;
    const call = newCall(orgId, { id: callId, trunkId, to, from, campaignId, contactId, createdAtMs: nowMs });
    if (chance(0.05)) {
      await calls.insertCall(call);
      return 'expired';
    }
    const attemptId = attemptIdOf(callId, 1);
    const attempt = { attemptId, call, n: 1, sipCallId: attemptId, ...boot };
    const admission = { campaignId, contactId, version, checks: [] };
    const answer = await ledger.admitCampaignCall(attempt, admission, 1_000, nowMs);
    if (!answer.ok) return 'refusal' in answer ? 'canceled' : 'waits';
    expect([to, live.get(to)]).toEqual([to, undefined]);
    live.set(to, callId);
    invites.push({ callId, to, atMs: nowMs });
    if (chance(0.05)) return 'uncertain';
    await attempts.sent(attemptId, nowMs);
    const mix: readonly Disposition[] = ['busy', 'busy', 'no_answer', 'answered', 'congestion', 'trunk_timeout'];
    const disposition = mix[Math.floor(random() * mix.length)]!;
    if (disposition === 'congestion') withoutRoom.add(callId);
    return disposition;
  }

  async function end(callId: string, disposition: Disposition): Promise<void> {
    const ending = { disposition, endReason: null, endedBy: 'system', sip: null } as const;
    const record = { callId, ending, endedAtMs: nowMs, answeredAtMs: null, metrics: null, truncated: false };
    const undialled = disposition === 'canceled' || disposition === 'expired';
    const state = disposition === 'uncertain' ? 'uncertain' : 'finished';
    const how: Finalisation = { undialled, attempt: undialled ? null : { attemptId: attemptIdOf(callId, 1), state } };
    await Promise.all([calls.finaliseCall(record, how), calls.finaliseCall(record, how)]);
    open.delete(callId);
    await ledger.release(attemptIdOf(callId, 1));
    for (const [to, by] of live) if (by === callId) live.delete(to);
  }

  const left = async (): Promise<number> =>
    (
      await store.dataSource.query(
        `SELECT count(*)::int AS n FROM campaign_contacts WHERE org_id = $1 AND state <> 'done'`,
        [orgId],
      )
    )[0].n;
  for (let step = 0; step < STEPS && (await left()) > 0; step++) {
    await Promise.all(Array.from({ length: WORKERS }, (_, n) => turnOf(campaigns[n % campaigns.length]!)));
    for (const { id } of campaigns) {
      const { calling } = (await deps.dialling.standing(orgId, id, nowMs))!;
      // Two tries of one turn that overlap may each have claimed as many as there is room for; the ledger admits no more.
      expect(calling).toBeLessThanOrEqual(3 * 6);
    }
    const dialled: [string, Disposition][] = [];
    for (const callId of open) {
      const disposition = await dial(workflows.get(callId)!);
      if (disposition !== 'waits') dialled.push([callId, disposition]);
      expect(live.size).toBeLessThanOrEqual(12);
    }
    for (const [callId, disposition] of dialled) await end(callId, disposition);
    if (chance(0.05)) {
      // A change of the campaign while its calls are under way, as a pause and a resumption are.
      await store.dataSource.query('UPDATE campaigns SET version = version + 1 WHERE id = $1', [campaigns[0]!.id]);
    }
    nowMs += STEP_MS;
  }

  expect(invites.length).toBeGreaterThan(CONTACTS);
  expect(new Set(invites.map(({ callId }) => callId)).size).toBe(invites.length);
  // By a dial that met a network without room nobody was disturbed.
  const disturbing = invites.filter(({ callId }) => !withoutRoom.has(callId));
  for (const { to, atMs } of disturbing) {
    const within = (ms: number): number =>
      disturbing.filter((other) => other.to === to && other.atMs >= atMs && other.atMs < atMs + ms).length;
    expect(within(DAY_MS)).toBeLessThanOrEqual(2);
    expect(within(7 * DAY_MS)).toBeLessThanOrEqual(4);
  }
  const contacts: { state: string; result: string; attempts: number; number: string; round: string }[] =
    await store.dataSource.query(
      `SELECT state, result, attempts, phone_number AS number FROM campaign_contacts WHERE org_id = $1`,
      [orgId],
    );
  // The rows' count and the carrier's are the same.
  expect(contacts.reduce((sum, contact) => sum + contact.attempts, 0)).toBe(invites.length);
  // Who is not done is due later, by retry or by a cap; nobody is left with a call that is none.
  const [lost] = await store.dataSource.query(
    `SELECT count(*)::int AS n FROM campaign_contacts WHERE org_id = $1 AND state <> 'done' AND (state = 'calling' OR due_at IS NULL)`,
    [orgId],
  );
  expect(lost).toEqual({ n: 0 });
  expect((await ledger.inUse()).filter(({ leases }) => leases > 0)).toEqual([]);
}, 120_000);
