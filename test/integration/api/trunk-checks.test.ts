/** The checks of trunks as a client of the API sees them; the media nodes' side is `media/call/trunk-check/`. */
import { FakeTrunkChecks } from '../../fakes/fake-trunk-checks';
import { uuidV7 } from '../../../store/ids';
import { RegistrationRepository } from '../../../store/repositories/registration-repository';
import type { SecretBox } from '../../../store/secrets';
import { BINDING } from '../../fakes/media/sip/registers';
import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

const NUMBER = '+15559876543';
const NOBODY = { reports: [], silent: [], refusals: [] };

describe('the check of a trunk', () => {
  let api: ApiServer;
  let checks: FakeTrunkChecks;
  let trunkId: string;

  beforeEach(async () => {
    api = await ApiServer.start({ trunkChecks: (secrets: SecretBox) => (checks = new FakeTrunkChecks(secrets)) });
    await api.seeNode();
    ({ trunkId } = await api.createDialler());
  });
  afterEach(() => api.stop());

  const check = (body?: object, key?: string): Promise<Answer> =>
    api.post(`/phone/sip/outbound-trunks/${trunkId}/check`, body, key === undefined ? {} : { key });
  const checkInbound = (): Promise<Answer> => api.post('/phone/sip/inbound-trunk/check');

  it('asks a media node by sealed words, and answers with its steps', async () => {
    const { status, body } = await check({ test_number: NUMBER });
    expect(status).toBe(200);
    expect(body).toEqual({
      ok: true,
      checked_at: expect.any(String),
      node: 'node-1',
      steps: [{ step: 'dns', ok: true, duration_ms: 1.5, detail: 'Found.', cause: null, remedy: null }],
      call_id: null,
    });
    const [asked] = checks.asked;
    expect(asked).toMatchObject({ kind: 'outbound', trunkId, orgId: api.tenant.orgId });
    expect(asked?.request.testNumber).toBe(NUMBER);
    expect(asked?.sealed).not.toContain(NUMBER);
    expect((await check()).status).toBe(200);
    expect(checks.asked[1]?.request.testNumber).toBeNull();
  });

  it('tells the media node what is known of the registration, of a trunk that has one', async () => {
    await check();
    expect(checks.asked[0]?.request).not.toHaveProperty('keptRegistration');
    await api.patch(`/phone/sip/outbound-trunks/${trunkId}`, { register: true });
    await check();
    expect(checks.asked[1]?.request.keptRegistration).toEqual({ nodeId: null, registration: null });
    const registration = { state: 'refused', expiresAtMs: null, lastStatus: 403, lastError: 'the carrier says no' };
    await api.dataSource.query(
      `UPDATE trunk_health SET owner_node = 'node-1', owner_boot = 'boot-1', registration = $2 WHERE trunk_id = $1`,
      [trunkId, JSON.stringify(registration)],
    );
    await check();
    expect(checks.asked[2]?.request.keptRegistration).toEqual({ nodeId: 'node-1', registration });
  });

  it('names the test call', async () => {
    const call = {
      from: '+1',
      to: NUMBER,
      sipCallId: 's',
      startedAtMs: 1,
      answeredAtMs: 2,
      endedAtMs: 3,
      disposition: 'answered',
      endReason: 'api_hangup',
      endedBy: 'api',
      finalStatus: 200,
      reason: 'OK',
      q850: null,
    } as const;
    checks.report = { ...checks.report, call };
    const { body } = await check({ test_number: NUMBER });
    expect(body.call_id).toBe(checks.asked[0]?.checkId);
  });

  it('calls nobody whom a call would not be placed to', async () => {
    const refused = await check({ test_number: '+442079460000' });
    expect([refused.status, refused.body.code]).toEqual([422, 'destination_not_allowed']);
    const premium = await check({ test_number: '+19005550123' });
    expect([premium.status, premium.body.code]).toEqual([422, 'destination_not_allowed']);
    const emergency = await check({ test_number: '911' });
    expect([emergency.status, emergency.body.code]).toEqual([422, 'emergency_number']);
    await api.dataSource.query(`UPDATE organisations SET limits = '{"allowedCountries": ["DE"]}' WHERE id = $1`, [
      api.tenant.orgId,
    ]);
    const limited = await check({ test_number: NUMBER });
    expect([limited.status, limited.body.code]).toEqual([422, 'destination_not_allowed']);
    expect(checks.asked).toEqual([]);
  });

  it('stands in the audit log before anybody is called, also when nothing came of it', async () => {
    checks.outcomes = [new Error('lost')];
    const { status, body } = await check({ test_number: NUMBER });
    expect([status, body.code]).toEqual([503, 'outcome_unknown']);
    const { body: log } = await api.get(`/audit-log?resource_id=${trunkId}&action=check`);
    expect(log.items).toMatchObject([
      { action: 'check', resource: 'outbound_trunk', key_id: api.tenant.keyId, after: { test_number: NUMBER } },
    ]);
  });

  it('is done six times a minute over all API processes, at once or one after the other; other trunks are not held up', async () => {
    const other = await api.sibling({ trunkChecks: () => checks });
    try {
      const path = `/phone/sip/outbound-trunks/${trunkId}/check`;
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? api : other).post(path, undefined)),
      );
      const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
      expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429, 429, 429]);
      const late = await check();
      expect(late.body.code).toBe('too_many_checks');
      const wait = Number(late.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect(checks.asked).toHaveLength(6);
      const { trunkId: another } = await api.createDialler();
      expect((await api.post(`/phone/sip/outbound-trunks/${another}/check`)).status).toBe(200);
      await api.dataSource.query(`UPDATE audit_log SET at = at - interval '61 seconds' WHERE action = 'check'`);
      expect((await check()).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['another check of it runs', 'running', 409, 'check_in_progress'],
    ['no node took it', NOBODY, 503, 'media_unavailable'],
    ['no node has the trunk yet', { ...NOBODY, refusals: ['unknown_trunk'] }, 503, 'media_unavailable'],
    ['its node was lost', { ...NOBODY, silent: ['unknown'] }, 503, 'outcome_unknown'],
  ] as const)('is refused when %s', async (_, outcome, status, code) => {
    checks.outcomes = [outcome];
    const answer = await check();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it("is there for the trunk's own organisation, by a key that may write", async () => {
    const stranger = await api.createTenant();
    expect((await check({}, stranger.key)).status).toBe(404);
    const reader = await api.createKey(api.tenant.orgId, { scopes: ['sip:read'] });
    expect((await check({}, reader.key)).status).toBe(403);
    expect(checks.asked).toEqual([]);
  });

  describe('of the inbound trunk', () => {
    it('is not there without one', async () => {
      expect((await checkInbound()).body.code).toBe('inbound_trunk_not_found');
    });

    it('tells who answers each number, and who has tried in vain', async () => {
      const { body: made } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: ['+15551112222'] });
      checks.findings = {
        ...checks.findings,
        attempts: [{ atMs: Date.now(), source: '203.0.113.50', status: 403, why: 'wrong_password' }],
      };
      const { status, body } = await checkInbound();
      expect([status, body.ok, body.node, body.call_id]).toEqual([200, false, 'node-1', null]);
      const step = (name: string): Record<string, unknown> =>
        body.steps.find((found: { step: string }) => found.step === name);
      expect(step('numbers')).toMatchObject({ ok: true });
      expect(step('numbers')['detail']).toMatch(
        /^1 number is on the trunk\. \+15551112222: agent .*any other number: agent/,
      );
      expect(step('recent_attempts')).toMatchObject({ ok: false });
      expect(checks.asked[0]?.request).toEqual({
        testNumber: null,
        username: made.auth_username,
        sipEndpoint: made.sip_endpoint,
      });
      expect(JSON.stringify(body)).not.toContain(made.auth_password);
    });

    it('tells who has registered, from where, and until when', async () => {
      const { body: made } = await api.post('/phone/sip/inbound-trunk', { phone_numbers: [] });
      const trunk = { trunkId: made.id, orgId: api.tenant.orgId };
      const nobody = (await checkInbound()).body.steps.find(
        (found: { step: string }) => found.step === 'registrations',
      );
      expect([nobody.ok, nobody.detail]).toEqual([null, 'Nobody has registered.']);
      const times = { refreshedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
      await new RegistrationRepository(api.dataSource).update(trunk, () => [{ ...BINDING, id: uuidV7(), ...times }]);
      const { body } = await checkInbound();
      const step = body.steps.find((found: { step: string }) => found.step === 'registrations');
      const until = new Date(times.expiresAtMs).toISOString();
      expect([body.ok, step.ok, step.detail]).toEqual([
        true,
        true,
        `sip:pbx@192.0.2.10:5060 from 192.0.2.10:5060/udp until ${until}, at media node node-1.`,
      ]);
    });

    it('finds that no agent answers', async () => {
      await api.post('/phone/sip/inbound-trunk', { phone_numbers: [] });
      await api.dataSource.query(`UPDATE agents SET type = 'outbound'`);
      const { body } = await checkInbound();
      const numbers = body.steps.find((found: { step: string }) => found.step === 'numbers');
      expect([body.ok, numbers.ok]).toEqual([false, false]);
      expect(numbers.remedy).toContain('type inbound');
    });

    it('says which nodes do not answer', async () => {
      await api.post('/phone/sip/inbound-trunk', { phone_numbers: [] });
      checks.outcomes = [{ ...NOBODY, silent: ['node-7'] }];
      const { status, body } = await checkInbound();
      expect([status, body.node]).toEqual([200, '']);
      expect(body.steps[0]).toMatchObject({ step: 'credentials', ok: null, detail: expect.stringContaining('node-7') });
      checks.outcomes = [NOBODY];
      expect((await checkInbound()).body.code).toBe('media_unavailable');
    });
  });
});
