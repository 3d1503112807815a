import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

describe('campaigns', () => {
  let api: ApiServer;
  let agentId: string;
  let trunkId: string;

  beforeAll(async () => {
    api = await ApiServer.start();
    ({ agentId, trunkId } = await api.createDialler());
  });
  afterAll(() => api.stop());

  const create = (fields: object = {}): Promise<Answer> =>
    api.post('/phone/campaigns', { name: 'C', phone_agent_id: agentId, ...fields });

  it('have defaults, and are shown as they were made', async () => {
    const { status, body } = await create();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'draft',
      trunk_ids: null,
      window: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], start: '09:00', end: '20:00', legal: 'default' },
      retry: { busy: { max: 3 }, max_attempts_total: 5 },
      caps: { per_number_per_day: 3, per_number_per_week: 7 },
      require_consent: true,
      disclosure_line: expect.stringContaining('AI'),
      recurrence: null,
      pace: 1,
      warnings: [],
    });
    expect((await api.get(`/phone/campaigns/${body.id}`)).body).toEqual(body);
    const { items } = (await api.get('/phone/campaigns')).body;
    expect(items.map(({ id }: { id: string }) => id)).toContain(body.id);
  });

  it('are changed field by field, with a note of what they were', async () => {
    const { body: made } = await create({ voicemail_message: 'Hi', goal_field: 'agreed' });
    expect(made.warnings.map(({ path }: { path: string }) => path)).toEqual(['voicemail_message', 'goal_field']);
    const { body } = await api.patch(`/phone/campaigns/${made.id}`, {
      name: 'D',
      trunk_ids: [trunkId],
      caller_numbers: ['+15551234567'],
      window: { start: '20:00', end: '02:00', default_time_zone: 'Europe/Berlin' },
      retry: { no_answer: { max: 1, delays_minutes: [60] } },
      starts_at: '2027-01-01T10:00:00+02:00',
      voicemail_message: null,
    });
    expect(body).toMatchObject({
      name: 'D',
      trunk_ids: [trunkId],
      window: {
        days: ['mon', 'tue', 'wed', 'thu', 'fri'],
        start: '20:00',
        end: '02:00',
        default_time_zone: 'Europe/Berlin',
      },
      retry: { no_answer: { max: 1, delays_minutes: [60] }, max_attempts_total: 5 },
      starts_at: '2027-01-01T08:00:00.000Z',
      goal_field: 'agreed',
    });
    expect(body.retry.busy).toBeUndefined();
    const { items } = (await api.get(`/audit-log?resource_id=${made.id}&action=update`)).body;
    expect(items[0]).toMatchObject({ before: { name: 'C' }, after: { name: 'D' } });
  });

  it('are stored with a warning of what has no effect', async () => {
    const retry = {
      answered: { max: 1, delays_minutes: [60] },
      uncertain: { max: 1, delays_minutes: [60] },
      busy: { max: 1, delays_minutes: [60] },
    };
    const warned = ({ body }: Answer): unknown => body.warnings.map(({ path }: { path: string }) => path);
    const made = await create({ retry, local_presence: true });
    expect([made.status, warned(made)]).toEqual([201, ['local_presence', 'retry.answered', 'retry.uncertain']]);
    const none = { answered: { max: 0, delays_minutes: [] }, busy: { max: 1, delays_minutes: [60] } };
    const patch = { retry: none, caller_numbers: ['+15551234567'] };
    expect(warned(await api.patch(`/phone/campaigns/${made.body.id}`, patch))).toEqual([]);
  });

  it('have values by the names that their texts have for them', async () => {
    const { status, body } = await create({ variables: { ' Firma  GmbH': 'x', Straße: 'y' } });
    expect([status, body.variables]).toEqual([201, { Firma_GmbH: 'x', Straße: 'y' }]);
  });

  it.each([
    ['a window without length', { window: { start: '09:00', end: '09:00' } }, 400, 'validation_failed'],
    ['an hour that is none', { window: { start: '9:00' } }, 400, 'validation_failed'],
    ['a date that is none', { window: { holidays: ['2026-02-30'] } }, 400, 'validation_failed'],
    ['a zone that is none', { window: { default_time_zone: 'Mars/Base' } }, 400, 'validation_failed'],
    ['no day', { window: { days: [] } }, 400, 'validation_failed'],
    [
      'an end before its start',
      { starts_at: '2027-01-02T00:00:00Z', ends_at: '2027-01-01T00:00:00Z' },
      400,
      'validation_failed',
    ],
    ['retries without delay', { retry: { busy: { max: 1, delays_minutes: [] } } }, 400, 'validation_failed'],
    ['an unknown disposition that is not a rule', { retry: { busy: 3 } }, 400, 'validation_failed'],
    ['a cap of 0', { caps: { per_number_per_day: 0 } }, 400, 'validation_failed'],
    ['a share of 2', { auto_pause: { answer_rate_below: 2 } }, 400, 'validation_failed'],
    ['a variable that no text can name', { variables: { 'a/b': 'x' } }, 400, 'validation_failed'],
    ['a variable that is there twice', { variables: { 'a b': 'x', a_b: 'y' } }, 400, 'validation_failed'],
    ['machine detection', { machine_detection: 'hangup' }, 422, 'machine_detection_unavailable'],
    ["somebody else's number", { caller_numbers: ['+15557654321'] }, 422, 'caller_number_not_owned'],
    ['an agent that is not there', { phone_agent_id: '01937c5e-7a10-7c3e-9f00-3b1f5a2c7d99' }, 404, 'agent_not_found'],
    [
      'a trunk that is not there',
      { trunk_ids: ['01937c5e-7a10-7c3e-9f00-3b1f5a2c7d99'] },
      404,
      'outbound_trunk_not_found',
    ],
  ])('are refused with %s', async (_, fields, status, code) => {
    const made = await create(fields);
    expect([made.status, made.body.code]).toEqual([status, code]);
    const { body } = await create();
    const patched = await api.patch(`/phone/campaigns/${body.id}`, fields);
    expect([patched.status, patched.body.code]).toEqual([status, code]);
  });

  it('take the end of the legal hours from an operator alone', async () => {
    const { key } = await api.createKey(api.tenant.orgId);
    const fields = { name: 'C', phone_agent_id: agentId, window: { legal: 'off' } };
    const refused = await api.post('/phone/campaigns', fields, { key });
    expect([refused.status, refused.body.code]).toEqual([403, 'operator_only']);
    const { status, body } = await api.post('/phone/campaigns', fields);
    expect(status).toBe(201);
    expect(body.warnings.map(({ path }: { path: string }) => path)).toContain('window.legal');
    expect((await api.patch(`/phone/campaigns/${body.id}`, { name: 'D' }, { key })).status).toBe(200);
  });

  it('stay when their agent or trunk is deleted, without it', async () => {
    const { agentId: other, trunkId: gone } = await api.createDialler();
    const { body } = await create({ phone_agent_id: other, trunk_ids: [gone, trunkId] });
    const agent = await api.delete(`/phone/${other}`);
    expect(agent.body.detached.campaigns).toEqual([{ id: body.id, name: 'C' }]);
    const trunk = await api.delete(`/phone/sip/outbound-trunks/${gone}`);
    expect(trunk.body.detached.campaigns).toEqual([{ id: body.id, name: 'C' }]);
    expect((await api.get(`/phone/campaigns/${body.id}`)).body).toMatchObject({
      phone_agent_id: null,
      trunk_ids: [trunkId],
    });
  });

  it('are gone at once when they are deleted, and their contacts soon after', async () => {
    const { body } = await create();
    const contacts = [{ phone_number: '+15550000001' }, { phone_number: '+15550000002' }];
    await api.post(`/phone/campaigns/${body.id}/contacts`, { contacts });
    expect((await api.delete(`/phone/campaigns/${body.id}`)).body).toEqual({ id: body.id, deleted: true });
    for (const path of ['', '/contacts', '/stats', '/report.csv', '/evidence.csv', '/imports', '/import-report.csv']) {
      expect((await api.get(`/phone/campaigns/${body.id}${path}`)).status).toBe(404);
    }
    const left = async (): Promise<number> =>
      (
        await api.dataSource.query('SELECT count(*)::int AS n FROM campaign_contacts WHERE campaign_id = $1', [body.id])
      )[0].n;
    expect(await left()).toBe(2);
    let removed = 1;
    while (removed > 0) removed = (await api.dataSource.query('SELECT purge_campaigns(1) AS n'))[0].n;
    expect(await left()).toBe(0);
    expect(await api.dataSource.query('SELECT FROM campaigns WHERE id = $1', [body.id])).toEqual([]);
  });

  it('are made once per Idempotency-Key', async () => {
    const headers = { 'Idempotency-Key': 'c-1' };
    const fields = { name: 'Once', phone_agent_id: agentId };
    const [first, second] = [
      await api.post('/phone/campaigns', fields, { headers }),
      await api.post('/phone/campaigns', fields, { headers }),
    ];
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).toEqual(first.body);
  });
});
