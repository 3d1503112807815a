import { keyedCallId } from '../../../store/ids';
import { FakeCallRequests } from '../../fakes/fake-call-requests';
import { waitFor } from '../../support/wait-for';
import { ApiServer } from './support/api-server';

const ROUTE = 'POST /phone/outbound-call';
const to = '+15559876543';
const CONTACT = '01937f3e-6c10-7f33-8a44-91b1a2c3d403';

describe('POST /phone/outbound-call', () => {
  let api: ApiServer;
  let workflows: FakeCallRequests;
  let agentId: string;
  let trunkId: string;

  beforeAll(async () => {
    api = await ApiServer.start({
      workflows: ({ dataSource, secrets }) => (workflows = new FakeCallRequests(dataSource, secrets)),
    });
    await api.seeNode();
    ({ agentId, trunkId } = await api.createDialler({ first_message: 'Hi {{name}}!' }));
  });
  beforeEach(() => {
    workflows.accepted.length = 0;
    workflows.acceptOutcomes = [];
  });
  afterAll(() => api.stop());

  const dial = (body: object = {}, key?: string) =>
    api.post(
      '/phone/outbound-call',
      { phone_agent_id: agentId, phone_number: to, ...body },
      key === undefined ? {} : { headers: { 'Idempotency-Key': key } },
    );

  it('hands the workflow ids and times, and everything else sealed', async () => {
    const before = Date.now();
    const { status, body } = await dial({
      variables: { name: 'Ada' },
      metadata: { ticket: 4711 },
      ring_timeout_seconds: 20,
      max_duration_seconds: 90,
    });
    expect(status).toBe(200);
    const [input] = workflows.accepted;
    expect(input).toMatchObject({
      direction: 'outbound',
      callId: body.id,
      orgId: api.tenant.orgId,
      agentId,
      trunkId,
      ringTimeoutSeconds: 20,
      maxDurationSeconds: 90,
    });
    expect(input!.createdAtMs).toBeGreaterThanOrEqual(before);
    expect(input!.acceptByMs - input!.createdAtMs).toBe(5000);
    // Three digits may stand in any id.
    expect(JSON.stringify(input)).not.toMatch(/5551234567|5559876543/);
    expect(JSON.stringify(input)).not.toContain(to);
    expect(JSON.stringify(input)).not.toContain('Ada');
    expect(workflows.detailsOf(input!)).toEqual({
      from: '+15551234567',
      to,
      firstMessage: 'Hi Ada!',
      metadata: { ticket: 4711 },
    });
    expect(body).toMatchObject({ status: 'queued', metadata: { ticket: 4711 }, session_id: input!.sessionId });
    expect(body.id[14]).toBe('7');
  });

  it.each([
    ['an unknown agent', { phone_agent_id: '01937f3e-6c10-7f33-8a44-91b1a2c3d402' }, 404, 'agent_not_found'],
    ['a number of another country', { phone_number: '+4930123456' }, 422, 'destination_not_allowed'],
    ['a premium number', { phone_number: '+19005551234' }, 422, 'destination_not_allowed'],
    ['a satellite number', { phone_number: '+8821612345678' }, 422, 'destination_not_allowed'],
    ['an emergency number', { phone_number: '112' }, 422, 'emergency_number'],
    ['an emergency number behind a country code', { phone_number: '+1911' }, 422, 'emergency_number'],
    ["a caller number that is not the trunk's", { caller_number: '+15550009999' }, 422, 'caller_number_not_owned'],
    ['a call for much later', { scheduled_at: '2130-01-01T00:00:00Z' }, 422, 'scheduled_too_far'],
    ['a call for no time', { scheduled_at: 'tomorrow' }, 400, 'validation_failed'],
    [
      'a first message that its variables make too long',
      { first_message: '{{a}}'.repeat(1000), variables: { a: 'x'.repeat(2000) } },
      422,
      'first_message_too_long',
    ],
    ['machine detection', { machine_detection: 'hangup' }, 422, 'machine_detection_unavailable'],
    ['no number', { phone_number: undefined }, 400, 'validation_failed'],
    ['a call that has expired', { expires_at: '2020-01-01T00:00:00Z' }, 422, 'expires_too_early'],
    ['a contact that is no id', { contact_id: 'Ada' }, 400, 'validation_failed'],
    ['a message for machines that is no text', { voicemail_message: 1 }, 400, 'validation_failed'],
    ['an emergency number of a contact', { phone_number: '112', contact_id: CONTACT }, 422, 'emergency_number'],
    ['a ring timeout out of range', { ring_timeout_seconds: 4 }, 400, 'validation_failed'],
  ])('refuses %s and starts nothing', async (_, body, status, code) => {
    const answer = await dial(body);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(workflows.accepted).toEqual([]);
  });

  it.each([[undefined], [null]])('names the contact that it does not call, without a number (%p)', async (number) => {
    const { status, body } = await dial({ phone_number: number, contact_id: CONTACT });
    expect([status, body.code]).toEqual([400, 'validation_failed']);
    expect(body.issues).toContainEqual({ path: 'contact_id', message: expect.stringContaining('phone_number') });
    expect(workflows.accepted).toEqual([]);
  });

  it('says what it does not act on, each time it is asked', async () => {
    const fields = { contact_id: CONTACT, voicemail_message: 'Call us back' };
    const first = await dial(fields, 'warned');
    const again = await dial(fields, 'warned');
    const paths = first.body.warnings.map(({ path }: { readonly path: string }) => path);
    expect([first.status, paths]).toEqual([200, ['contact_id', 'voicemail_message']]);
    expect([again.body, workflows.accepted.length]).toEqual([first.body, 1]);
    const nothing = await dial({ contact_id: null, voicemail_message: null, expires_at: null });
    expect([nothing.status, nothing.body.warnings]).toEqual([200, undefined]);
  });

  it('refuses an agent without a trunk, unless the request names one', async () => {
    const { body: bare } = await api.post('/phone', { name: 'No trunk' });
    const refused = await dial({ phone_agent_id: bare.id });
    expect([refused.status, refused.body.code]).toEqual([422, 'agent_has_no_outbound_trunk']);
    expect((await dial({ phone_agent_id: bare.id, trunk_id: trunkId })).status).toBe(200);
  });

  it('refuses an agent whose language nobody speaks', async () => {
    const { body: finn } = await api.post('/phone', { name: 'Finn', language: 'fi' });
    const refused = await dial({ phone_agent_id: finn.id, trunk_id: trunkId });
    expect([refused.status, refused.body.code]).toEqual([422, 'language_unavailable']);
  });

  it('may call the countries of every own number', async () => {
    expect((await dial({ phone_number: '+442079460000' })).body.code).toBe('destination_not_allowed');
    await api.post('/phone/numbers', { phone_number: '+442079460123', method: 'attest' });
    expect((await dial({ phone_number: '+442079460000' })).status).toBe(200);
  });

  it('says that nothing was done while no media node lives', async () => {
    await api.loseNode();
    const refused = async () => {
      const { status, body } = await dial();
      return status === 503 ? body.code : undefined;
    };
    expect(await waitFor('the refusal', 4000, refused)).toBe('media_unavailable');
    workflows.accepted.length = 0;
    await api.seeNode();
    expect((await dial()).status).toBe(200);
  });

  it('says that nothing was done while Temporal is away', async () => {
    workflows.acceptOutcomes = ['unavailable'];
    const { status, body, headers } = await dial();
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'temporal_unavailable', '2']);
  });

  it('names the call when its outcome is unknown', async () => {
    workflows.acceptOutcomes = ['unknown'];
    const { status, body } = await dial();
    expect([status, body.code, body.call_id]).toEqual([503, 'outcome_unknown', workflows.accepted[0]!.callId]);
  });

  describe('with an Idempotency-Key', () => {
    it('derives the id from the key and replays the answer', async () => {
      const first = await dial({ metadata: { a: 1 } }, 'key-1');
      expect(first.body.id).toBe(keyedCallId(api.tenant.orgId, ROUTE, 'key-1', 1));
      const again = await dial({ metadata: { a: 1 } }, 'key-1');
      expect(again.body).toEqual(first.body);
      expect([first, again].map((a) => a.headers.get('idempotent-replayed'))).toEqual([null, 'true']);
      expect(workflows.accepted).toHaveLength(1);
      const other = await dial({ metadata: { a: 2 } }, 'key-1');
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
    });

    it('makes one call of simultaneous duplicates', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => dial({}, 'key-2')));
      expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
      expect(new Set(workflows.accepted.map(({ callId }) => callId)).size).toBe(1);
      expect((await dial({}, 'key-2')).headers.get('idempotent-replayed')).toBe('true');
    });

    it('finds the call although the row of the key was lost', async () => {
      const first = await dial({ metadata: { a: 1 } }, 'key-3');
      await api.dataSource.query('DELETE FROM idempotency_keys');
      const other = await dial({ metadata: { a: 2 } }, 'key-3');
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
      const again = await dial({ metadata: { a: 1 } }, 'key-3');
      expect([again.body.id, again.headers.get('idempotent-replayed')]).toEqual([first.body.id, 'true']);
      expect(workflows.accepted).toHaveLength(1);
    });

    it('may try again at once after a refusal or an outage, and gets the same id', async () => {
      workflows.acceptOutcomes = ['unknown', 'unavailable'];
      const first = await dial({}, 'key-4');
      expect(first.body.code).toBe('outcome_unknown');
      expect((await dial({}, 'key-4')).body.code).toBe('temporal_unavailable');
      const third = await dial({}, 'key-4');
      expect([third.status, third.body.id]).toEqual([200, first.body.call_id]);
    });

    it('is free for another body after a refusal', async () => {
      expect((await dial({ phone_number: '+4930123456' }, 'key-8')).status).toBe(422);
      expect((await dial({}, 'key-8')).status).toBe(200);
    });

    it('begins the next call when the first expired undialled', async () => {
      const first = await dial({}, 'key-5');
      await api.dataSource.query(
        `UPDATE calls SET status = 'completed', disposition = 'expired', ended_at = now() WHERE id = $1`,
        [first.body.id],
      );
      const second = await dial({}, 'key-5');
      expect(second.body.id).toBe(keyedCallId(api.tenant.orgId, ROUTE, 'key-5', 2));
      expect(second.headers.get('idempotent-replayed')).toBeNull();
    });

    it('begins the next call after 24 hours, with any body', async () => {
      const first = await dial({}, 'key-6');
      await api.dataSource.query(`UPDATE calls SET created_at = created_at - interval '25 h' WHERE id = $1`, [
        first.body.id,
      ]);
      await api.dataSource.query(`DELETE FROM idempotency_keys WHERE key = 'key-6'`);
      const second = await dial({ metadata: { other: true } }, 'key-6');
      expect(second.body.id).toBe(keyedCallId(api.tenant.orgId, ROUTE, 'key-6', 2));
    });

    it('outlives an API that was killed after the call was accepted', async () => {
      const first = await dial({}, 'key-9');
      const takenUntil = (time: string) =>
        api.dataSource.query(
          `UPDATE idempotency_keys SET resource_id = NULL, status = NULL, response_sealed = NULL,
             lease_id = '01937f3e-0000-7000-8000-000000000000', lease_until = now() + $1::interval WHERE key = 'key-9'`,
          [time],
        );
      await takenUntil('10 s');
      const inFlight = await dial({}, 'key-9');
      expect([inFlight.status, inFlight.body.code]).toEqual([409, 'idempotency_in_flight']);
      expect(inFlight.headers.get('retry-after')).toBe('1');
      await takenUntil('-1 s');
      const again = await dial({}, 'key-9');
      expect([again.body.id, again.headers.get('idempotent-replayed')]).toEqual([first.body.id, 'true']);
      expect(workflows.accepted).toHaveLength(1);
    });

    it('replays even when the agent is gone by now', async () => {
      const { body: agent } = await api.post('/phone', { name: 'Short-lived' });
      const first = await dial({ phone_agent_id: agent.id, trunk_id: trunkId }, 'key-7');
      await api.delete(`/phone/${agent.id}`);
      const again = await dial({ phone_agent_id: agent.id, trunk_id: trunkId }, 'key-7');
      expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    });
  });

  it('notes who placed a call, without its numbers', async () => {
    const { body } = await dial();
    const rows = await api.dataSource.query('SELECT * FROM audit_log WHERE resource_id = $1', [body.id]);
    expect(rows).toMatchObject([{ action: 'create', resource: 'call', key_id: api.tenant.keyId }]);
    expect(api.logs.join('')).not.toContain(to);
  });
});
