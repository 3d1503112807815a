/** Numbers verified by REST on real workflows; only the call layer of the media node is a fake. */
import { failureMessage } from '../../../api/numbers/verification-failures';
import type { InboundRequest } from '../../../contract/directory';
import { numberCode } from '../../../store/number-code';
import { CallRequests } from '../../../api/calls/call-requests';
import { NumberWorkflows } from '../../../workflows/client/number-workflows';
import { numberVerificationWorkflowId } from '../../../workflows/ids';
import type { DialPlan } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from '../workflows/environment';
import type { FakeNode } from '../workflows/environment';
import { waitFor } from '../../support/wait-for';
import { ApiServer } from './support/api-server';
import type { Answer, ApiServerOptions, Tenant } from './support/api-server';

const SHORT_MS = 4_000;

let env: WorkflowEnvironment;
let node: FakeNode;
let api: ApiServer;
let hasty: ApiServer;
let tenant: Tenant;
let trunkId: string;
let next = 7_000_000;
const plans = new Map<string, DialPlan>();

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  node.control.plan = ({ to }) => plans.get(to) ?? { kind: 'answer' };
  api = await server({});
  tenant = await aTenant();
  hasty = await server({
    options: { verification: { inboundCallAllowed: true, codeValidMs: SHORT_MS } },
    database: { dataSource: env.dataSource, secrets: env.secrets, tenant: api.tenant },
  });
}, 90_000);

afterAll(async () => {
  await hasty?.stop();
  await api?.stop();
  await env?.close();
}, 60_000);

beforeEach(async () => {
  tenant = await aTenant();
});

function server(more: Partial<ApiServerOptions>): Promise<ApiServer> {
  const { client, logger, dataSource, secrets } = env;
  return ApiServer.start({
    database: { dataSource, secrets },
    workflows: () => new CallRequests({ client, logger }),
    verifications: new NumberWorkflows({ client, limitMs: 2_000 }),
    ...more,
  });
}

async function aTenant(): Promise<Tenant> {
  const made = await api.createTenant();
  trunkId = (await api.post('/phone/sip/outbound-trunks', CARRIER, { key: made.key })).body.id;
  return made;
}

const CARRIER = { name: 'T', host: 'sip.provider.com', username: 'u', password: 'p', caller_number: '+12025550100' };
const aNumber = (): string => `+1202${(next += 1)}`;
const post = (phone_number: string, body: object = {}, by = api): Promise<Answer> =>
  by.post('/phone/numbers', { phone_number, ...body }, { key: tenant.key });
const confirm = (id: string, code: string): Promise<Answer> =>
  api.post(`/phone/numbers/${id}/confirm`, { code }, { key: tenant.key });
const record = async (id: string): Promise<Answer['body']> =>
  (await api.get(`/phone/numbers/${id}`, { key: tenant.key })).body;
const becomes = (id: string, status: string, limitMs = 15_000): Promise<Answer['body']> =>
  waitFor(`number ${status}`, limitMs, async () => {
    const body = await record(id);
    return body.status === status ? body : undefined;
  });
const dialled = (callId: string): Promise<string> =>
  waitFor('the code call', 10_000, () => {
    const dial = node.control.dials.find((command) => command.callId === callId);
    return dial?.announcement?.sentences.join(' ');
  });
/** As the callee hears it. */
const spokenCode = async (callId: string): Promise<string> =>
  /is: ([\d, ]+)\./.exec(await dialled(callId))?.[1]?.replaceAll(/\D/g, '') ?? '';
const another = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const handle = (id: string) => env.client.workflow.getHandle(numberVerificationWorkflowId(id));
const dialsTo = (number: string): number => node.control.dials.filter(({ to }) => to === number).length;

