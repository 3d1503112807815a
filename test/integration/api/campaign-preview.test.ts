import { ApiServer } from './support/api-server';

/** A zone whose clocks show noon now, to within half an hour or so, and one where it is night. */
function zoneAt(hour: number): string {
  const utcHour = new Date().getUTCHours();
  const offset = ((hour - utcHour + 36) % 24) - 12;
  return offset === 0 ? 'Etc/GMT' : `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`;
}

describe('the preview of a campaign', () => {
  let api: ApiServer;
  let agentId: string;
  let trunkId: string;
  const ALL_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const [noon, night] = [zoneAt(12), zoneAt(1)];

  beforeAll(async () => {
    api = await ApiServer.start();
    ({ agentId, trunkId } = await api.createDialler({ first_message: 'Hi {{name}}' }));
  });
  afterAll(() => api.stop());

  async function campaignWith(contacts: object[], fields: object = {}): Promise<string> {
    const { body } = await api.post('/phone/campaigns', {
      name: 'C',
      phone_agent_id: agentId,
      window: { days: ALL_DAYS, start: '08:00', end: '20:00', legal: 'off' },
      ...fields,
    });
    const named = contacts.map((contact) => ({ name: 'N', consent_id: 'c', time_zone: noon, ...contact }));
    const added = await api.post(`/phone/campaigns/${body.id}/contacts`, { contacts: named });
    expect(added.body.accepted).toBe(contacts.length);
    return body.id;
  }
  // oxlint-disable-next-line typescript/no-explicit-any
  const preview = async (id: string): Promise<any> => (await api.post(`/phone/campaigns/${id}/preview`)).body;
  const byReason = (body: { not_called: { reason: string; contacts: number }[] }): object =>
    Object.fromEntries(body.not_called.map(({ reason, contacts }) => [reason, contacts]));

  it('tells who would be called, the highest priority first, and each reason why not', async () => {
    const id = await campaignWith([
      { phone_number: '+15551230001', priority: 1 },
      { phone_number: '+15551230002', priority: 9 },
      { phone_number: '+15551230003', consent_id: null },
      { phone_number: '+15551230004', time_zone: night },
      { phone_number: '+15551230005', time_zone: null },
      { phone_number: '+442079460001' },
      { phone_number: '+15551230006' },
      { phone_number: '+15551230007' },
      { phone_number: '+15551230008' },
      { phone_number: '+15551230009' },
    ]);
    await api.post('/phone/dnc', { phone_number: '+15551230006' });
    const change = (number: string, set: string): Promise<unknown> =>
      api.dataSource.query(`UPDATE campaign_contacts SET ${set} WHERE campaign_id = $1 AND phone_number = $2`, [
        id,
        number,
      ]);
    await change('+15551230007', 'name = NULL');
    await change('+15551230008', `state = 'waiting', due_at = now() + interval '2 hours'`);
    await change('+15551230009', `state = 'done', result = 'reached', due_at = NULL`);
    const body = await preview(id);
    expect(body).toMatchObject({ problems: [], would_call: 2, examined: 8, not_examined: 0 });
    expect(body.contacts.map(({ phone_number }: { phone_number: string }) => phone_number)).toEqual([
      '+15551230002',
      '+15551230001',
    ]);
    expect(byReason(body)).toEqual({
      no_consent: 1,
      outside_window: 1,
      zone_unknown: 1,
      destination_not_allowed: 1,
      suppressed: 1,
      missing_variable: 1,
      due_later: 1,
      done: 1,
    });
    const missing = body.not_called.find(({ reason }: { reason: string }) => reason === 'missing_variable');
    expect(missing.example).toMatchObject({ phone_number: '+15551230007', detail: 'No value for {{name}}' });
  });

  it('counts what the pace of campaign and trunks allows, and the caps of a number over all campaigns', async () => {
    const contacts = Array.from({ length: 50 }, (_, n) => ({ phone_number: `+1555124${String(1000 + n)}` }));
    const id = await campaignWith(contacts, { calls_per_second: 0.01, caps: { per_number_per_day: 1 } });
    // The third has never left.
    for (const [n, state] of ['sent', 'uncertain', 'not_sent'].entries()) {
      await api.dataSource.query(
        `WITH called AS (
           INSERT INTO calls (id, org_id, campaign_id, session_id, direction, from_number, to_number, status, created_at, ended_at)
           VALUES (gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), 'outbound', '+1', $2, 'completed', now(), now())
           RETURNING id)
         INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id)
         SELECT gen_random_uuid(), id, $1, 1, $3, id, 'n', 'b' FROM called`,
        [api.tenant.orgId, contacts[n]?.phone_number, state],
      );
    }
    const body = await preview(id);
    expect(body).toMatchObject({ capacity: 36, would_call: 36 });
    expect(byReason(body)).toEqual({ cap_per_day: 2, behind_others: 12 });
    // A guard has slowed it; resumed, it is as fast as it may be.
    const slowed = async (status: string): Promise<unknown> => {
      await api.dataSource.query(`UPDATE campaigns SET pace = 0.5, status = $2 WHERE id = $1`, [id, status]);
      return (await preview(id)).capacity;
    };
    expect([await slowed('running'), await slowed('paused')]).toEqual([18, 36]);
  });

  it('puts off whom the organisation speaks with', async () => {
    const contacts = [{ phone_number: '+15551250001' }, { phone_number: '+15551250002' }];
    const id = await campaignWith(contacts, {});
    await api.dataSource.query(
      `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at)
       VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'inbound', $2, '+1', 'in_progress', now())`,
      [api.tenant.orgId, contacts[0]?.phone_number],
    );
    expect(byReason(await preview(id))).toEqual({ called_now: 1 });
  });

  it('says what keeps the whole campaign from calling', async () => {
    const { agentId: other } = await api.createDialler();
    const fields = { phone_agent_id: other, starts_at: new Date(Date.now() + 86_400_000).toISOString() };
    const id = await campaignWith([{ phone_number: '+15551230001' }], fields);
    await api.delete(`/phone/${other}`);
    const body = await preview(id);
    expect(body.problems.map(({ code }: { code: string }) => code)).toEqual(['no_agent', 'no_trunk', 'not_started']);
    expect(body.would_call).toBe(0);
    const past = { ends_at: new Date(Date.now() - 1000).toISOString(), trunk_ids: [trunkId] };
    const ended = await campaignWith([{ phone_number: '+15551230001' }], past);
    expect((await preview(ended)).problems).toMatchObject([{ code: 'ended' }]);
  });
});
