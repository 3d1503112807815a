import { openControl } from '../../../store/call-control';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { FakeCallRequests } from '../../fakes/fake-call-requests';
import { ApiServer } from './support/api-server';

const NUMBER = '+15559876543';
const URI = 'sip:lead@pbx.example.com';

describe('/phone/calls/{id}/supervise', () => {
  let api: ApiServer;
  let workflows: FakeCallRequests;

  beforeAll(async () => {
    api = await ApiServer.start({
      workflows: ({ dataSource, secrets }) => (workflows = new FakeCallRequests(dataSource, secrets)),
    });
  });
  beforeEach(() => {
    workflows.controls.length = 0;
    workflows.controlAnswer = { outcome: 'done' };
  });
  afterAll(() => api.stop());

  async function liveCall(): Promise<string> {
    const id = uuidV7();
    await new CallRepository(api.dataSource).insertCall({
      id,
      orgId: api.tenant.orgId,
      agentId: uuidV7(),
      trunkId: uuidV7(),
      sessionId: uuidV7(),
      direction: 'inbound',
      from: '+15551110000',
      to: '+15551234567',
      status: 'in_progress',
      createdAtMs: Date.now(),
    });
    return id;
  }

  const supervise = async (body: object, callId?: string): Promise<{ status: number; body: Record<string, unknown> }> =>
    api.post(`/phone/calls/${callId ?? (await liveCall())}/supervise`, body);

  it('wants a trunk for a number, and none for a SIP URI', async () => {
    expect(await supervise({ destination: NUMBER, mode: 'listen' })).toMatchObject({
      status: 422,
      body: { code: 'no_trunk' },
    });
    expect((await supervise({ destination: URI, mode: 'listen' })).status).toBe(200);
  });

  it('has somebody called, sealed for the call, and answers with the call', async () => {
    const { body: trunk } = await api.post('/phone/sip/outbound-trunks', {
      name: 'Carrier',
      host: 'carrier.example.com',
      username: 'u',
      password: 'p',
      caller_number: '+15550001111',
    });
    const callId = await liveCall();
    const answer = await supervise(
      { destination: '+1 555 987 6543', mode: 'whisper', ring_timeout_seconds: 17 },
      callId,
    );
    expect(answer).toMatchObject({ status: 200, body: { id: callId, status: 'in_progress' } });
    const { control } = workflows.controls[0]!.request;
    expect(JSON.stringify(control)).not.toContain('9876543');
    expect(openControl(api.secrets, { orgId: api.tenant.orgId, callId }, control)).toMatchObject({
      type: 'supervise',
      mode: 'whisper',
      leg: { trunkId: trunk.id, ringTimeoutSeconds: 17, target: { type: 'phone', number: NUMBER } },
    });
  });

  it.each([
    ['an emergency number', { destination: '+1 911', mode: 'listen' }, 422, 'emergency_number'],
    ['a premium number', { destination: '+19005550100', mode: 'listen' }, 422, 'destination_not_allowed'],
    ['a country of nobody', { destination: '+442079460000', mode: 'listen' }, 422, 'destination_not_allowed'],
    ['no number', { destination: 'my boss', mode: 'listen' }, 400, 'validation_failed'],
    [
      'a URI with a password',
      { destination: 'sip:lead:secret@pbx.example.com', mode: 'listen' },
      400,
      'validation_failed',
    ],
    ['nobody', { mode: 'listen' }, 400, 'validation_failed'],
    ['no mode', { destination: URI }, 400, 'validation_failed'],
    ['a mode of its own', { destination: URI, mode: 'shout' }, 400, 'validation_failed'],
    ['ringing for ever', { destination: URI, mode: 'listen', ring_timeout_seconds: 600 }, 400, 'validation_failed'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await supervise(body)).toMatchObject({ status, body: { code } });
    expect(workflows.controls).toEqual([]);
  });

  it.each(['not_answered', 'supervised', 'no_agent', 'no_recognition'] as const)(
    'says %s with the state',
    async (code) => {
      workflows.controlAnswer = { outcome: 'refused', code };
      expect(await supervise({ destination: URI, mode: 'whisper' })).toMatchObject({
        status: 409,
        body: { code, call_status: 'in_progress' },
      });
    },
  );

  it('says why the supervisor was not reached', async () => {
    workflows.controlAnswer = { outcome: 'failed', sipStatus: 486, legOutcome: 'busy' };
    expect(await supervise({ destination: URI, mode: 'listen' })).toMatchObject({
      status: 409,
      body: { code: 'supervisor_not_reached', outcome: 'busy', sip_status: 486, call_status: 'in_progress' },
    });
  });

  it('sends the supervisor away', async () => {
    const callId = await liveCall();
    expect(await api.delete(`/phone/calls/${callId}/supervise`)).toMatchObject({ status: 200, body: { id: callId } });
    expect(workflows.controls[0]?.request.control).toEqual({ type: 'unsupervise' });
    workflows.controlAnswer = { outcome: 'refused', code: 'not_supervised' };
    expect(await api.delete(`/phone/calls/${callId}/supervise`)).toMatchObject({
      status: 409,
      body: { code: 'not_supervised' },
    });
  });

  it('knows no call that is over, nor of nobody', async () => {
    const body = { destination: URI, mode: 'listen' };
    expect(await supervise(body, uuidV7())).toMatchObject({ status: 404, body: { code: 'call_not_found' } });
    expect(workflows.controls).toEqual([]);
    workflows.controlAnswer = { outcome: 'ended' };
    expect(await supervise(body)).toMatchObject({ status: 409, body: { code: 'ended', call_status: 'completed' } });
  });
});