test('a number is called, its code confirmed, and it can be assigned', async () => {
  const number = aNumber();
  const { status, body } = await post(number);
  expect([status, body.method, body.status, body.trunk_id]).toEqual([201, 'outbound_code', 'pending', trunkId]);
  expect(Date.parse(body.code_expires_at) - Date.now()).toBeGreaterThan(590_000);
  const code = await spokenCode(body.call_id);
  const wrong = await confirm(body.id, another(code));
  expect([wrong.status, wrong.body.code, wrong.body.tries_left]).toEqual([422, 'wrong_code', 4]);
  const verified = await confirm(body.id, `${code.slice(0, 3)} ${code.slice(3)}`);
  expect([verified.status, verified.body.status, verified.body.failure]).toEqual([200, 'verified', null]);
  const repeated = await confirm(body.id, code);
  expect([repeated.status, repeated.body]).toEqual([200, verified.body]);
  expect((await post(number)).body).toMatchObject({ code: 'number_exists', phone_number_id: body.id });
  const agent = (await api.post('/phone', { name: 'A' }, { key: tenant.key })).body;
  const path = `/phone/sip/agents/${agent.id}/inbound-numbers`;
  const assigned = await api.put(path, { phone_number_ids: [body.id] }, { key: tenant.key });
  expect(assigned.body.inbound_numbers).toEqual([{ id: body.id, phone_number: number }]);

  // Its call is one of the organisation's, made by no agent; and nobody reads code or number anywhere.
  const call = (await api.get(`/phone/calls/${body.call_id}`, { key: tenant.key })).body;
  expect(call).toMatchObject({ phone_agent_id: null, direction: 'outbound', to: number, trunk_id: trunkId });
  expect(await handle(body.id).result()).toEqual({ status: null });
  const histories = [await env.plainHistory(body.call_id), JSON.stringify(await plain(body.id))].join();
  const audit = JSON.stringify((await api.get('/audit-log?limit=100', { key: tenant.key })).body);
  const events = JSON.stringify((await api.get(`/phone/calls/${body.call_id}/events`, { key: tenant.key })).body);
  for (const text of [histories, audit, events, api.logs.join()]) {
    expect([code, code.split('').join(', ')].filter((secret) => text.includes(secret))).toEqual([]);
  }
  expect(histories).not.toContain(number.slice(1));
  expect(audit).toContain('"action":"confirm"');
  expect(dialsTo(number)).toBe(1);
}, 60_000);

async function plain(id: string): Promise<unknown> {
  const history = await handle(id).fetchHistory();
  return JSON.parse(
    JSON.stringify(history, (key, value: unknown) =>
      key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
    ),
  );
}

test('five wrong codes fail it, on two API processes at once; asked for anew it has another code', async () => {
  const { body } = await post(aNumber());
  const code = await spokenCode(body.call_id);
  const tries = Array.from({ length: 12 }, (_, n) =>
    (n % 2 === 0 ? api : hasty).post(`/phone/numbers/${body.id}/confirm`, { code: another(code) }, { key: tenant.key }),
  );
  const answers = await Promise.all(tries);
  expect(answers.filter((answer) => answer.body.code === 'wrong_code')).toHaveLength(5);
  expect(answers.filter((answer) => answer.body.code === 'verification_over')).toHaveLength(7);
  expect(await record(body.id)).toMatchObject({ status: 'failed', failure: { code: 'wrong_codes' } });
  expect((await confirm(body.id, code)).body).toMatchObject({
    statusCode: 409,
    code: 'verification_over',
    status: 'failed',
  });
  const again = (await post(body.phone_number)).body;
  expect([again.id, again.status, again.failure, again.call_id === body.call_id]).toEqual([
    body.id,
    'pending',
    null,
    false,
  ]);
  expect((await confirm(body.id, code)).body.code).toBe('wrong_code');
  expect((await confirm(body.id, await spokenCode(again.call_id))).body.status).toBe('verified');
}, 60_000);

test.each([
  ['busy', { kind: 'end', ending: { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } }],
  ['no_answer', { kind: 'end', ending: { disposition: 'no_answer', endReason: null, endedBy: 'system', sip: null } }],
  ['trunk_unreachable', { kind: 'unreachable', reason: 'connection refused' }],
] as const)(
  'a call that was not answered fails it: %s',
  async (code, plan) => {
    const number = aNumber();
    plans.set(number, plan);
    const { body } = await post(number);
    const failed = await becomes(body.id, 'failed');
    expect(failed.failure).toEqual({ code, message: failureMessage(code) });
    expect((await handle(body.id).result()) as unknown).toEqual({ status: 'failed' });
    expect(dialsTo(number)).toBe(1);
  },
  30_000,
);

