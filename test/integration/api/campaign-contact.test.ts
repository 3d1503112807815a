import { setTimeout as sleep } from 'node:timers/promises';
import { uuidV7 } from '../../../store/ids';
import { CampaignRunRepository } from '../../../store/repositories/campaign-run-repository';
import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

const NUMBER = '+12025550001';
const AT = '2026-11-30T10:10:00.000Z';
const TOMORROW = new Date(Date.now() + 24 * 3_600_000).toISOString();

describe('a contact of a campaign is mended', () => {
  let api: ApiServer;
  let agentId: string;
  const moved: string[] = [];

  beforeAll(async () => {
    const campaigns = {
      settled: (): Promise<boolean> => Promise.resolve(true),
      moved: (campaignId: string): void => void moved.push(campaignId),
    };
    api = await ApiServer.start({ campaigns });
    ({ agentId } = await api.createDialler());
  });
  beforeEach(() => void moved.splice(0));
  afterAll(() => api.stop());

  interface Made {
    readonly id: string;
    readonly contactId: string;
    readonly path: string;
  }

  async function create(contact: object = {}, fields: object = {}): Promise<Made> {
    const { body } = await api.post('/phone/campaigns', { name: 'C', phone_agent_id: agentId, ...fields });
    const campaign = `/phone/campaigns/${body.id}`;
    await api.post(`${campaign}/contacts`, { contacts: [{ phone_number: NUMBER, ...contact }] });
    const contactId: string = (await api.get(`${campaign}/contacts`)).body.items[0].id;
    return { id: body.id, contactId, path: `${campaign}/contacts/${contactId}` };
  }

  async function running(contact: object = {}, fields: object = {}): Promise<Made> {
    const made = await create(contact, fields);
    expect((await api.post(`/phone/campaigns/${made.id}/start`)).status).toBe(200);
    moved.splice(0);
    return made;
  }

  const shown = async ({ id }: Made): Promise<Answer['body']> =>
    (await api.get(`/phone/campaigns/${id}/contacts`)).body.items[0];
  const events = async ({ id }: Made): Promise<object[]> => (await api.get(`/phone/campaigns/${id}/events`)).body.items;
  const found = ({ status, body }: Answer): unknown[] => [status, body.code ?? body.state, body.message ?? null];
  const set = ({ contactId }: Made, columns: string, ...values: unknown[]): Promise<unknown> =>
    api.dataSource.query(`UPDATE campaign_contacts SET ${columns} WHERE id = $1`, [contactId, ...values]);
  const leftOut = (made: Made, reason: string): Promise<unknown> =>
    set(made, `state = 'done', result = 'suppressed', due_at = NULL, last_decision = $2`, passedOver(reason));
  const passedOver = (reason: string): object => ({ at: AT, called: false, reason, detail: '' });

  it('field by field, and its variables name by name; what is left out stays', async () => {
    const made = await create({
      name: 'Ada',
      consent_id: 'c-1',
      priority: 5,
      variables: { plan: 'gold', city: 'Rome' },
    });
    const before = await shown(made);
    const { status, body } = await api.patch(made.path, {
      time_zone: ' Europe/Berlin ',
      variables: { plan: null, ' Booked Seats': '3' },
      unknown: 1,
    });
    const after = { ...before, time_zone: 'Europe/Berlin', variables: { city: 'Rome', Booked_Seats: '3' } };
    expect([status, body]).toEqual([200, { ...after, warnings: [] }]);
    expect(await shown(made)).toEqual(after);
    const emptied = { name: null, time_zone: '', consent_id: null, priority: -3, variables: { city: '' } };
    expect((await api.patch(made.path, emptied)).body).toMatchObject({
      name: null,
      time_zone: null,
      consent_id: null,
      priority: -3,
      variables: { Booked_Seats: '3' },
    });
  });

  it('with the audit log and, once it is started, the timeline telling of it', async () => {
    const made = await create({ variables: { plan: 'gold' } });
    await api.patch(made.path, { name: 'Ada' });
    expect(await events(made)).toEqual([]);
    await api.post(`/phone/campaigns/${made.id}/start`);
    await api.patch(made.path, { priority: 2, variables: { plan: 'told to nobody' } });
    await api.patch(made.path, { priority: 2 });
    const data = { contact_id: made.contactId, fields: ['priority', 'variables'] };
    expect(await events(made)).toMatchObject([{ type: 'changed', data }, { type: 'started' }]);
    const { items } = (await api.get(`/audit-log?resource_id=${made.contactId}`)).body;
    expect(items).toMatchObject([
      { action: 'update', resource: 'campaign_contact', before: { priority: 0 }, after: { priority: 2 } },
      { before: { name: null }, after: { name: 'Ada' } },
    ]);
    expect(api.logs.join('')).not.toContain('told to nobody');
  });

  it.each<readonly [string, object, string]>([
    ['no zone', { time_zone: 'Mars/Base' }, 'time_zone: no IANA time zone, such as Europe/Berlin'],
    ['too high a priority', { priority: 1001 }, 'priority: no whole number from -1000 to 1000'],
    ['too long a name', { name: 'x'.repeat(256) }, 'name: longer than 255 characters'],
    ['too long a value', { variables: { plan: 'x'.repeat(2001) } }, 'plan: longer than 2000 characters'],
    ['the same twice', { variables: { 'a b': '1', a_b: '2' } }, 'variables: a_b is there twice'],
  ])('as an import would read it: not to %s', async (_, patch, message) => {
    const made = await create({ name: 'Ada' });
    const before = await shown(made);
    expect(found(await api.patch(made.path, patch))).toEqual([422, 'invalid_contact', message]);
    expect(await shown(made)).toEqual(before);
    expect(found(await api.patch(made.path, { variables: { plan: 5 } }))[0]).toBe(400);
  });

  it('but keeps its number', async () => {
    const made = await create();
    const refused = await api.patch(made.path, { phone_number: '+12025550002', name: 'Ada' });
    expect(found(refused)).toEqual([422, 'phone_number_fixed', expect.stringContaining('Import the right one')]);
    expect((await shown(made)).name).toBeNull();
    expect((await api.patch(made.path, { phone_number: '+1 (202) 555-0001', name: 'Ada' })).body.name).toBe('Ada');
  });

  it('not so that it loses what the texts use; what it lacked before is no hindrance', async () => {
    const { agentId: speaker } = await api.createDialler();
    const made = await create({ name: 'Ada', variables: { city: 'Rome' } }, { phone_agent_id: speaker });
    await api.patch(`/phone/${speaker}`, { first_message: 'Hello {{name}} in {{city}}' });
    const refused = [422, 'invalid_contact', 'no value for {{city}}'];
    expect(found(await api.patch(made.path, { variables: { city: null } }))).toEqual(refused);
    await api.patch(`/phone/${speaker}`, { first_message: 'Hello {{name}} in {{city}} on {{plan}}' });
    expect((await api.patch(made.path, { time_zone: 'Europe/Rome' })).status).toBe(200);
    expect(found(await api.patch(made.path, { name: null }))).toEqual([
      422,
      'invalid_contact',
      'no value for {{name}}',
    ]);
  });

  it('and brings its campaign the names that no other contact came with', async () => {
    const made = await create();
    await api.patch(`/phone/campaigns/${made.id}`, { disclosure_line: 'For {{company}}, {{name}}' });
    expect((await api.post(`/phone/campaigns/${made.id}/start`)).body.columns).toEqual(['company', 'name']);
    await api.patch(made.path, { name: 'Ada', variables: { company: 'Example Ltd' } });
    expect((await api.post(`/phone/campaigns/${made.id}/start`)).status).toBe(200);
    const [header, line] = String((await api.get(`/phone/campaigns/${made.id}/report.csv`)).body).split('\r\n');
    expect([header, line]).toEqual([expect.stringMatching(/,company$/), expect.stringMatching(/,Example Ltd$/)]);
  });

  it('and its calls are counted by the clock of its number, unless it has a zone of its own', async () => {
    const made = await create({ time_zone: 'Europe/Berlin' });
    const clock = async (): Promise<unknown> =>
      api.dataSource.query('SELECT time_zone, clock_zone FROM campaign_contacts WHERE id = $1', [made.contactId]);
    await api.patch(made.path, { time_zone: null });
    expect(await clock()).toEqual([{ time_zone: null, clock_zone: 'America/New_York' }]);
    await api.patch(made.path, { time_zone: 'Europe/Rome' });
    expect(await clock()).toEqual([{ time_zone: 'Europe/Rome', clock_zone: null }]);
  });

  it.each<readonly [string, object]>([
    ['missing_variable', { variables: { city: 'Rome' } }],
    ['no_consent', { consent_id: 'c-1' }],
    ['zone_unknown', { time_zone: 'America/New_York' }],
  ])('and is due at once where it was left out (%s), which the campaign is told', async (reason, patch) => {
    const made = await running();
    await leftOut(made, reason);
    const { body } = await api.patch(made.path, patch);
    expect(body).toMatchObject({ state: 'pending', result: null, attempts: 0, warnings: [] });
    expect(Date.parse(body.due_at)).toBeLessThan(Date.now() + 1_000);
    expect(moved).toEqual([made.id]);
    expect(await events(made)).toMatchObject([{ type: 'changed', data: { contacts: 1 } }, { type: 'started' }]);
    const { states, left_out: counted } = (await api.get(`/phone/campaigns/${made.id}/stats`)).body;
    expect([states.pending, states.done, counted]).toEqual([1, 0, {}]);
  });

  it('and is due at once where it was put off, if not for its place alone; who waits otherwise keeps it', async () => {
    const made = await running();
    await set(made, `due_at = $2, last_decision = $3`, TOMORROW, passedOver('outside_window'));
    expect((await api.patch(made.path, { priority: 7 })).body).toMatchObject({ priority: 7, due_at: TOMORROW });
    expect(moved).toEqual([]);
    const { body } = await api.patch(made.path, { time_zone: 'America/New_York' });
    expect(Date.parse(body.due_at)).toBeLessThan(Date.now() + 1_000);
    expect(moved).toEqual([made.id]);
    const called = { at: AT, called: true, call_id: uuidV7() };
    await set(made, `state = 'waiting', attempts = 1, due_at = $2, last_decision = $3`, TOMORROW, called);
    const waits = await api.patch(made.path, { time_zone: 'America/Chicago' });
    expect(waits.body).toMatchObject({ state: 'waiting', due_at: TOMORROW, warnings: [] });
    expect(moved).toEqual([made.id]);
  });

  it('and is not called again for it once it was called, nor while its number is on a list', async () => {
    const made = await running();
    const done = `state = 'done', due_at = NULL, last_disposition = $2, result = $3, last_decision = $4`;
    const called = { at: AT, called: true, call_id: uuidV7() };
    const again = 'Stored; the contact is done, and nobody is dialled for it: `redial` calls it again';
    const never = 'Stored; the contact is done, and nobody is dialled for it';
    const cases = [
      ['busy', 'exhausted', called, again],
      ['answered', 'reached', called, again],
      ['answered', 'opted_out', called, never],
      [null, 'suppressed', passedOver('suppressed'), never],
      [null, 'canceled', passedOver('campaign_ended'), never],
    ] as const;
    for (const [n, [disposition, result, decision, message]] of cases.entries()) {
      await set(made, done, disposition, result, decision);
      const { body } = await api.patch(made.path, { name: `Ada ${n}` });
      expect(body).toMatchObject({ name: `Ada ${n}`, state: 'done', result, due_at: null });
      expect(body.warnings).toEqual([{ path: 'state', message }]);
    }
    expect(moved).toEqual([]);
  });

  it('while a call of it is under way, which may go by the former values: the answer says so', async () => {
    const made = await running();
    await set(made, `state = 'calling', due_at = NULL, call_id = $2, calls = 1`, uuidV7());
    const { body } = await api.patch(made.path, { name: 'Ada' });
    expect(body).toMatchObject({ name: 'Ada', state: 'calling', due_at: null });
    const message = 'Stored; the call that is under way may still go by the former values';
    expect(body.warnings).toEqual([{ path: 'state', message }]);
    expect((await api.patch(made.path, { priority: 3 })).body.warnings).toEqual([]);
  });

  it('also of a campaign that is over, which a redial then goes by', async () => {
    const made = await running({}, { require_consent: true });
    await leftOut(made, 'no_consent');
    await api.dataSource.query(`UPDATE campaigns SET status = 'completed' WHERE id = $1`, [made.id]);
    const { body } = await api.patch(made.path, { consent_id: 'c-1' });
    expect(body).toMatchObject({ state: 'done', consent_id: 'c-1' });
    expect(body.warnings).toMatchObject([{ message: expect.stringContaining('`redial` calls it again') }]);
    expect(moved).toEqual([]);
    await api.post(`/phone/campaigns/${made.id}/redial`, { dispositions: ['busy'] });
    await new CampaignRunRepository(api.dataSource).renewSome(made.id, 100);
    expect(await shown(made)).toMatchObject({ state: 'pending', consent_id: 'c-1' });
    await leftOut(made, 'no_consent');
    await api.post(`/phone/campaigns/${made.id}/cancel`);
    const canceled = (await api.patch(made.path, { consent_id: 'c-2' })).body;
    expect([canceled.state, canceled.consent_id]).toEqual(['done', 'c-2']);
    expect(canceled.warnings).toMatchObject([{ message: expect.not.stringContaining('redial') }]);
  });

  it('as what it has become while the request waited: claimed, or of a campaign that is over', async () => {
    /** @param change not committed before the request waits for it */
    const patchedDuring = async (made: Made, change: string): Promise<Answer['body']> => {
      let asked: Promise<Answer> | undefined;
      await api.dataSource.transaction(async (manager) => {
        await manager.query(change, [made.contactId]);
        asked = api.patch(made.path, { consent_id: 'c-1' });
        await sleep(200);
      });
      return (await asked)?.body;
    };
    const claimed = await running({ phone_number: '+12025550009' });
    const calling = `UPDATE campaign_contacts SET state = 'calling', due_at = NULL, calls = 1 WHERE id = $1`;
    const { state, warnings } = await patchedDuring(claimed, calling);
    expect([state, warnings]).toMatchObject(['calling', [{ message: expect.stringContaining('under way') }]]);
    const over = await running();
    await leftOut(over, 'no_consent');
    const completed = `UPDATE campaigns SET status = 'completed'
      WHERE id = (SELECT campaign_id FROM campaign_contacts WHERE id = $1)`;
    expect(await patchedDuring(over, completed)).toMatchObject({ state: 'done', due_at: null, consent_id: 'c-1' });
    expect(moved).toEqual([]);
  });

  it('by several at the same moment, none of whose changes is lost', async () => {
    const made = await running({ variables: { kept: 'yes' } });
    const sibling = await api.sibling();
    const names = Array.from({ length: 12 }, (_, n) => `v${n}`);
    const answers = await Promise.all(
      names.map((name, n) =>
        (n % 2 === 0 ? api : sibling).request('PATCH', made.path, {
          key: api.tenant.key,
          body: { variables: { [name]: name } },
        }),
      ),
    );
    await sibling.stop();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { variables } = await shown(made);
    expect(variables).toEqual({ kept: 'yes', ...Object.fromEntries(names.map((name) => [name, name])) });
  });

  it('of this campaign and this organisation alone', async () => {
    const [made, other] = [await create(), await create()];
    const { key } = await api.createTenant();
    const patch = { name: 'Ada' };
    const path = `/phone/campaigns/${made.id}/contacts`;
    const unknown = [404, 'campaign_contact_not_found', 'No such campaign contact'];
    expect(found(await api.patch(`${path}/${other.contactId}`, patch))).toEqual(unknown);
    expect(found(await api.patch(`${path}/${uuidV7()}`, patch))).toEqual(unknown);
    const gone = [404, 'campaign_not_found', 'No such campaign'];
    expect(found(await api.patch(made.path, patch, { key }))).toEqual(gone);
    await api.delete(`/phone/campaigns/${other.id}`);
    expect(found(await api.patch(other.path, patch))).toEqual(gone);
    expect(await shown(made)).toMatchObject({ name: null });
  });
});
