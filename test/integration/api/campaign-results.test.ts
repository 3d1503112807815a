import type { CallEnding, Disposition } from '../../../contract/endings';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import type { MovedContact } from '../../../store/repositories/campaign-dialling-repository';
import { insertContactCall } from '../store/store-fixture';
import { ApiServer } from './support/api-server';

const AT = new Date('2026-11-30T15:30:00Z');

describe('what became of a campaign', () => {
  let api: ApiServer;
  let agentId: string;
  let orgId: string;
  let campaignId: string;
  let campaign: string;

  beforeAll(async () => {
    api = await ApiServer.start();
    ({ agentId } = await api.createDialler());
    ({ orgId } = api.tenant);
  });
  afterAll(() => api.stop());
  beforeEach(async () => {
    ({ campaignId, campaign } = await newCampaign());
  });

  async function newCampaign(fields: object = {}): Promise<{ campaignId: string; campaign: string }> {
    const { body } = await api.post('/phone/campaigns', { name: 'C', phone_agent_id: agentId, ...fields });
    return { campaignId: body.id, campaign: `/phone/campaigns/${body.id}` };
  }

  async function contactsOf(rows: string, of = campaign): Promise<string[]> {
    const { status } = await api.post(`${of}/contacts`, `phone_number,name,consent_id,time_zone\n${rows}`, {
      headers: { 'Content-Type': 'text/csv' },
    });
    expect(status).toBe(200);
    const stored: { id: string }[] = await api.dataSource.query(
      'SELECT id FROM campaign_contacts WHERE campaign_id = $1 ORDER BY phone_number',
      [of.split('/').at(-1)],
    );
    return stored.map(({ id }) => id);
  }

  async function dial(contactId: string, disposition: Disposition, seconds = 0, at = AT): Promise<string> {
    const callId = await insertContactCall(
      api.dataSource,
      { orgId, campaignId, contactId },
      { at, attempt: 'finished' },
    );
    const ending: CallEnding = { disposition, endReason: null, endedBy: 'callee', sip: null };
    const answeredAtMs = disposition === 'answered' ? at.getTime() : null;
    const closed = { callId, ending, answeredAtMs, endedAtMs: at.getTime() + seconds * 1000 };
    await new CallRepository(api.dataSource).finaliseCall({ ...closed, metrics: null, truncated: false });
    return callId;
  }

  const FLORIDA = { rule: 'US-FL', source: 'Fla. Stat. § 501.616', certainty: 'statute', checked: '2026-11-01' };

  async function decide(
    contactId: string,
    callId: string | null,
    failed: string | null = null,
    law?: typeof FLORIDA | null,
  ): Promise<void> {
    const checks = [
      { check: 'suppressed', passed: true, detail: '=1+1' },
      {
        check: 'outside_window',
        passed: failed === null,
        detail: failed ?? 'America/New_York: 10:30, legal hours federal',
        law,
      },
    ];
    await api.dataSource.query(
      `INSERT INTO contact_decisions (id, org_id, campaign_id, contact_id, call_id, at, dialled, checks)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [uuidV7(), orgId, campaignId, contactId, callId, AT, failed === null, JSON.stringify(checks)],
    );
  }

  it('is counted: outcomes, shares, minutes, by hour and by attempt', async () => {
    const [ada = '', bob = ''] = await contactsOf('+12125550101,Ada,c-1,\n+12125550102,Bob,c-2,America/Los_Angeles\n');
    await dial(ada, 'no_answer');
    await dial(ada, 'answered', 90, new Date(AT.getTime() + 3_600_000));
    await dial(bob, 'canceled');
    await dial(bob, 'busy', 0, new Date(AT.getTime() + 3_600_000));
    const { body } = await api.get(`${campaign}/stats`);
    expect(body).toMatchObject({
      contacts: 2,
      answer_seizure_ratio: 0.3333,
      minutes: 1.5,
      goal_reached: null,
      connect_rate: {
        by_hour: [
          { hour: 7, dials: 1, answered: 0, rate: null },
          { hour: 8, dials: 1, answered: 0, rate: 0 },
          { hour: 10, dials: 1, answered: 0, rate: 0 },
          { hour: 11, dials: 1, answered: 1, rate: 1 },
        ],
        by_attempt: [
          { attempt: 1, dials: 2, answered: 0, rate: 0 },
          { attempt: 2, dials: 2, answered: 1, rate: 0.5 },
        ],
      },
    });
    const outcomes = Object.entries(body.outcomes).filter(([, n]) => n !== 0);
    expect(Object.fromEntries(outcomes)).toEqual({ answered: 1, busy: 1, no_answer: 1, canceled: 1 });
  });

  it('is nothing before its first call', async () => {
    const { body } = await api.get(`${campaign}/stats`);
    expect(body).toMatchObject({ contacts: 0, attempts: 0, answer_seizure_ratio: null, minutes: 0 });
    expect(body.connect_rate).toEqual({ by_hour: [], by_attempt: [] });
  });

  it('stands in the report of each contact, with its last call and how long was talked', async () => {
    const [ada = ''] = await contactsOf('+12125550101,Ada,,\n+12125550102,Bob,,\n');
    await dial(ada, 'answered', 20);
    const last = await dial(ada, 'answered', 45, new Date(AT.getTime() + 60_000));
    const [header = '', first = '', second = ''] = String((await api.get(`${campaign}/report.csv`)).body).split('\r\n');
    const cell = (line: string, name: string): string | undefined => line.split(',')[header.split(',').indexOf(name)];
    expect([cell(first, 'last_call_id'), cell(first, 'talk_seconds')]).toEqual([last, '65']);
    expect([cell(second, 'last_call_id'), cell(second, 'talk_seconds')]).toEqual(['', '']);
  });

  it('is on record for each contact: what was checked and by which law, the dials, the lists', async () => {
    const [ada = ''] = await contactsOf('+13055550101,Ada,form-7,\n');
    await decide(ada, null, 'not in the legal hours in America/New_York');
    const callId = await dial(ada, 'answered', 30);
    await decide(ada, callId, null, FLORIDA);
    await api.post('/phone/dnc', { phone_number: '+13055550101', reason: 'Asked by letter' });
    const { status, body } = await api.get(`${campaign}/contacts/${ada}/evidence`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      contact: { id: ada, consent_id: 'form-7' },
      do_not_call: { organisation: { source: 'api', reason: 'Asked by letter' }, server: null },
      legal_hours: { at: AT.toISOString(), kept: true, ...FLORIDA },
      decisions: [
        { dialled: false, call_id: null, legal_hours: null },
        { dialled: true, call_id: callId, legal_hours: { kept: true, ...FLORIDA } },
      ],
      attempts: [{ call_id: callId, sip_call_id: `sip-${callId}`, state: 'finished', duration_seconds: 30 }],
    });
    const { checks } = body.decisions[1];
    expect(checks.map(({ source }: { source: unknown }) => source)).toEqual([null, FLORIDA.source]);
  });

  it('names the law that was kept when it was looked at, whatever the campaign keeps now', async () => {
    const [ada = ''] = await contactsOf('+13055550102,Ada,form-7,\n');
    const hours = async (): Promise<Record<string, unknown>> =>
      (await api.get(`${campaign}/contacts/${ada}/evidence`)).body.legal_hours;
    expect(await hours()).toMatchObject({ at: null, kept: true, rule: 'US-FL', certainty: 'statute' });
    expect((await hours())['source']).toMatch(/Fla\. Stat\.|Florida/);
    // Written before laws were kept with it: the text says which.
    await decide(ada, null);
    expect(await hours()).toMatchObject({ at: AT.toISOString(), kept: true, rule: 'federal' });
    await decide(ada, null, null, FLORIDA);
    await api.dataSource.query(
      `UPDATE campaigns SET dial_window = dial_window || '{"legal": "off"}'::jsonb WHERE id = $1`,
      [campaignId],
    );
    expect(await hours()).toEqual({ at: AT.toISOString(), kept: true, ...FLORIDA });
    await decide(ada, null, null, null);
    expect(await hours()).toMatchObject({ kept: false, rule: null, source: null });
    const lines = String((await api.get(`${campaign}/evidence.csv`)).body)
      .trimEnd()
      .split('\r\n');
    const sources = lines.slice(1).map((line) => /47 CFR|Fla\. Stat|not kept/.exec(line)?.[0]);
    expect(new Set(sources)).toEqual(new Set(['47 CFR', 'Fla. Stat', 'not kept']));
  });

  it('says of a campaign that does not keep the legal hours that it does not', async () => {
    const operators = await api.createTenant({ operator: true });
    const { body: agent } = await api.post('/phone', { name: 'A' }, { key: operators.key });
    const window = { days: ['mon'], start: '08:00', end: '20:00', legal: 'off' };
    const made = await api.post(
      '/phone/campaigns',
      { name: 'C', phone_agent_id: agent.id, window },
      { key: operators.key },
    );
    const path = `/phone/campaigns/${made.body.id}`;
    await api.post(`${path}/contacts`, { contacts: [{ phone_number: '+13055550101' }] }, { key: operators.key });
    const { items } = (await api.get(`${path}/contacts`, { key: operators.key })).body;
    const { body } = await api.get(`${path}/contacts/${items[0].id}/evidence`, { key: operators.key });
    expect(body.legal_hours).toMatchObject({ at: null, kept: false, rule: null });
    expect((await api.get(`${path}/evidence.csv`, { key: operators.key })).body).toContain(',not kept,');
  });

  it('is on record as CSV: a line for each look, and for whoever was never looked at; no cell is a formula', async () => {
    const rows = Array.from({ length: 450 }, (_, n) => `+1212555${String(1000 + n)},N,=cmd|${n},`);
    const ids = await contactsOf(`${rows.join('\n')}\n`);
    const [ada = '', bob = ''] = ids;
    await decide(ada, null, 'not in the legal hours');
    await decide(ada, await dial(ada, 'busy'));
    const undecided = await dial(bob, 'answered', 3);
    const answer = await api.get(`${campaign}/evidence.csv`);
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const lines = String(answer.body).trimEnd().split('\r\n');
    expect(lines).toHaveLength(1 + 450 + 1);
    const [header = '', refused = '', dialled = '', other = '', never = ''] = lines;
    expect(header.split(',').slice(0, 4)).toEqual(['contact_id', 'phone_number', 'consent_id', 'do_not_call']);
    expect(refused).toContain(`${ada},+12125551000,'=cmd|0,,,${AT.toISOString()},false,`);
    expect(refused).toContain('suppressed: =1+1 | outside_window: not in the legal hours,outside_window,');
    expect(dialled).toMatch(/,true,.*,sip-[0-9a-f-]{36},busy,,2026-11-30T15:30:00.000Z$/);
    expect(other).toMatch(new RegExp(`^${bob},.*,true,,,,${undecided},sip-${undecided},answered,`));
    expect(never).toMatch(new RegExp(`^${ids[2]},\\+12125551002,'=cmd\\|2,,,,,,,[^,]+,,,,,$`));
    expect(new Set(lines.slice(1).map((line) => line.slice(0, 36))).size).toBe(450);
  });

  it('says of who was passed over why, though no call was begun', async () => {
    const [ada = ''] = await contactsOf('+12125550101,Ada,,\n');
    const decision = {
      at: AT.toISOString(),
      called: false,
      reason: 'no_consent',
      detail: 'The contact has no consent_id',
    };
    const campaigns = new CampaignDiallingRepository(api.dataSource);
    const [{ seen }] = await api.dataSource.query('SELECT xmin::text AS seen FROM campaign_contacts WHERE id = $1', [
      ada,
    ]);
    const move = { id: ada, seen, result: 'suppressed', dueAtMs: null, note: decision } as const;
    await campaigns.move(orgId, campaignId, [move as MovedContact], Date.now() + 60_000);
    const shown = { ...decision, call_id: null };
    const { body: listed } = await api.get(`${campaign}/contacts`);
    expect(listed.items).toMatchObject([{ id: ada, result: 'suppressed', last_decision: shown }]);
    const { body: evidence } = await api.get(`${campaign}/contacts/${ada}/evidence`);
    expect(evidence).toMatchObject({ contact: { last_decision: shown }, decisions: [] });
    const [, line = ''] = String((await api.get(`${campaign}/evidence.csv`)).body).split('\r\n');
    expect(line).toContain(`,${AT.toISOString()},false,no_consent: The contact has no consent_id,no_consent,`);
    const { body: stats } = await api.get(`${campaign}/stats`);
    expect([stats.results.suppressed, stats.left_out]).toEqual([1, { no_consent: 1 }]);
    const { body: timeline } = await api.get(`${campaign}/events`);
    expect(timeline.items).toMatchObject([{ type: 'left_out', data: { reason: 'no_consent', contacts: 1 } }]);
  });

  it('is nobody else’s: neither another campaign’s contact nor another organisation’s campaign is found', async () => {
    const [ada = ''] = await contactsOf('+12125550101,Ada,c-1,\n');
    const other = await newCampaign();
    const wrong = await api.get(`${other.campaign}/contacts/${ada}/evidence`);
    expect([wrong.status, wrong.body.code]).toEqual([404, 'campaign_contact_not_found']);
    const { key } = await api.createTenant();
    for (const path of [`contacts/${ada}/evidence`, 'evidence.csv', 'stats', 'report.csv']) {
      const { status, body } = await api.get(`${campaign}/${path}`, { key });
      expect([path, status, body.code]).toEqual([path, 404, 'campaign_not_found']);
    }
    expect((await api.get(`${campaign}/contacts/none/evidence`)).status).toBe(404);
  });
});
