/** The workflow of a campaign on the real server, from the request that starts it until it is over. */
import type { temporal } from '@temporalio/proto';
import { ScheduleNotFoundError } from '@temporalio/client';
import { campaignStateQuery } from '../../../workflows/campaign/messages';
import type { CampaignStanding } from '../../../workflows/campaign/messages';
import { campaignStartOptions } from '../../../workflows/campaign/start-options';
import { campaignScheduleId } from '../../../workflows/ids';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { PlannedCampaigns, PlannedDialling } from './planned-campaigns';

const dialling = new PlannedDialling();
let env: WorkflowEnvironment;
let campaigns: PlannedCampaigns;

beforeAll(async () => {
  env = await WorkflowEnvironment.start({ plannedDialDue: dialling.dialDue });
  dialling.env = env;
  campaigns = await PlannedCampaigns.start(env);
}, 60_000);

beforeEach(() => {
  dialling.perTurn = 100;
  dialling.wakeInMs = 200;
  dialling.turnMs = 0;
});

afterAll(async () => {
  await campaigns?.stop();
  await env?.close();
}, 60_000);

const standing = (id: string): Promise<CampaignStanding> => campaigns.handle(id).query(campaignStateQuery);
const schedule = (id: string, occasion: 'start' | 'recurrence') =>
  env.client.schedule.getHandle(campaignScheduleId(id, occasion));

async function scheduleGone(id: string, occasion: 'start' | 'recurrence'): Promise<void> {
  await waitFor(`no schedule for the ${occasion}`, 10_000, async () => {
    try {
      await schedule(id, occasion).describe();
      return undefined;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return true;
      throw error;
    }
  });
}

async function turnsOf(id: string, atLeast: number): Promise<void> {
  await waitFor(`${atLeast} turns`, 15_000, () => (dialling.of(id).length >= atLeast ? true : undefined));
}

test('started, it calls until nobody is left, and is completed', async () => {
  const id = await campaigns.create(3);
  const { status, body } = await campaigns.act(id, 'start');
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'running', warnings: [] });
  await campaigns.is(id, 'completed');
  expect(await campaigns.states(id)).toEqual({ done: 3 });
  expect(await campaigns.timeline(id)).toEqual(['started', 'completed']);
  await campaigns.closed(id);
  const { staticSummary, typedSearchAttributes } = await campaigns.handle(id).describe();
  expect(await staticSummary()).toBe(`Campaign of organisation ${campaigns.api.tenant.orgId}`);
  const values = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
  expect(Object.fromEntries(values)).toMatchObject({ OrgId: campaigns.api.tenant.orgId, CampaignId: id });
  const { items } = (await campaigns.api.get(`/audit-log?resource_id=${id}&action=start`)).body;
  expect(items).toMatchObject([{ before: { status: 'draft' }, after: { status: 'running' } }]);
}, 30_000);

test('paused there is no turn, resumed it goes on, and each request may be repeated', async () => {
  dialling.perTurn = 0;
  const id = await campaigns.create(2);
  await campaigns.act(id, 'start');
  expect(await campaigns.act(id, 'start')).toMatchObject({ status: 200, body: { status: 'running' } });
  await turnsOf(id, 2);
  expect(await campaigns.act(id, 'pause')).toMatchObject({ status: 200, body: { status: 'paused', warnings: [] } });
  expect(await campaigns.act(id, 'pause')).toMatchObject({ status: 200, body: { status: 'paused' } });
  expect(await campaigns.act(id, 'start')).toMatchObject({
    status: 409,
    body: { code: 'campaign_state', status: 'paused' },
  });
  const { length } = dialling.of(id);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(dialling.of(id)).toHaveLength(length);
  expect(await standing(id)).toMatchObject({ status: 'paused', open: 2, nextTurnAtMs: null });
  const shown = await campaigns.handle(id).query<temporal.api.sdk.v1.IWorkflowMetadata>('__temporal_workflow_metadata');
  expect(shown.currentDetails).toContain('**campaign**: paused\n\n- calls begun: 0');
  dialling.perTurn = 100;
  expect(await campaigns.act(id, 'resume')).toMatchObject({ status: 200, body: { status: 'running' } });
  await campaigns.is(id, 'completed');
  expect(await campaigns.act(id, 'resume')).toMatchObject({ status: 409, body: { code: 'campaign_state' } });
  expect(await campaigns.timeline(id)).toEqual(['started', 'paused', 'resumed', 'completed']);
}, 30_000);