test('a code that nobody confirms expires by a timer of the workflow', async () => {
  const { body } = await post(aNumber(), {}, hasty);
  const code = await spokenCode(body.call_id);
  const expired = await becomes(body.id, 'expired');
  expect(expired).toMatchObject({ failure: { code: 'not_confirmed' }, expires_at: null });
  expect((await confirm(body.id, code)).body).toMatchObject({ code: 'verification_over', status: 'expired' });
}, 30_000);

test('asked for anew while it is called, the earlier call is hung up and its code worth nothing', async () => {
  const number = aNumber();
  const first = (await post(number)).body;
  const code = await spokenCode(first.call_id);
  const second = (await post(number)).body;
  expect(second.id).toBe(first.id);
  const fresh = await spokenCode(second.call_id);
  expect(node.control.hangups.map(({ callId }) => callId)).toContain(first.call_id);
  if (code !== fresh) expect((await confirm(first.id, code)).body.code).toBe('wrong_code');
  expect((await confirm(first.id, fresh)).body.status).toBe('verified');
}, 30_000);

test('given up while it is called, the call is hung up', async () => {
  const { body } = await post(aNumber());
  await dialled(body.call_id);
  expect((await api.delete(`/phone/numbers/${body.id}`, { key: tenant.key })).status).toBe(200);
  await waitFor('the hang-up', 10_000, () => node.control.hangups.find(({ callId }) => callId === body.call_id));
  expect(await handle(body.id).result()).toEqual({ status: null });
}, 30_000);

test('what a killed API has left without a workflow is started by the sweep, and called once', async () => {
  const forgetful = await ApiServer.start({
    database: { dataSource: env.dataSource, secrets: env.secrets, tenant: api.tenant },
    verifications: { begin: () => Promise.reject(new Error('killed')), over: () => Promise.resolve() },
  });
  const number = aNumber();
  const { status, body } = await post(number, {}, forgetful);
  await forgetful.stop();
  expect(status).toBe(201);
  await env.dataSource.query(`UPDATE phone_numbers SET updated_at = now() - interval '10 s' WHERE id = $1`, [body.id]);
  await Promise.all([env.sweep(), env.sweep()]);
  const code = await spokenCode(body.call_id);
  await env.sweep();
  expect((await confirm(body.id, code)).body.status).toBe('verified');
  expect(dialsTo(number)).toBe(1);
}, 30_000);

test('a worker that is gone for a while loses nothing', async () => {
  const number = aNumber();
  await env.stopWorker();
  const { body } = await post(number);
  await env.startWorker();
  const code = await spokenCode(body.call_id);
  await env.stopWorker();
  expect((await confirm(body.id, code)).body.status).toBe('verified');
  await env.startWorker();
  expect(await handle(body.id).result()).toEqual({ status: null });
  expect(dialsTo(number)).toBe(1);
}, 60_000);

test('of two organisations that verify a number at once the first has it, the other fails', async () => {
  const number = aNumber();
  const mine = (await post(number)).body;
  const other = await aTenant();
  const theirs = (await api.post('/phone/numbers', { phone_number: number }, { key: other.key })).body;
  await dialled(theirs.call_id);
  expect((await confirm(mine.id, await spokenCode(mine.call_id))).body.status).toBe('verified');
  // No sweep has come by.
  const lost = await waitFor('the other fails', 5_000, async () => {
    const { body } = await api.get(`/phone/numbers/${theirs.id}`, { key: other.key });
    return body.status === 'pending' ? undefined : body;
  });
  expect(lost).toMatchObject({ status: 'failed', failure: { code: 'number_taken' } });
  await waitFor('the hang-up', 10_000, () => node.control.hangups.find(({ callId }) => callId === theirs.call_id));
  expect(await handle(theirs.id).result()).toEqual({ status: null });
  const again = await api.post('/phone/numbers', { phone_number: number }, { key: other.key });
  expect([again.status, again.body.code]).toEqual([409, 'number_taken']);
}, 30_000);

