import { openControl } from '../../../store/call-control';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { FakeCallRequests } from '../../fakes/fake-call-requests';
import { ApiServer } from './support/api-server';

const NUMBER = '+15559876543';

describe('POST /phone/calls/{id}/transfer', () => {
  let api: ApiServer;
  let workflows: FakeCallRequests;
  let agentId: string;
  let trunkId: string;

  beforeAll(async () => {
    api = await ApiServer.start({
      workflows: ({ dataSource, secrets }) => (workflows = new FakeCallRequests(dataSource, secrets)),
    });
    agentId = (await api.post('/phone', { name: 'Agent' })).body.id;
  });
  beforeEach(() => {
    workflows.transfers.length = 0;
    workflows.transferAnswer = { outcome: 'accepted' };
    workflows.meanwhile = () => Promise.resolve();
  });
  afterAll(() => api.stop());

  async function liveCall(status: 'in_progress' | 'held' = 'in_progress'): Promise<string> {
    const id = uuidV7();
    await new CallRepository(api.dataSource).insertCall({
      id,
      orgId: api.tenant.orgId,
      agentId,
      trunkId: uuidV7(),
      sessionId: uuidV7(),
      direction: 'inbound',
      from: '+15551110000',
      to: '+15551234567',
      status,
      createdAtMs: Date.now(),
    });
    return id;
  }

  const transfer = async (body: object, callId?: string): Promise<{ status: number; body: Record<string, unknown> }> =>
    api.post(`/phone/calls/${callId ?? (await liveCall())}/transfer`, body);

  async function destination(more: object = {}): Promise<string> {
    const create = { name: 'Sales', type: 'phone', value: NUMBER, ...more };
    const path = `/phone/sip/agents/${agentId}/transfer-destinations`;
    return (await api.post(path, { create })).body.destination_id;
  }

  it('wants a trunk for a number that we are to call ourselves', async () => {
    expect(await transfer({ type: 'phone', value: NUMBER, mode: 'bridge' })).toMatchObject({
      status: 422,
      body: { code: 'no_trunk' },
    });
    const trunk = await api.post('/phone/sip/outbound-trunks', {
      name: 'Carrier',
      host: 'carrier.example.com',
      username: 'u',
      password: 'p',
      caller_number: '+15550001111',
    });
    trunkId = trunk.body.id;
    expect((await transfer({ type: 'phone', value: NUMBER, mode: 'bridge' })).status).toBe(200);
  });

  it('hands over to a destination of the agent, sealed for the call', async () => {
    const callId = await liveCall();
    const id = await destination({ mode: 'bridge', ring_timeout_seconds: 17 });
    const { status, body } = await transfer({ destination_id: id, announce: 'One moment.' }, callId);
    expect([status, body]).toEqual([200, { transfer_id: expect.any(String) }]);
    const { request } = workflows.transfers[0]!;
    expect(request).toMatchObject({ transferId: body['transfer_id'], ways: ['bridge'], ringTimeoutSeconds: 17 });
    expect(JSON.stringify(request)).not.toMatch(/9876543|moment|Sales/);
    const owner = { orgId: api.tenant.orgId, callId };
    expect(openControl(api.secrets, owner, { type: 'dialLeg', sealed: request.leg })).toMatchObject({
      leg: { legId: body['transfer_id'], name: 'Sales', trunkId, agentId, target: { type: 'phone', number: NUMBER } },
    });
    expect(request.announce && openControl(api.secrets, owner, request.announce)).toMatchObject({
      text: 'One moment.',
    });
  });

  it("says the destination's own words before, where the request has none", async () => {
    const callId = await liveCall();
    const id = await destination({ mode: 'bridge', announce: 'The sales team is next.' });
    await transfer({ destination_id: id }, callId);
    const { announce } = workflows.transfers[0]!.request;
    expect(announce && openControl(api.secrets, { orgId: api.tenant.orgId, callId }, announce)).toEqual({
      type: 'announce',
      text: 'The sales team is next.',
    });
  });

  it.each([
    [undefined, ['refer', 'bridge']],
    ['auto', ['refer', 'bridge']],
    ['refer', ['refer']],
    ['bridge', ['bridge']],
    ['warm', ['warm']],
  ])('tries by mode %s: %j', async (mode, ways) => {
    await transfer({ type: 'sip', value: 'sip:sales@pbx.example.com', ...(mode === undefined ? {} : { mode }) });
    expect(workflows.transfers[0]?.request.ways).toEqual(ways);
  });

  it.each([
    [
      'a briefing of nobody',
      { type: 'phone', value: NUMBER, mode: 'bridge', briefing: 'Hello.' },
      400,
      'validation_failed',
    ],
    ['an emergency number', { type: 'phone', value: '+1 911' }, 422, 'emergency_number'],
    ['a premium number', { type: 'phone', value: '+19005550100' }, 422, 'destination_not_allowed'],
    ['a country of nobody', { type: 'phone', value: '+442079460000' }, 422, 'destination_not_allowed'],
    ['an unknown destination', { destination_id: uuidV7() }, 404, 'transfer_destination_not_found'],
    ['nobody', {}, 400, 'validation_failed'],
    ['both ways at once', { destination_id: uuidV7(), type: 'phone', value: NUMBER }, 400, 'validation_failed'],
    ['a value without a type', { value: NUMBER }, 400, 'validation_failed'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await transfer(body)).toMatchObject({ status, body: { code } });
    expect(workflows.transfers).toEqual([]);
  });

  it('briefs by mode warm: as the request says; sealed, as are the credentials and what the caller is told', async () => {
    const create = { type: 'sip', value: 'sip:sales@pbx.example.com', mode: 'warm', announce: 'Somebody for you.' };
    const destination_id = await destination({ ...create, username: 'bob', password: 'most-secret' });
    const legOf = async (body: object): Promise<unknown> => {
      const callId = await liveCall();
      expect((await transfer({ destination_id, ...body }, callId)).status).toBe(200);
      const { request } = workflows.transfers.at(-1)!;
      // What is sealed may spell anything.
      const plain = JSON.stringify(request).replaceAll(/v1\.[\w.-]+/g, 'sealed');
      expect(plain).not.toMatch(/Somebody|angry|bob|secret/);
      const opened = openControl(
        api.secrets,
        { orgId: api.tenant.orgId, callId },
        { type: 'consultLeg', sealed: request.leg },
      );
      return 'leg' in opened ? opened.leg : null;
    };
    const credentials = { username: 'bob', password: 'most-secret' };
    expect(await legOf({})).toMatchObject({ briefing: null, credentials });
    expect(await legOf({ briefing: 'Ann is angry.' })).toMatchObject({ briefing: 'Ann is angry.', credentials });
    expect(await legOf({ mode: 'bridge' })).toMatchObject({ briefing: null, credentials });
  });

  it('refuses a call that is on hold, whose node would refuse it later', async () => {
    const body = { type: 'sip', value: 'sip:sales@pbx.example.com' };
    expect(await transfer(body, await liveCall('held'))).toMatchObject({
      status: 409,
      body: { code: 'on_hold', call_status: 'held' },
    });
    expect(workflows.transfers).toEqual([]);
  });

  it('says of one that was handed over, and is held since, that it was', async () => {
    const callId = await liveCall('held');
    const done = { id: uuidV7(), by: 'api', mode: 'bridge', outcome: 'transferred', sipStatus: 200 };
    await api.dataSource.query('UPDATE calls SET transfer = $2::jsonb WHERE id = $1', [
      callId,
      JSON.stringify({ ...done, durationMs: 5, failedStep: null }),
    ]);
    expect(await transfer({ type: 'sip', value: 'sip:sales@pbx.example.com' }, callId)).toMatchObject({
      status: 409,
      body: { code: 'transferred', call_status: 'held' },
    });
  });

  it('refuses a destination of another agent', async () => {
    const { body } = await api.post('/phone/sip/transfer-destinations', { name: 'x', type: 'phone', value: NUMBER });
    expect(await transfer({ destination_id: body.id })).toMatchObject({
      status: 422,
      body: { code: 'destination_not_assigned' },
    });
  });

  it.each(['not_answered', 'transferring', 'transferred'] as const)('says where the call stands: %s', async (code) => {
    workflows.transferAnswer = { outcome: 'refused', code };
    expect(await transfer({ type: 'phone', value: NUMBER })).toMatchObject({
      status: 409,
      body: { code, call_status: 'in_progress' },
    });
  });

  it('says where a call stands that is handed over, and held, while it is asked for', async () => {
    workflows.transferAnswer = { outcome: 'refused', code: 'transferred' };
    workflows.meanwhile = (id) => api.dataSource.query("UPDATE calls SET status = 'held' WHERE id = $1", [id]);
    expect(await transfer({ type: 'sip', value: 'sip:sales@pbx.example.com' })).toMatchObject({
      status: 409,
      body: { code: 'transferred', call_status: 'held' },
    });
  });

  it.each([
    ['on_hold', 'say', { text: 'Hello?' }, { outcome: 'refused', code: 'on_hold' }],
    ['superseded', 'say', { text: 'Hello?' }, { outcome: 'superseded' }],
    ['failed', 'unhold', undefined, { outcome: 'failed', sipStatus: 488 }],
  ] as const)(
    'says where a call stands that has changed since it was told something: %s',
    async (code, verb, body, told) => {
      workflows.controlAnswer = told;
      workflows.meanwhile = (id) => api.dataSource.query("UPDATE calls SET status = 'held' WHERE id = $1", [id]);
      expect(await api.post(`/phone/calls/${await liveCall()}/${verb}`, body)).toMatchObject({
        status: 409,
        body: { code, call_status: 'held' },
      });
    },
  );

  it.each([
    ['gone', 409, 'ended'],
    ['unavailable', 503, 'temporal_unavailable'],
    ['unknown', 503, 'outcome_unknown'],
  ] as const)('says when its workflow is %s', async (outcome, status, code) => {
    workflows.transferAnswer = { outcome };
    expect(await transfer({ type: 'phone', value: NUMBER })).toMatchObject({ status, body: { code } });
  });

  describe('with an Idempotency-Key', () => {
    const body = { type: 'sip', value: 'sip:sales@pbx.example.com' };
    let headers: { readonly 'Idempotency-Key': string };

    beforeEach(() => {
      headers = { 'Idempotency-Key': uuidV7() };
    });
    const keyed = (callId: string, more: object = {}) =>
      api.post(`/phone/calls/${callId}/transfer`, { ...body, ...more }, { headers });
    const idsToldOf = (): string[] => workflows.transfers.map(({ request }) => request.transferId);

    it('is begun once, and a repeat gets the same answer; the key is for that call and body alone', async () => {
      const callId = await liveCall();
      const first = await keyed(callId);
      const second = await keyed(callId);
      expect([second.status, second.body]).toEqual([200, first.body]);
      expect(second.headers.get('Idempotent-Replayed')).toBe('true');
      expect(first.headers.get('Idempotent-Replayed')).toBeNull();
      expect(idsToldOf()).toEqual([first.body.transfer_id]);
      for (const answer of [await keyed(callId, { mode: 'bridge' }), await keyed(await liveCall())]) {
        expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
      }
      expect((await transfer(body, callId)).body['transfer_id']).not.toBe(first.body.transfer_id);
    });

    it('is the same transfer to the workflow when its answer was not known', async () => {
      const callId = await liveCall();
      workflows.transferAnswer = { outcome: 'unknown' };
      expect((await keyed(callId)).status).toBe(503);
      workflows.transferAnswer = { outcome: 'accepted' };
      const { status, body: begun } = await keyed(callId);
      expect([status, idsToldOf()]).toEqual([200, [begun.transfer_id, begun.transfer_id]]);
    });

    it('is found in the record of the call, be it over by then, where the key has lost its answer', async () => {
      const callId = await liveCall();
      const { body: begun } = await keyed(callId);
      await api.dataSource.query('DELETE FROM idempotency_keys WHERE key = $1', [headers['Idempotency-Key']]);
      const record = { id: begun.transfer_id, by: 'api', mode: 'bridge' };
      await api.dataSource.query(
        `UPDATE calls SET transfer = $2, status = 'completed', ended_at = now() WHERE id = $1`,
        [callId, record],
      );
      const again = await keyed(callId);
      expect([again.status, again.body, idsToldOf()]).toEqual([200, begun, [begun.transfer_id]]);
      expect(again.headers.get('Idempotent-Replayed')).toBe('true');
    });

    it('may be used again, for anything, after a refusal', async () => {
      expect((await keyed(await liveCall('held'))).status).toBe(409);
      expect((await keyed(await liveCall())).status).toBe(200);
    });
  });
});