test('canceled, it hangs up what rings and leaves alone who talks', async () => {
  const node = await env.startNode();
  dialling.perTurn = 0;
  const id = await campaigns.create(5);
  await campaigns.act(id, 'start');
  const [ringing, talking] = [await campaigns.call(id), await campaigns.call(id)];
  const answering = await campaigns.call(id);
  for (const callId of [ringing, talking, answering]) await env.rowIs(callId, 'ringing');
  node.control.answer(talking);
  await env.rowIs(talking, 'in_progress');
  // At this very moment: its node alone knows.
  node.control.calls.get(answering)!.state = 'answered';
  expect(await campaigns.act(id, 'cancel')).toMatchObject({ status: 200, body: { status: 'canceled' } });
  expect(await env.finished(ringing)).toMatchObject({ disposition: 'canceled' });
  expect((await env.row(talking))?.status).toBe('in_progress');
  expect((await env.row(answering))?.endedAt).toBeNull();
  expect(await campaigns.states(id)).toEqual({ done: 5 });
  const [canceled] = await env.dataSource.query(
    `SELECT data FROM campaign_events WHERE campaign_id = $1 AND type = 'canceled'`,
    [id],
  );
  expect(canceled).toEqual({ data: { contacts: 5 } });
  await campaigns.closed(id);
  expect(await campaigns.act(id, 'cancel')).toMatchObject({ status: 200 });
  for (const action of ['start', 'pause', 'resume']) {
    expect(await campaigns.act(id, action)).toMatchObject({ status: 409, body: { status: 'canceled' } });
  }
  await env.stopNode(node);
}, 40_000);

test('a long one goes on in another run, and forgets nothing', async () => {
  dialling.perTurn = 1;
  dialling.wakeInMs = 20;
  const id = await campaigns.create(25);
  const reference = { orgId: campaigns.api.tenant.orgId, campaignId: id };
  await env.dataSource.query(`UPDATE campaigns SET status = 'paused', running_since = now() WHERE id = $1`, [id]);
  const options = campaignStartOptions(reference);
  await env.client.workflow.start('campaignWorkflow', { ...options, args: [{ ...reference, eventsPerRun: 80 }] });
  const first = await campaigns.handle(id).describe();
  await campaigns.act(id, 'resume');
  await campaigns.is(id, 'completed', 30_000);
  await campaigns.closed(id);
  const last = await campaigns.handle(id).describe();
  expect(last.runId).not.toBe(first.runId);
  expect(dialling.of(id).length).toBeGreaterThanOrEqual(25);
  expect(new Set(dialling.of(id).map(({ turn }) => turn)).size).toBe(dialling.of(id).length);
  const { events } = await env.client.workflow.getHandle(first.workflowId, first.runId).fetchHistory();
  expect(events?.length).toBeLessThan(140);
}, 60_000);

test('what a worker that is away has missed is done by the next one', async () => {
  const id = await campaigns.create(2);
  await env.stopWorker();
  const { body } = await campaigns.act(id, 'start');
  expect(body).toMatchObject({ status: 'running', warnings: [{ path: 'status' }] });
  await env.startWorker();
  await campaigns.is(id, 'completed', 20_000);
}, 60_000);

test('the reconciler brings rows and workflows together, in both directions', async () => {
  dialling.perTurn = 0;
  const [lost, changed, rowless] = [await campaigns.create(1), await campaigns.create(1), await campaigns.create(1)];
  const { dataSource } = env;
  const live = `UPDATE campaigns SET status = $2, version = version + 1, updated_at = now() - interval '5 s' WHERE id = $1`;
  await dataSource.query(live, [lost, 'running']);
  await campaigns.act(changed, 'start');
  await campaigns.act(rowless, 'start');
  await dataSource.query(live, [changed, 'paused']);
  await dataSource.query(
    `UPDATE campaigns SET deleted_at = now(), version = version + 1, settled_version = version + 1
    WHERE id = $1`,
    [rowless],
  );
  await waitFor('workflows and rows alike', 15_000, async () => {
    await env.sweep().catch(() => undefined); // a run that is just ending takes no word
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return (await campaigns.workflow(rowless)) === 'COMPLETED' ? true : undefined;
  });
  expect(await campaigns.workflow(lost)).toBe('RUNNING');
  await turnsOf(lost, 1);
  await waitFor('the change', 5_000, async () => ((await standing(changed)).status === 'paused' ? true : undefined));
  for (const id of [lost, changed]) await campaigns.act(id, 'cancel');
}, 40_000);

