import { keyedCallId } from '../../../store/ids';
import { callWorkflowId } from '../../../workflows/ids';
import { testServers } from '../../support/servers';
import { WorkflowEnvironment } from '../workflows/environment';
import type { FakeNode } from '../workflows/environment';
import { waitFor } from '../../support/wait-for';
import { CALLER } from './support/api-server';
import type { ApiServer } from './support/api-server';
import { DiallingApi, TO } from './support/dialling-api';

/** The API with the real workflow of a call, on the real server; only the call layer of the media node is a fake. */
describe('calls by REST on real workflows', () => {
  let env: WorkflowEnvironment;
  let node: FakeNode;
  let dialling: DiallingApi;
  let api: ApiServer;
  let agentId: string;

  beforeAll(async () => {
    env = await WorkflowEnvironment.start();
    node = await env.startNode();
    dialling = await DiallingApi.start({
      temporalAddress: testServers().temporalAddress,
      namespace: env.namespace,
      database: env,
      commandDeadlineMs: 3000,
    });
    ({ api, agentId } = dialling);
  }, 60_000);
  afterAll(async () => {
    await dialling.stop();
    await env.close();
  }, 60_000);

  const dial = (key?: string, body?: object) => dialling.dial(body, key);
  const dialled = (callId: string) =>
    waitFor('the INVITE', 5000, () => (node.control.calls.has(callId) ? true : undefined));
  const dialsOf = (callId: string) => node.control.dials.filter((command) => command.callId === callId);
  const statusIs = (callId: string, status: string) =>
    waitFor(status, 10_000, async () => {
      const { body } = await api.get(`/phone/calls/${callId}`);
      return body.status === status ? body : undefined;
    });

  it('a call is placed, answered, hung up by REST and recorded', async () => {
    const placed = await dial(undefined, { first_message: 'Hi {{who}}', variables: { who: 'Ada' } });
    expect(placed.status).toBe(200);
    const { id } = placed.body;
    await dialled(id);
    expect(dialsOf(id)).toMatchObject([{ to: TO, callerNumber: CALLER, firstMessage: 'Hi Ada' }]);
    node.control.answer(id);
    await statusIs(id, 'in_progress');
    const hungUp = await api.post(`/phone/calls/${id}/hangup`);
    expect(hungUp.status).toBe(200);
    const record = await statusIs(id, 'completed');
    expect(record).toMatchObject({ disposition: 'answered', end_reason: 'api_hangup', ended_by: 'api' });
    const again = await api.post(`/phone/calls/${id}/hangup`);
    expect([again.status, again.body]).toEqual([200, record]);
    const { items } = (await api.get(`/phone/calls/${id}/events`)).body;
    expect(items.map((event: { type: string }) => event.type)).toContain('call.ended');
  }, 30_000);

  it('is named by what an operator sees in the UI', async () => {
    const { id } = (await dial()).body;
    const described = await env.client.workflow.getHandle(callWorkflowId(id)).describe();
    const values = Object.fromEntries(
      described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
    );
    expect(values).toMatchObject({ OrgId: api.tenant.orgId, AgentId: agentId, Direction: 'outbound' });
    await api.post(`/phone/calls/${id}/hangup`);
    await statusIs(id, 'completed');
  }, 30_000);

  it('simultaneous requests with one key make one call and one INVITE', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => dial('same-key')));
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const id = keyedCallId(api.tenant.orgId, 'POST /phone/outbound-call', 'same-key', 1);
    expect(answers.filter(({ status }) => status === 200).map(({ body }) => body.id)).toContain(id);
    const replay = await dial('same-key');
    expect([replay.body.id, replay.headers.get('idempotent-replayed')]).toEqual([id, 'true']);
    await dialled(id);
    expect(dialsOf(id)).toHaveLength(1);
    await api.post(`/phone/calls/${id}/hangup`);
    await statusIs(id, 'completed');
  }, 30_000);

  it('a key whose row was lost finds its call by the memo, running or over', async () => {
    const first = await dial('lost-row', { metadata: { n: 1 } });
    const { id } = first.body;
    const forget = () => api.dataSource.query('DELETE FROM idempotency_keys');
    await forget();
    const running = await dial('lost-row', { metadata: { n: 1 } });
    expect([running.body.id, running.headers.get('idempotent-replayed')]).toEqual([id, 'true']);
    await forget();
    expect((await dial('lost-row', { metadata: { n: 2 } })).body.code).toBe('idempotency_mismatch');
    await dialled(id);
    await api.post(`/phone/calls/${id}/hangup`);
    await statusIs(id, 'completed');
    await forget();
    const over = await dial('lost-row', { metadata: { n: 1 } });
    expect([over.status, over.body.id, over.body.status]).toEqual([200, id, 'completed']);
    expect(dialsOf(id)).toHaveLength(1);
  }, 30_000);

  it('an outcome that a stopped worker hides is told with the call id; the call expires undialled', async () => {
    await env.stopWorker();
    const startedMs = performance.now();
    const hidden = await dial('expires');
    const tookMs = performance.now() - startedMs;
    const id = keyedCallId(api.tenant.orgId, 'POST /phone/outbound-call', 'expires', 1);
    expect([hidden.status, hidden.body.code, hidden.body.call_id]).toEqual([503, 'outcome_unknown', id]);
    expect(tookMs).toBeLessThan(5000);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 5200 - tookMs)));
    await env.startWorker();
    const record = await waitFor('the record', 15_000, async () => {
      const { status, body } = await api.get(`/phone/calls/${id}`);
      return status === 200 && body.status === 'completed' ? body : undefined;
    });
    expect(record.disposition).toBe('expired');
    expect(dialsOf(id)).toEqual([]);
    const next = await dial('expires');
    expect(next.body.id).toBe(keyedCallId(api.tenant.orgId, 'POST /phone/outbound-call', 'expires', 2));
    await dialled(next.body.id);
    await api.post(`/phone/calls/${next.body.id}/hangup`);
    await statusIs(next.body.id, 'completed');
  }, 40_000);

  it('a call whose workflow was terminated is told apart from a running one', async () => {
    const { id } = (await dial()).body;
    await dialled(id);
    node.control.answer(id);
    await statusIs(id, 'in_progress');
    await env.client.workflow.getHandle(callWorkflowId(id)).terminate('test');
    const { status, body } = await api.post(`/phone/calls/${id}/hangup`);
    expect([status, body.code]).toEqual([409, 'call_not_controllable']);
  }, 30_000);
});

describe('without a Temporal server', () => {
  it('a call is refused within moments, with nothing done', async () => {
    // Nothing listens on the discard port of the loopback.
    const dialling = await DiallingApi.start({ temporalAddress: '127.0.0.1:9' });
    try {
      const startedMs = performance.now();
      const { status, body, headers } = await dialling.dial();
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'temporal_unavailable', '2']);
      expect(performance.now() - startedMs).toBeLessThan(1800);
      expect((await dialling.api.get('/phone')).status).toBe(200);
    } finally {
      await dialling.stop();
    }
  });
});
