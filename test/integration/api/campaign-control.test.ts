import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

describe('campaigns are run', () => {
  let api: ApiServer;
  let agentId: string;
  let follows = true;
  const settled: string[] = [];

  beforeAll(async () => {
    const campaigns = {
      settled: ({ campaignId }: { campaignId: string }): Promise<boolean> => {
        settled.push(campaignId);
        return Promise.resolve(follows);
      },
      moved: (): void => undefined,
    };
    api = await ApiServer.start({ campaigns });
    ({ agentId } = await api.createDialler());
  });
  beforeEach(() => {
    follows = true;
  });
  afterAll(() => api.stop());

  async function create(fields: object = {}, contacts: object[] = [{ phone_number: '+12025550001' }]): Promise<string> {
    const { body } = await api.post('/phone/campaigns', { name: 'C', phone_agent_id: agentId, ...fields });
    if (contacts.length > 0) await api.post(`/phone/campaigns/${body.id}/contacts`, { contacts });
    return body.id as string;
  }
  const act = (id: string, action: string, body?: object): Promise<Answer> =>
    api.post(`/phone/campaigns/${id}/${action}`, body);
  const found = ({ status, body }: Answer): unknown[] => [status, body.code ?? body.status];

  it('only when all is there that they need', async () => {
    expect(found(await act(await create({}, []), 'start'))).toEqual([422, 'no_contacts']);
    const { agentId: gone } = await api.createDialler();
    const orphan = await create({ phone_agent_id: gone });
    await api.delete(`/phone/${gone}`);
    expect(found(await act(orphan, 'start'))).toEqual([422, 'no_agent']);
    const { body: mute } = await api.post('/phone', { name: 'Without a trunk' });
    expect(found(await act(await create({ phone_agent_id: mute.id }), 'start'))).toEqual([422, 'no_trunk']);
    const past = await create({ ends_at: new Date(Date.now() - 1_000).toISOString() });
    expect(found(await act(past, 'start'))).toEqual([422, 'campaign_ended']);
    expect(settled).toEqual([]);
  });

  it('only when their contacts came with what the texts use, and names what is missing', async () => {
    const id = await create();
    await api.patch(`/phone/campaigns/${id}`, { disclosure_line: 'For {{company}} on {{plan}}, {{name}}' });
    const { status, body } = await act(id, 'start');
    expect([status, body.code, body.columns]).toEqual([422, 'missing_column', ['company', 'plan', 'name']]);
    await api.patch(`/phone/campaigns/${id}`, { variables: { company: 'Example Ltd', plan: 'gold' } });
    expect((await act(id, 'start')).body.columns).toEqual(['name']);
    await api.post(`/phone/campaigns/${id}/contacts`, { contacts: [{ phone_number: '+12025550002', name: 'Ada' }] });
    expect(found(await act(id, 'start'))).toEqual([200, 'running']);
  });

  it('only when all that stands between braces in their texts names a variable, also when these are changed', async () => {
    const agent = (await api.createDialler({ first_message: 'Hi {{First Name}}, {{#if plan}}gold{{/if}}' })).agentId;
    const contacts = [{ phone_number: '+12025550001', variables: { ' First  Name ': 'Ada', Straße: 'Hauptstraße 1' } }];
    const id = await create({ phone_agent_id: agent, disclosure_line: 'From {{Straße}}' }, contacts);
    const placeholders = ['{{#if plan}}', '{{/if}}'];
    const refused = await act(id, 'start');
    expect([...found(refused), refused.body.placeholders]).toEqual([422, 'invalid_placeholder', placeholders]);
    expect(refused.body.message).toContain('{{#if plan}}, {{/if}}');
    const preview = (await api.post(`/phone/campaigns/${id}/preview`)).body;
    expect(preview).toMatchObject({ problems: [{ code: 'invalid_placeholder' }], would_call: 0 });
    await api.patch(`/phone/${agent}`, { first_message: 'Hi {{First Name}}' });
    expect(found(await act(id, 'start'))).toEqual([200, 'running']);
    const changed = await api.patch(`/phone/campaigns/${id}`, { voicemail_message: '{{}}' });
    expect(found(changed)).toEqual([422, 'invalid_placeholder']);
    const { body } = await api.patch(`/phone/${agent}`, { first_message: 'Hi {{a/b}}' });
    expect(body.warnings).toEqual([
      {
        path: 'first_message',
        message: expect.stringContaining(`{{a/b}} is no name of a variable of the campaign "C"`),
      },
    ]);
    await act(id, 'pause');
    expect(found(await act(id, 'resume'))).toEqual([422, 'invalid_placeholder']);
  });

  it('only with a window that opens for somebody, also when it is changed while they run', async () => {
    const late = { window: { start: '21:00', end: '23:00' } };
    const id = await create(late);
    expect(found(await act(id, 'start'))).toEqual([422, 'window_never_opens']);
    const { body } = await api.post(`/phone/campaigns/${id}/preview`);
    expect(body).toMatchObject({ problems: [{ code: 'window_never_opens' }], would_call: 0 });
    await api.patch(`/phone/campaigns/${id}`, { window: { start: '20:58', end: '23:00' }, ring_timeout_seconds: 111 });
    const { body: refused } = await act(id, 'start');
    expect(refused.message).toContain('20:58 to 23:00 on mon, tue, wed, thu, fri');
    await api.patch(`/phone/campaigns/${id}`, { ring_timeout_seconds: 110 });
    expect(found(await act(id, 'start'))).toEqual([200, 'running']);
    for (const fields of [late, { ring_timeout_seconds: 120 }]) {
      expect(found(await api.patch(`/phone/campaigns/${id}`, fields))).toEqual([422, 'window_never_opens']);
    }
    await act(id, 'pause');
    // As one that was started before this was looked at.
    await api.dataSource.query('UPDATE campaigns SET ring_timeout_seconds = 120 WHERE id = $1', [id]);
    expect(found(await act(id, 'resume'))).toEqual([422, 'window_never_opens']);
  });

  it('and texts that use what no contact has are refused while it runs', async () => {
    const id = await create();
    await act(id, 'start');
    const patch = (fields: object): Promise<Answer> => api.patch(`/phone/campaigns/${id}`, fields);
    const { status, body } = await patch({ disclosure_line: 'For {{company}}' });
    expect([status, body.code, body.columns]).toEqual([422, 'missing_column', ['company']]);
    expect((await api.get(`/phone/campaigns/${id}`)).body.disclosure_line).not.toContain('company');
    const both = { disclosure_line: 'For {{company}}', variables: { company: 'Example Ltd' } };
    expect(found(await patch(both))).toEqual([200, 'running']);
    expect(found(await patch({ variables: {} }))).toEqual([422, 'missing_column']);
  });

  it('and texts of their agent that use what no contact has are stored with a warning that names campaign and column', async () => {
    const agent = (await api.createDialler()).agentId;
    const id = await create({ phone_agent_id: agent, name: 'Renewals' });
    const patch = (fields: object): Promise<Answer> => api.patch(`/phone/${agent}`, fields);
    const warned = ({ body }: Answer): unknown => (body.warnings ?? []).map(({ path }: { path: string }) => path);
    expect(warned(await patch({ first_message: 'Hello from {{city}}' }))).toEqual([]);
    await patch({ first_message: 'Hello' });
    await act(id, 'start');
    const { status, body } = await patch({ first_message: 'Hello from {{city}}', instructions: ['Sell {{plan}}.'] });
    const what = `no contact of the campaign "Renewals" (${id}) has a value for city, plan`;
    const message = `Stored; ${what}: it calls nobody, and pauses itself where it runs`;
    expect([status, body.warnings]).toEqual([200, [{ path: 'first_message', message }]]);
    expect(warned(await patch({ first_message: 'Hello' }))).toEqual(['instructions']);
    await act(id, 'pause');
    expect(warned(await patch({ first_message: 'Hello again' }))).toEqual(['instructions']);
    expect(found(await act(id, 'resume'))).toEqual([422, 'missing_column']);
    await act(id, 'cancel');
    expect(warned(await patch({ first_message: 'Hello' }))).toEqual([]);
  });

  it('from one state to the next, and from no other', async () => {
    const id = await create();
    for (const action of ['pause', 'resume', 'cancel']) {
      expect(found(await act(id, action))).toEqual([409, 'campaign_state']);
    }
    expect(found(await act(id, 'redial', { dispositions: ['busy'] }))).toEqual([409, 'campaign_state']);
    const steps = [
      ['start', 200, 'running'],
      ['start', 200, 'running'],
      ['pause', 200, 'paused'],
      ['pause', 200, 'paused'],
      ['start', 409, 'campaign_state'],
      ['resume', 200, 'running'],
      ['resume', 200, 'running'],
      ['redial', 200, 'running'],
      ['cancel', 200, 'canceled'],
      ['cancel', 200, 'canceled'],
      ['resume', 409, 'campaign_state'],
      ['redial', 409, 'campaign_state'],
    ] as const;
    for (const [action, status, state] of steps) {
      const answered = await act(id, action, action === 'redial' ? { dispositions: ['busy'] } : undefined);
      expect([action, ...found(answered)]).toEqual([action, status, state]);
    }
    const events = await api.get(`/phone/campaigns/${id}/events`);
    expect(events.body.items.map(({ type }: { type: string }) => type)).toEqual([
      'canceled',
      'redial',
      'resumed',
      'paused',
      'started',
    ]);
    const { items } = (await api.get(`/audit-log?resource_id=${id}`)).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual([
      'cancel',
      'redial',
      'resume',
      'pause',
      'start',
      'import',
      'create',
    ]);
    expect(settled.filter((one) => one === id).length).toBe(9);
  });

  it('also while Temporal is away, which the answer says', async () => {
    const id = await create();
    await act(id, 'start');
    follows = false;
    const { status, body } = await act(id, 'pause');
    expect([status, body.status, body.warnings]).toEqual([
      200,
      'paused',
      [{ path: 'status', message: expect.stringContaining('nobody is dialled') }],
    ]);
    expect((await api.get(`/phone/campaigns/${id}`)).body).toMatchObject({ status: 'paused', warnings: [] });
  });

  it('by what they are changed to, of which the timeline names the fields', async () => {
    const id = await create();
    await api.patch(`/phone/campaigns/${id}`, { name: 'D' });
    await act(id, 'start');
    const versions = async (): Promise<number> =>
      (await api.dataSource.query('SELECT version FROM campaigns WHERE id = $1', [id]))[0].version;
    const before = await versions();
    await api.patch(`/phone/campaigns/${id}`, { calls_per_second: 0.5, caps: { per_number_per_day: 1 } });
    expect(await versions()).toBe(before + 1);
    const { items } = (await api.get(`/phone/campaigns/${id}/events?limit=1`)).body;
    expect(items).toMatchObject([{ type: 'changed', data: { fields: ['calls_per_second', 'caps'] } }]);
    // Whom the former caps have put off is looked at again.
    const [{ renewal }] = await api.dataSource.query('SELECT renewal FROM campaigns WHERE id = $1', [id]);
    expect(renewal).toMatchObject({ eventId: items[0].id, dispositions: [], passedOver: true });
  });

  it('again by a redial that is sent twice under one key, once', async () => {
    const id = await create();
    await act(id, 'start');
    const headers = { 'Idempotency-Key': 'r-1' };
    const body = { dispositions: ['busy', 'no_answer'] };
    const [first, second] = [
      await api.post(`/phone/campaigns/${id}/redial`, body, { headers }),
      await api.post(`/phone/campaigns/${id}/redial`, body, { headers }),
    ];
    expect([first.status, second.status, second.headers.get('idempotent-replayed')]).toEqual([200, 200, 'true']);
    const { items } = (await api.get(`/phone/campaigns/${id}/events`)).body;
    expect(items.map(({ type }: { type: string }) => type)).toEqual(['redial', 'started']);
    expect(items[0].data).toEqual({ dispositions: ['busy', 'no_answer'], contacts: 0 });
  });

  it('again by a redial for whom a rule had left out, who was never called', async () => {
    const id = await create();
    await act(id, 'start');
    await api.dataSource.query(
      `UPDATE campaign_contacts SET state = 'done', result = 'suppressed', due_at = NULL, last_decision = $2 WHERE campaign_id = $1`,
      [id, { at: new Date().toISOString(), called: false, reason: 'missing_variable', detail: 'company' }],
    );
    expect(found(await act(id, 'redial', { dispositions: ['busy'] }))).toEqual([200, 'running']);
    await new CampaignRunRepository(api.dataSource).renewSome(id, 100);
    const contacts = await api.get(`/phone/campaigns/${id}/contacts`);
    expect(contacts.body.items).toMatchObject([{ state: 'pending', result: null }]);
  });

  it('not before a starts_at that is set once they have run: it takes a pause, and they wait for it', async () => {
    const id = await create();
    await act(id, 'start');
    const tomorrow = { starts_at: new Date(Date.now() + 86_400_000).toISOString() };
    const { status, body } = await api.patch(`/phone/campaigns/${id}`, tomorrow);
    expect([status, body.code, body.status]).toEqual([409, 'campaign_state', 'running']);
    expect((await api.patch(`/phone/campaigns/${id}`, { starts_at: new Date().toISOString() })).status).toBe(200);
    await act(id, 'pause');
    expect(found(await api.patch(`/phone/campaigns/${id}`, tomorrow))).toEqual([200, 'paused']);
    expect(found(await act(id, 'resume'))).toEqual([200, 'scheduled']);
    expect(found(await act(id, 'redial', { dispositions: ['busy'] }))).toEqual([200, 'scheduled']);
  });

  it('at their time, and on days that recur', async () => {
    const recurrence = { cron: ' 0  9 * * 1', time_zone: 'Europe/Berlin' };
    const id = await create({ starts_at: '2099-01-01T00:00:00Z', recurrence });
    const { body } = await act(id, 'start');
    expect(body).toMatchObject({
      status: 'scheduled',
      recurrence: { cron: '0 9 * * 1', time_zone: 'Europe/Berlin', dispositions: null },
    });
    expect(found(await act(id, 'redial', { dispositions: ['busy'] }))).toEqual([409, 'campaign_state']);
    expect((await api.patch(`/phone/campaigns/${id}`, { recurrence: null })).body.recurrence).toBeNull();
    for (const wrong of [
      { ...recurrence, cron: '* * * * *' },
      { ...recurrence, time_zone: 'Mars/Base' },
    ]) {
      const refused = await api.patch(`/phone/campaigns/${id}`, { recurrence: wrong });
      expect(found(refused)).toEqual([400, 'validation_failed']);
    }
  });
});
