import type { CallEvent } from '../../../contract/events';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { EventRepository } from '../../../store/repositories/event-repository';
import { FakeCallRequests } from '../../fakes/fake-call-requests';
import { ApiServer } from './support/api-server';

describe('calls', () => {
  let api: ApiServer;
  let workflows: FakeCallRequests;
  let calls: CallRepository;
  const agentId = uuidV7();

  beforeAll(async () => {
    api = await ApiServer.start({
      workflows: ({ dataSource, secrets }) => (workflows = new FakeCallRequests(dataSource, secrets)),
    });
    calls = new CallRepository(api.dataSource);
  });
  beforeEach(() => {
    workflows.hangupOutcome = 'done';
    workflows.hangups.length = 0;
  });
  afterAll(() => api.stop());

  async function insert(overrides: Partial<Parameters<CallRepository['insertCall']>[0]> = {}): Promise<string> {
    const id = uuidV7();
    await calls.insertCall({
      id,
      orgId: api.tenant.orgId,
      agentId,
      trunkId: uuidV7(),
      sessionId: uuidV7(),
      direction: 'outbound',
      from: '+15551234567',
      to: '+15559876543',
      status: 'queued',
      createdAtMs: Date.now(),
      metadata: { ticket: 1 },
      ...overrides,
    });
    return id;
  }

  async function finish(callId: string): Promise<void> {
    await calls.finaliseCall({
      callId,
      ending: {
        disposition: 'answered',
        endReason: 'callee_hangup',
        endedBy: 'callee',
        sip: { sipCallId: 'a@b', finalStatus: 200, reason: 'OK', q850: 16 },
      },
      answeredAtMs: Date.now() - 4000,
      endedAtMs: Date.now(),
      metrics: { postDialDelayMs: 300, mos: 4.2, packetLossPct: 0, jitterMs: 2, turnLatencyMs: { p50: 700, p95: 900 } },
      truncated: false,
    });
  }

  it('show how they went', async () => {
    const id = await insert();
    await finish(id);
    expect((await api.get(`/phone/calls/${id}`)).body).toMatchObject({
      id,
      org_id: api.tenant.orgId,
      phone_agent_id: agentId,
      status: 'completed',
      disposition: 'answered',
      sip: { call_id: 'a@b', final_status: 200, reason: 'OK', q850: 16 },
      duration_seconds: 4,
      ended_by: 'callee',
      end_reason: 'callee_hangup',
      truncated: false,
      recording: { available: false, duration_seconds: null },
      metrics: { post_dial_delay_ms: 300, mos: 4.2, turn_latency_ms: { p50: 700, p95: 900 } },
      metadata: { ticket: 1 },
    });
  });

  it('are found by their properties', async () => {
    const id = await insert({ direction: 'inbound', from: '+15550007777', status: 'in_progress' });
    const find = async (query: string): Promise<string[]> =>
      (await api.get(`/phone/calls?limit=100&${query}`)).body.items.map((call: { id: string }) => call.id);
    expect(await find('direction=inbound')).toEqual([id]);
    expect(await find('status=in_progress&phone_number=%2B1%20555%20000%207777')).toEqual([id]);
    expect(await find('phone_number=+15550007777')).toEqual([id]);
    expect(await find(`phone_agent_id=${agentId}`)).toContain(id);
    expect(await find(`created_after=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual([]);
    expect(await find('disposition=busy')).toEqual([]);
    expect((await api.get('/phone/calls?status=strange')).status).toBe(400);
  });

  it('come in pages', async () => {
    const all = (await api.get('/phone/calls?limit=100')).body.items;
    const first = (await api.get('/phone/calls?limit=1')).body;
    const second = (await api.get(`/phone/calls?limit=1&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items]).toEqual(all.slice(0, 2));
  });

  it('have a timeline and a transcript', async () => {
    const id = await insert({ status: 'in_progress', createdAtMs: 500 });
    const base = { callId: id, orgId: api.tenant.orgId };
    const turn = { index: 0, speaker: 'agent', text: 'Hello', startMs: 10, endMs: 900, interruptedAtMs: null } as const;
    const events: CallEvent[] = [
      { ...base, seq: 1, atMs: 1000, type: 'ringing', status: 180 },
      { ...base, seq: 2, atMs: 2000, type: 'answered', sipCallId: 'a@b', postDialDelayMs: 900 },
      { ...base, seq: 3, atMs: 3000, type: 'turn', turn },
    ];
    await new EventRepository(api.dataSource, api.secrets).insertBatch(events);
    const { body } = await api.get(`/phone/calls/${id}/events`);
    expect(body.items.map((event: { id: string }) => event.id)).toEqual(['workflow:1', 'node:1', 'node:2', 'node:3']);
    expect(body.items[1]).toMatchObject({ type: 'ringing', at: '1970-01-01T00:00:01.000Z', data: { status: 180 } });
    expect(body.items[2].data).toEqual({ sip_call_id: 'a@b', post_dial_delay_ms: 900 });
    expect(body.items[3].data.turn).toMatchObject({ start_ms: 10, interrupted_at_ms: null });
    const page = (await api.get(`/phone/calls/${id}/events?limit=3`)).body;
    const rest = (await api.get(`/phone/calls/${id}/events?cursor=${page.next}`)).body;
    expect([...page.items, ...rest.items]).toEqual(body.items);
    const madeUp = Buffer.from(`call_events/${id}:-999999999999999:node:1`).toString('base64url');
    expect((await api.get(`/phone/calls/${id}/events?cursor=${madeUp}`)).status).toBe(400);
    expect((await api.get(`/phone/calls/${id}/transcript`)).body).toEqual({
      call_id: id,
      turns: [{ index: 0, speaker: 'agent', text: 'Hello', start_ms: 10, end_ms: 900, interrupted_at_ms: null }],
    });
  });

  it('are hung up by an update that a repeat joins', async () => {
    const id = await insert({ status: 'in_progress' });
    expect((await api.post(`/phone/calls/${id}/hangup`)).status).toBe(200);
    await api.post(`/phone/calls/${id}/hangup`, {});
    expect(workflows.hangups).toHaveLength(2);
    expect(new Set(workflows.hangups.map(({ updateId }) => updateId)).size).toBe(1);
    expect(workflows.hangups[0]).toMatchObject({ callId: id, request: { endReason: 'api_hangup', endedBy: 'api' } });
  });

  it('that are over answer a hang-up unchanged', async () => {
    const id = await insert();
    await finish(id);
    const { status, body } = await api.post(`/phone/calls/${id}/hangup`);
    expect([status, body.end_reason]).toEqual([200, 'callee_hangup']);
    expect(workflows.hangups).toEqual([]);
  });

  it('whose hang-up takes too long are named with the update', async () => {
    const id = await insert({ status: 'in_progress' });
    workflows.hangupOutcome = 'unknown';
    const { status, body } = await api.post(`/phone/calls/${id}/hangup`);
    expect([status, body.code, body.call_id, body.update_id]).toEqual([503, 'outcome_unknown', id, 'hangup']);
    workflows.hangupOutcome = 'unavailable';
    expect((await api.post(`/phone/calls/${id}/hangup`)).body.code).toBe('temporal_unavailable');
  });

  it('whose workflow is gone answer 409 until the server has ended them', async () => {
    const id = await insert({ status: 'in_progress' });
    workflows.hangupOutcome = 'gone';
    const open = await api.post(`/phone/calls/${id}/hangup`);
    expect([open.status, open.body.code]).toEqual([409, 'call_not_controllable']);
    await finish(id);
    expect((await api.post(`/phone/calls/${id}/hangup`)).status).toBe(200);
  });

  describe('that wait', () => {
    const LATER = new Date(Date.now() + 24 * 3_600_000).toISOString();
    const scheduled = (): Promise<string> =>
      insert({ status: 'scheduled', scheduledAtMs: Date.parse(LATER), expiresAtMs: Date.parse(LATER) + 3_600_000 });

    beforeEach(() => {
      workflows.reschedules.length = 0;
      workflows.rescheduleAnswer = { outcome: 'done', scheduledAtMs: null, expiresAtMs: 0 };
    });

    it('for room show for what, and as which', async () => {
      const [first, second] = [await insert(), await insert()];
      for (const callId of [first, second]) {
        await api.dataSource.query(
          `INSERT INTO capacity_queue (call_id, org_id, trunk_id, reason) VALUES ($1, $2, $3, 'trunk_concurrency')`,
          [callId, api.tenant.orgId, agentId],
        );
      }
      const queue = { reason: 'trunk_concurrency', next_try_at: null };
      expect((await api.get(`/phone/calls/${second}`)).body.queue).toEqual({ ...queue, position: 2 });
      const { items } = (await api.get('/phone/calls?status=queued&limit=2')).body as { items: { queue: unknown }[] };
      expect(items.map((item) => item.queue)).toEqual([
        { ...queue, position: 2 },
        { ...queue, position: 1 },
      ]);
      expect((await api.get(`/phone/calls/${await insert()}`)).body.queue).toBeNull();
    });

    it('for their time are listed as scheduled, and get other times', async () => {
      const callId = await scheduled();
      const { items } = (await api.get('/phone/calls?status=scheduled')).body as { items: { id: string }[] };
      expect(items).toMatchObject([{ id: callId, scheduled_at: LATER }]);
      const expires = new Date(Date.parse(LATER) + 60_000).toISOString();
      const { status, body } = await api.patch(`/phone/calls/${callId}`, { expires_at: expires });
      expect([status, body.expires_at]).toEqual([200, expires]);
      expect(workflows.reschedules).toEqual([{ callId, request: { expiresAtMs: Date.parse(expires) } }]);
      const past = await api.patch(`/phone/calls/${callId}`, { scheduled_at: '2020-01-01T00:00:00Z' });
      expect(past.status).toBe(200);
      expect(workflows.reschedules[1]!.request.scheduledAtMs).toBeGreaterThan(Date.now() - 10_000);
    });

    it.each([
      [{}, 400, 'validation_failed'],
      [{ scheduled_at: 'soon' }, 400, 'validation_failed'],
      [{ scheduled_at: '2130-01-01T00:00:00Z' }, 422, 'scheduled_too_far'],
      [{ expires_at: '2020-01-01T00:00:00Z' }, 422, 'expires_too_early'],
      [{ scheduled_at: LATER, expires_at: LATER }, 422, 'expires_too_early'],
    ])('are not changed by %j', async (body, status, code) => {
      const answer = await api.patch(`/phone/calls/${await scheduled()}`, body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(workflows.reschedules).toEqual([]);
    });

    it.each([
      [{ outcome: 'refused', code: 'not_scheduled' }, 409, 'not_scheduled'],
      [{ outcome: 'refused', code: 'not_waiting' }, 409, 'not_waiting'],
      [{ outcome: 'refused', code: 'expires_too_early' }, 422, 'expires_too_early'],
      [{ outcome: 'gone' }, 409, 'not_waiting'],
      [{ outcome: 'unavailable' }, 503, 'temporal_unavailable'],
      [{ outcome: 'unknown' }, 503, 'outcome_unknown'],
    ] as const)('are changed by their workflow, which says %j', async (said, status, code) => {
      workflows.rescheduleAnswer = said;
      const answer = await api.patch(`/phone/calls/${await scheduled()}`, { scheduled_at: LATER });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    });

    it('are given up, and only they', async () => {
      const callId = await scheduled();
      expect((await api.post(`/phone/calls/${callId}/cancel`)).status).toBe(200);
      expect(workflows.hangups).toMatchObject([{ callId, updateId: 'hangup' }]);
      const dialing = await insert({ status: 'dialing' });
      for (const refused of [
        await api.post(`/phone/calls/${dialing}/cancel`),
        await api.patch(`/phone/calls/${dialing}`, { scheduled_at: LATER }),
      ]) {
        expect([refused.status, refused.body.code]).toEqual([409, 'not_waiting']);
      }
      const over = await insert({ status: 'dialing' });
      await finish(over);
      expect((await api.post(`/phone/calls/${over}/cancel`)).body).toMatchObject({ status: 'completed' });
      expect(workflows.hangups).toHaveLength(1);
    });
  });
});