test('with starts_at to come it is scheduled, which Temporal shows, and begins by itself', async () => {
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const id = await campaigns.create(2, { starts_at: at });
  expect((await campaigns.act(id, 'start')).body).toMatchObject({ status: 'scheduled', warnings: [] });
  const { info, state, typedSearchAttributes } = await schedule(id, 'start').describe();
  expect(Math.abs(Number(info.nextActionTimes[0]) - Date.parse(at))).toBeLessThanOrEqual(1_000);
  expect(state).toMatchObject({ paused: false, remainingActions: 1 });
  expect(typedSearchAttributes.getAll().map(({ value }) => value)).toContain(id);

  expect((await campaigns.act(id, 'pause')).body).toMatchObject({ status: 'paused' });
  await waitFor('the paused schedule', 10_000, async () =>
    (await schedule(id, 'start').describe()).state.paused ? true : undefined,
  );
  expect((await campaigns.act(id, 'resume')).body).toMatchObject({ status: 'scheduled' });
  const soon = Date.now() + 4_000;
  await campaigns.api.patch(`/phone/campaigns/${id}`, { starts_at: new Date(soon).toISOString() });
  await campaigns.is(id, 'completed', 30_000);
  expect(dialling.of(id)[0]?.atMs).toBeGreaterThanOrEqual(soon);
  expect(await campaigns.timeline(id)).toEqual(['started', 'paused', 'resumed', 'changed', 'started', 'completed']);
  await scheduleGone(id, 'start');
}, 60_000);

test('one that has run waits for a starts_at that is set while it is paused', async () => {
  dialling.perTurn = 0;
  const id = await campaigns.create(2);
  await campaigns.act(id, 'start');
  await turnsOf(id, 1);
  await campaigns.act(id, 'pause');
  const soon = Date.now() + 5_000;
  await campaigns.api.patch(`/phone/campaigns/${id}`, { starts_at: new Date(soon).toISOString() });
  dialling.perTurn = 100;
  expect((await campaigns.act(id, 'resume')).body).toMatchObject({ status: 'scheduled', warnings: [] });
  expect((await schedule(id, 'start').describe()).state).toMatchObject({ paused: false, remainingActions: 1 });
  const { length } = dialling.of(id);
  await campaigns.is(id, 'completed', 30_000);
  expect(dialling.of(id)[length]?.atMs).toBeGreaterThanOrEqual(soon);
  expect(await campaigns.timeline(id)).toEqual(['started', 'paused', 'changed', 'resumed', 'started', 'completed']);
}, 60_000);

test('one whose starts_at is taken away begins at once', async () => {
  const id = await campaigns.create(2, { starts_at: new Date(Date.now() + 3_600_000).toISOString() });
  await campaigns.act(id, 'start');
  await campaigns.api.patch(`/phone/campaigns/${id}`, { starts_at: null });
  await campaigns.is(id, 'completed');
  await scheduleGone(id, 'start');
}, 40_000);

test('a schedule ends with its campaign', async () => {
  const id = await campaigns.create(2, {
    starts_at: new Date(Date.now() + 3_600_000).toISOString(),
    recurrence: { cron: '0 9 * * 1', time_zone: 'Europe/Berlin' },
  });
  await campaigns.act(id, 'start');
  await schedule(id, 'recurrence').describe();
  await campaigns.act(id, 'cancel');
  await scheduleGone(id, 'start');
  await scheduleGone(id, 'recurrence');
  await campaigns.closed(id);
  expect(await campaigns.states(id)).toEqual({ done: 2 });
}, 40_000);