test('a call to it on the trunk verifies it, however the carrier writes the number', async () => {
  const number = aNumber();
  const refused = await post(number, { method: 'inbound_call' });
  expect([refused.status, refused.body.code]).toEqual([403, 'method_not_allowed']);
  const { status, body } = await post(number, { method: 'inbound_call' }, hasty);
  expect([status, body.status, body.call_id, body.code_expires_at]).toEqual([201, 'pending', null, null]);
  expect(body.warnings.map(({ path }: { path: string }) => path)).toEqual(['method']);
  expect((await confirm(body.id, '123456')).body.code).toBe('no_code_expected');
  const request: InboundRequest = {
    trunkId,
    orgId: tenant.orgId,
    sipCallId: 'sip',
    fromTag: 'tag',
    cseq: 1,
    dialedUser: `00${number.slice(1)}`,
    callerUser: '+12025550199',
    privacy: [],
    agentIdHeader: null,
  };
  await waitFor('the number verified', 10_000, async () => {
    // Nobody answers: it was an authenticated INVITE nevertheless.
    expect(node.services.directory.routeInbound(request)).toMatchObject({ ok: false, status: 480 });
    return (await record(body.id)).status === 'verified' ? true : undefined;
  });
  expect(await handle(body.id).result()).toEqual({ status: 'verified' });
}, 30_000);

test('what cannot be called is refused before anybody is', async () => {
  const refusals: unknown[] = [];
  for (const [number, body] of [
    ['+4915112345678', {}],
    ['+19005550100', {}],
    ['911', {}],
    [aNumber(), { method: 'attest' }],
    [aNumber(), { trunk_id: tenant.orgId }],
  ] as const) {
    const answer = await post(number, body);
    refusals.push([answer.status, answer.body.code]);
  }
  expect(refusals).toEqual([
    [422, 'destination_not_allowed'],
    [422, 'destination_not_allowed'],
    [422, 'emergency_number'],
    [403, 'operator_only'],
    [404, 'outbound_trunk_not_found'],
  ]);
  await api.post('/phone/sip/outbound-trunks', CARRIER, { key: tenant.key });
  expect((await post(aNumber())).body.code).toBe('trunk_required');
  const bare = await api.createTenant();
  const none = await api.post('/phone/numbers', { phone_number: aNumber() }, { key: bare.key });
  expect(none.body.code).toBe('no_outbound_trunk');
});

test('the same number is called three times an hour, an organisation ten', async () => {
  const number = aNumber();
  plans.set(number, { kind: 'end', ending: { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } });
  for (let n = 0; n < 3; n += 1) expect((await post(number)).status).toBe(201);
  const fourth = await post(number);
  expect([fourth.status, fourth.body.code]).toEqual([429, 'too_many_code_calls']);
  expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThan(3_500);
  const others = await Promise.all(Array.from({ length: 9 }, () => post(aNumber())));
  expect(others.filter(({ status }) => status === 201)).toHaveLength(7);
  expect(others.filter(({ status }) => status === 429)).toHaveLength(2);
}, 30_000);

test('reads in Temporal as what it is', async () => {
  const { body } = await post(aNumber());
  await dialled(body.call_id);
  const { typedSearchAttributes, staticSummary } = await handle(body.id).describe();
  const values = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  expect(values).toMatchObject({ OrgId: tenant.orgId, TrunkId: trunkId });
  expect(await staticSummary()).toContain('code call');
  const details = JSON.stringify(await handle(body.id).query('__temporal_workflow_metadata'));
  expect(details).toContain('code call over trunk');
  const { events } = await handle(body.id).fetchHistory();
  const steps = (events ?? []).filter(
    (event) => event.timerStartedEventAttributes != null || event.activityTaskScheduledEventAttributes != null,
  );
  expect(steps.length).toBeGreaterThan(1);
  for (const { eventId, userMetadata } of steps)
    expect([eventId, userMetadata?.summary != null]).toEqual([eventId, true]);
  const code = numberCode(env.secrets, { numberId: body.id, n: 1 });
  expect((await confirm(body.id, code)).body.status).toBe('verified');
}, 30_000);