test('a recurring one waits for its next round and calls its list anew, but nobody who has opted out', async () => {
  const id = await campaigns.create(4, { recurrence: { cron: '30 9 * * 1', time_zone: 'Europe/Berlin' } });
  await campaigns.act(id, 'start');
  await campaigns.is(id, 'scheduled');
  const { spec, policies } = await schedule(id, 'recurrence').describe();
  expect(spec.timezone).toBe('Europe/Berlin');
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 600_000 });
  await env.dataSource.query(
    `UPDATE campaign_contacts SET result = 'opted_out' WHERE campaign_id = $1 AND phone_number = '+12025551000'`,
    [id],
  );
  const { body: entry } = await campaigns.api.post('/phone/dnc', { phone_number: '+12025551001' });
  await schedule(id, 'recurrence').trigger();
  await waitFor('the second round', 20_000, async () =>
    (await campaigns.timeline(id)).filter((type) => type === 'completed').length === 2 ? true : undefined,
  );
  const called: { number: string; attempts: number }[] = await env.dataSource.query(
    'SELECT phone_number AS number, attempts FROM campaign_contacts WHERE campaign_id = $1 ORDER BY 1',
    [id],
  );
  expect(called.map(({ attempts }) => attempts)).toEqual([1, 1, 2, 2]);
  const { items } = (await campaigns.api.get(`/phone/campaigns/${id}/events`)).body;
  expect(items.find(({ type }: { type: string }) => type === 'recurred').data).toEqual({ contacts: 2 });
  expect(await campaigns.timeline(id)).toEqual(['started', 'completed', 'recurred', 'completed']);
  await campaigns.api.delete(`/phone/dnc/${entry.id}`);
  await campaigns.api.patch(`/phone/campaigns/${id}`, { recurrence: null });
  await campaigns.is(id, 'completed');
  await campaigns.closed(id);
  await scheduleGone(id, 'recurrence');
}, 60_000);

test('a completed one runs again for those that are to be called anew, and takes more contacts while it runs', async () => {
  const id = await campaigns.create(3);
  await campaigns.act(id, 'start');
  await campaigns.is(id, 'completed');
  await campaigns.closed(id);
  await env.dataSource.query(
    `UPDATE campaign_contacts SET last_disposition = 'busy', result = 'exhausted' WHERE campaign_id = $1 AND phone_number = '+12025551002'`,
    [id],
  );
  dialling.perTurn = 0;
  const redial = await campaigns.act(id, 'redial', { dispositions: ['busy'] });
  expect(redial).toMatchObject({ status: 200, body: { status: 'running' } });
  expect(await campaigns.states(id)).toEqual({ waiting: 1, done: 2 });
  await campaigns.api.post(`/phone/campaigns/${id}/contacts`, { contacts: [{ phone_number: '+12025559999' }] });
  dialling.perTurn = 100;
  await campaigns.is(id, 'completed');
  expect(await campaigns.states(id)).toEqual({ done: 4 });
  expect(await campaigns.timeline(id)).toEqual(['started', 'completed', 'redial', 'completed']);
}, 40_000);

test.each(['running', 'paused'])(
  'past its ends_at one that was %s is over, and whoever is left is called by no later redial',
  async (status) => {
    dialling.perTurn = 0;
    const id = await campaigns.create(3, { ends_at: new Date(Date.now() + 4_000).toISOString() });
    await campaigns.act(id, 'start');
    if (status === 'paused') await campaigns.act(id, 'pause');
    await env.dataSource.query(
      `UPDATE campaign_contacts SET state = 'done', result = 'exhausted', last_disposition = 'busy', due_at = NULL
       WHERE campaign_id = $1 AND phone_number = '+12025551002'`,
      [id],
    );
    await campaigns.is(id, 'completed', 20_000);
    expect(await campaigns.states(id)).toEqual({ done: 3 });
    const { results } = (await campaigns.api.get(`/phone/campaigns/${id}/stats`)).body;
    expect(results).toMatchObject({ canceled: 2, exhausted: 1 });
    const redial = (): ReturnType<typeof campaigns.act> => campaigns.act(id, 'redial', { dispositions: ['busy'] });
    expect(await redial()).toMatchObject({ status: 422, body: { code: 'campaign_ended' } });
    await campaigns.api.patch(`/phone/campaigns/${id}`, { ends_at: null });
    expect(await redial()).toMatchObject({ status: 200, body: { status: 'running' } });
    expect(await campaigns.states(id)).toEqual({ waiting: 1, done: 2 });
    await campaigns.act(id, 'cancel');
  },
  40_000,
);

test('its guards slow it, then pause it, and say by which figure', async () => {
  dialling.perTurn = 0;
  const id = await campaigns.create(2, { auto_pause: { answer_rate_below: 0.5 }, ring_timeout_seconds: 5 });
  const { dataSource, orgId } = env;
  await campaigns.act(id, 'start');
  await turnsOf(id, 1);
  await dataSource.query(`UPDATE campaigns SET running_since = now() - interval '20 minutes' WHERE id = $1`, [id]);
  const callAgo = async (minutes: number): Promise<void> => {
    await dataSource.query(
      `WITH c AS (
         INSERT INTO calls (id, org_id, campaign_id, session_id, direction, from_number, to_number, status, disposition,
           created_at, ended_at)
         SELECT gen_random_uuid(), $1, $2, gen_random_uuid(), 'outbound', '+1', '+2', 'completed', 'busy',
           now() - $3 * interval '1 minute', now() FROM generate_series(1, 50) RETURNING id)
       INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
       SELECT gen_random_uuid(), id, $1, 1, 'finished', id, 'n', 'b' FROM c`,
      [orgId, id, minutes],
    );
  };
  await callAgo(10);
  await waitFor('the slower pace', 25_000, async () => ((await campaigns.get(id)).pace === 0.5 ? true : undefined));
  await dataSource.query(
    `UPDATE campaign_events SET at = now() - interval '5 minutes' WHERE campaign_id = $1 AND type = 'slowed'`,
    [id],
  );
  await callAgo(3);
  const paused = await campaigns.is(id, 'paused', 25_000);
  expect(paused.status_reason).toBe('0 % of its calls were answered, the limit is at least 50 % (50 calls)');
  await waitFor('the workflow', 5_000, async () => ((await standing(id)).status === 'paused' ? true : undefined));
  const { items } = (await campaigns.api.get(`/phone/campaigns/${id}/events`)).body;
  const figure = { guard: 'answer_rate', figure: 0, limit: 0.5, calls: 50 };
  expect(items[0]).toMatchObject({ type: 'paused_by_guard', data: figure });
  expect(items.find(({ type }: { type: string }) => type === 'slowed').data).toEqual({ ...figure, pace: 0.5 });
  expect(await campaigns.act(id, 'resume')).toMatchObject({
    body: { status: 'running', status_reason: null, pace: 1 },
  });
  await campaigns.act(id, 'cancel');
}, 90_000);

test('many campaigns with slow turns keep neither a call waiting nor a pause', async () => {
  dialling.perTurn = 0;
  const ids: string[] = [];
  for (let n = 0; n < 40; n++) ids.push(await campaigns.create(1));
  dialling.turnMs = 2_500;
  const live = `UPDATE campaigns SET status = 'running', version = version + 1, running_since = now() WHERE id = ANY($1)`;
  await env.dataSource.query(live, [ids]);
  for (const campaignId of ids) await env.campaigns.tell({ orgId: env.orgId, campaignId });
  const [first = ''] = ids;
  const turns = (): number => ids.reduce((sum, id) => sum + dialling.of(id).length, 0);
  await waitFor('turns that wait for each other', 20_000, () => (turns() >= 10 ? true : undefined));
  const node = await env.startNode();
  const input = env.outboundInput();
  const atMs = performance.now();
  await env.placeCall(input);
  const placedMs = performance.now() - atMs;
  expect(await campaigns.act(first, 'pause')).toMatchObject({ body: { status: 'paused', warnings: [] } });
  const pausedMs = performance.now() - atMs - placedMs;
  process.stdout.write(
    `40 campaigns of slow turns: a call ${placedMs.toFixed()} ms, a pause ${pausedMs.toFixed()} ms\n`,
  );
  expect(turns()).toBeLessThan(ids.length);
  dialling.turnMs = 0;
  for (const id of ids)
    await env.dataSource.query(`UPDATE campaigns SET status = 'canceled', version = version + 1 WHERE id = $1`, [id]);
  for (const campaignId of ids) await env.campaigns.tell({ orgId: env.orgId, campaignId });
  for (const id of ids) await campaigns.closed(id);
  await env.stopNode(node);
}, 90_000);

test('canceled while a turn is under way, it ends when that has, whatever it is told meanwhile', async () => {
  dialling.perTurn = 0;
  dialling.turnMs = 3_000;
  const id = await campaigns.create(2);
  await campaigns.act(id, 'start');
  await turnsOf(id, 1);
  expect(await campaigns.act(id, 'cancel')).toMatchObject({ body: { status: 'canceled', warnings: [] } });
  await env.campaigns.tell({ orgId: env.orgId, campaignId: id });
  dialling.turnMs = 0;
  await campaigns.closed(id);
}, 40_000);
