import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { ApiServer } from './support/api-server';
import type { Answer } from './support/api-server';

const CSV = { 'Content-Type': 'text/csv' };

describe('contacts of a campaign', () => {
  let api: ApiServer;
  let agentId: string;

  beforeAll(async () => {
    api = await ApiServer.start();
    ({ agentId } = await api.createDialler());
  });
  afterAll(() => api.stop());

  async function newCampaign(fields: object = {}): Promise<string> {
    const { body } = await api.post('/phone/campaigns', { name: 'C', phone_agent_id: agentId, ...fields });
    return `/phone/campaigns/${body.id}`;
  }
  const upload = (campaign: string, csv: string, headers: object = {}): Promise<Answer> =>
    api.post(`${campaign}/contacts`, csv, { headers: { ...CSV, ...headers } });
  const numbers = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `+1555${String(1_000_000 + from + n)}`);

  it('come as CSV of any common kind, each row with its result', async () => {
    const campaign = await newCampaign();
    await api.post('/phone/dnc', { phone_number: '+15550000009' });
    await api.post('/phone/dnc?list=global', { phone_number: '+15550000008' });
    const rows = [
      '\u{feff}Phone Number;name;time_zone;consent_id;priority;plan',
      '+1 (555) 000-0001;"Müller; Jürgen";Europe/Berlin;c-1;5;gold',
      '+15550000001;again;;;;',
      '+15550000009;on our list;;;;',
      "+15550000008;on the server's;;;;",
      '911;;;;;',
      '+1555000000x;;;;;',
      ';nobody;;;;',
      '+15550000002;;Mars/Base;;;',
      '+15550000003;;;;high;',
      '+15550000004;"never closed;;;;',
      '+15550000005;;;;;silver',
    ];
    const { status, body } = await upload(campaign, `${rows.join('\r\n')}\r\n`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 2, duplicates: 1, invalid: 6, suppressed: 2 });
    expect(body.rows).toEqual([
      { row: 3, phone_number: '+15550000001', result: 'duplicate', reason: 'the number is in the campaign already' },
      { row: 4, phone_number: '+15550000009', result: 'suppressed', reason: 'the number is on the do-not-call list' },
      {
        row: 5,
        phone_number: '+15550000008',
        result: 'suppressed',
        reason: "the number is on the server's do-not-call list",
      },
      { row: 6, phone_number: '911', result: 'invalid', reason: 'phone_number: an emergency number or a short code' },
      {
        row: 7,
        phone_number: '+1555000000x',
        result: 'invalid',
        reason: 'phone_number: not in E.164 format, such as +15551234567',
      },
      { row: 8, phone_number: null, result: 'invalid', reason: 'phone_number: empty' },
      {
        row: 9,
        phone_number: '+15550000002',
        result: 'invalid',
        reason: 'time_zone: no IANA time zone, such as Europe/Berlin',
      },
      {
        row: 10,
        phone_number: '+15550000003',
        result: 'invalid',
        reason: 'priority: no whole number from -1000 to 1000',
      },
      { row: 11, phone_number: null, result: 'invalid', reason: 'a quotation mark is not closed' },
    ]);
    const { items } = (await api.get(`${campaign}/contacts`)).body;
    const byNumber = [...items].sort((a, b) => (a.phone_number < b.phone_number ? -1 : 1));
    expect(byNumber).toMatchObject([
      {
        phone_number: '+15550000001',
        name: 'Müller; Jürgen',
        time_zone: 'Europe/Berlin',
        consent_id: 'c-1',
        priority: 5,
        variables: { plan: 'gold' },
        state: 'pending',
        attempts: 0,
      },
      { phone_number: '+15550000005', name: null, priority: 0, variables: { plan: 'silver' } },
    ]);
    const report = await api.get(`${campaign}/import-report.csv`);
    expect(report.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(String(report.body).split('\r\n')).toHaveLength(1 + 9 + 1);
    expect(report.body).toContain('3,+15550000001,duplicate,the number is in the campaign already\r\n');
    expect((await api.get(`${campaign}/stats`)).body).toMatchObject({ contacts: 2, states: { pending: 2 } });
  });

  it('come as JSON in the same way', async () => {
    const campaign = await newCampaign();
    const contacts = [
      { phone_number: '+15550000001', variables: { plan: 'gold' } },
      { phone_number: '+15550000001' },
      { phone_number: 'x', time_zone: null },
    ];
    const { body } = await api.post(`${campaign}/contacts`, { contacts });
    expect(body).toMatchObject({ accepted: 1, duplicates: 1, invalid: 1, rows: [{ row: 2 }, { row: 3 }] });
    const refused = await api.post(`${campaign}/contacts`, { contacts: [{ phone_number: 1 }] });
    expect(refused.status).toBe(400);
  });

  it('have variables by the names of columns, also as JSON; a row whose names cannot be used is refused', async () => {
    const campaign = await newCampaign();
    const csv = await upload(campaign, 'phone_number, First  Name ,Stra\u00dfe,Mu\u0308ller\n+15550000001,Ada,x,y\n');
    expect(csv.body).toMatchObject({ accepted: 1 });
    const contacts = [
      { phone_number: '+15550000002', variables: { ' First  Name ': 'Ada', Straße: 'x', 'Mu\u0308ller': 'y' } },
      { phone_number: '+15550000003', variables: { 'a b': 'x', a_b: 'y' } },
      { phone_number: '+15550000004', variables: { ' ': 'x' } },
      { phone_number: '+15550000005', variables: { 'a\u0007': 'x' } },
    ];
    const json = await api.post(`${campaign}/contacts`, { contacts });
    expect([json.status, json.body.accepted, json.body.invalid]).toEqual([200, 1, 3]);
    expect(json.body.rows.map(({ reason }: { reason: string }) => reason)).toEqual([
      'variables: a_b is there twice',
      'variables: one has no name that can be used',
      'variables: one has no name that can be used',
    ]);
    const { items } = (await api.get(`${campaign}/contacts`)).body;
    for (const { variables } of items) {
      expect(variables).toEqual({ First_Name: 'Ada', Straße: 'x', 'M\u00fcller': 'y' });
    }
    expect(items).toHaveLength(2);
  });

  it('lacking what the texts use are refused with the names of the columns', async () => {
    const { body: agent } = await api.post('/phone', {
      name: 'A',
      first_message: 'Hi {{name}} in {{ city }}, {{company}}',
    });
    const campaign = await newCampaign({ phone_agent_id: agent.id, variables: { company: 'Example' } });
    const refused = await upload(campaign, 'phone_number,plan\n+15550000001,gold\n');
    expect([refused.status, refused.body.code, refused.body.columns]).toEqual([
      422,
      'missing_column',
      ['name', 'city'],
    ]);
    expect((await api.get(`${campaign}/imports`)).body.items).toEqual([]);
    const { body } = await upload(campaign, 'phone_number,name,city\n+15550000001,Ada,Rome\n+15550000002,Bob,\n');
    expect(body).toMatchObject({ accepted: 1, rows: [{ row: 3, result: 'invalid', reason: 'no value for {{city}}' }] });
  });

  it.each([
    ['another type', '{}', { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    [
      'another character set',
      'phone_number\n',
      { 'Content-Type': 'text/csv; charset=latin1' },
      415,
      'unsupported_media_type',
    ],
    ['compressed', 'phone_number\n', { 'Content-Encoding': 'gzip' }, 415, 'unsupported_media_type'],
    ['nothing', '', {}, 422, 'invalid_header'],
    ['no column of numbers', 'number\n+15550000001\n', {}, 422, 'missing_column'],
    ['a column twice', 'phone_number,a,a\n', {}, 422, 'invalid_header'],
  ])('are refused in %s', async (_, csv, headers, status, code) => {
    const answer = await upload(await newCampaign(), csv, headers);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('of any bytes are answered, and never by a 5xx', async () => {
    const campaign = await newCampaign();
    const words = fc.constantFrom(
      '"',
      '""',
      ',',
      ';',
      '\n',
      '\r\n',
      '+15550000001',
      '\0',
      'ü',
      '\t',
      '{{x}}',
      '__proto__',
    );
    const bodies = fc.oneof(
      fc.array(words, { maxLength: 40 }).map((parts) => Buffer.from(`phone_number,name\n${parts.join('')}`)),
      fc.array(words, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    for (const body of fc.sample(bodies, { seed: 11, numRuns: 60 })) {
      const answer = await fetch(`${api.url}${campaign}/contacts`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${api.tenant.key}`, ...CSV },
        body,
      });
      const text = await answer.text();
      expect([answer.status < 500, text]).toEqual([true, text]);
    }
  });

  it('of a second upload are duplicates, and the list and the stats stay as they are', async () => {
    const campaign = await newCampaign();
    const csv = `phone_number\n${numbers(0, 5000).join('\n')}`;
    expect((await upload(campaign, csv)).body).toMatchObject({ accepted: 5000, duplicates: 0, rows: [] });
    const again = (await upload(campaign, csv)).body;
    expect(again).toMatchObject({ accepted: 0, duplicates: 5000 });
    expect(again.rows).toHaveLength(1000);
    const report = String((await api.get(`${campaign}/import-report.csv?import_id=${again.import_id}`)).body);
    expect(report.trimEnd().split('\r\n')).toHaveLength(5001);
    expect((await api.get(`${campaign}/stats`)).body.contacts).toBe(5000);
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: Answer = await api.get(`${campaign}/contacts?limit=100${cursor === null ? '' : `&cursor=${cursor}`}`);
      for (const { id } of page.body.items) seen.add(id);
      cursor = page.body.next;
    } while (cursor !== null);
    expect(seen.size).toBe(5000);
    const one = await api.get(`${campaign}/contacts?phone_number=%2B15551000007`);
    expect(one.body.items).toHaveLength(1);
    expect((await api.get(`${campaign}/contacts?state=done`)).body.items).toEqual([]);
  });

  it('of uploads at the same time are each there once', async () => {
    const campaign = await newCampaign();
    const all = numbers(0, 3000);
    const answers = await Promise.all([
      upload(campaign, `phone_number\n${all.join('\n')}`),
      upload(campaign, `phone_number\n${[...all].reverse().join('\n')}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0].body.accepted + answers[1].body.accepted).toBe(3000);
    expect((await api.get(`${campaign}/stats`)).body.contacts).toBe(3000);
  });

  describe('whose upload', () => {
    function begin(campaign: string): ClientRequest {
      const sent = request(`${api.url}${campaign}/contacts`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${api.tenant.key}`, ...CSV },
      });
      sent.on('error', () => {});
      return sent;
    }
    const write = (sent: ClientRequest, text: string): Promise<void> =>
      new Promise((resolve) => void sent.write(text, () => resolve()));
    async function importsOf(campaign: string, status: string): Promise<{ accepted: number; problem: string | null }> {
      for (let n = 0; n < 100; n += 1) {
        const [item] = (await api.get(`${campaign}/imports`)).body.items;
        if (item?.status === status) return item;
        await sleep(100);
      }
      throw new Error(`no import became ${status}`);
    }

    it('stops in the middle are there as far as they are told, and the same upload again adds the rest', async () => {
      const campaign = await newCampaign();
      const all = numbers(0, 9000);
      const sent = begin(campaign);
      await write(sent, `phone_number\n${all.slice(0, 7000).join('\n')}\n`);
      await importsOf(campaign, 'running');
      await sleep(500);
      sent.destroy();
      const { accepted, problem } = await importsOf(campaign, 'aborted');
      expect(problem).toContain('send it again');
      expect((await api.get(`${campaign}/stats`)).body.contacts).toBe(accepted);
      expect(accepted).toBeLessThanOrEqual(7000);
      const noted = async (): Promise<{ action: string; after: object } | undefined> =>
        (await api.get(`/audit-log?resource_id=${campaign.split('/').at(-1)}&action=import`)).body.items[0];
      for (let n = 0; n < 50 && (await noted()) === undefined; n += 1) await sleep(100);
      expect((await noted())?.after).toMatchObject({ status: 'aborted', accepted });
      const { body } = await upload(campaign, `phone_number\n${all.join('\n')}`);
      expect(body).toMatchObject({ accepted: 9000 - accepted, duplicates: accepted });
    });

    it('is refused in the middle get their answer, however much follows', async () => {
      const sent = begin(await newCampaign());
      const answered = once(sent, 'response');
      await write(sent, 'phone_number,a,a\n');
      const piece = 'x'.repeat(1_000_000);
      for (let n = 0; n < 20; n += 1) await write(sent, piece);
      sent.end();
      const [response] = (await answered) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ statusCode: 422, code: 'invalid_header' });
    });

    it('meets the end of their campaign are there as far as they are told, and no others', async () => {
      const campaign = await newCampaign();
      const sent = begin(campaign);
      const answered = once(sent, 'response');
      await write(sent, `phone_number\n${numbers(0, 4000).join('\n')}\n`);
      await importsOf(campaign, 'running');
      await sleep(1000);
      await api.dataSource.query(`UPDATE campaigns SET status = 'canceled' WHERE id = $1`, [
        campaign.split('/').at(-1),
      ]);
      await write(sent, `${numbers(4000, 9000).join('\n')}\n`);
      sent.end();
      const [response] = (await answered) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ statusCode: 409, code: 'campaign_over' });
      const { accepted, problem } = await importsOf(campaign, 'refused');
      expect(problem).toBe('The campaign is canceled: it takes no contacts any more');
      expect(accepted).toBeGreaterThan(0);
      expect(accepted).toBeLessThanOrEqual(4000);
      expect((await api.get(`${campaign}/stats`)).body.contacts).toBe(accepted);
      for (const more of [
        await upload(campaign, 'phone_number\n+15550009999'),
        await api.post(`${campaign}/contacts`, { contacts: [{ phone_number: '+15550009999' }] }),
      ]) {
        expect([more.status, more.body.code]).toEqual([409, 'campaign_over']);
      }
      expect((await api.get(`${campaign}/imports`)).body.items).toHaveLength(1);
    });

    it('is slow keep no transaction open and no connection of the database', async () => {
      const campaign = await newCampaign();
      const sent = begin(campaign);
      await write(sent, `phone_number\n${numbers(0, 4000).join('\n')}\n`);
      await importsOf(campaign, 'running');
      await sleep(1000);
      const open = await api.dataSource.query(
        `SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(open).toEqual([]);
      await write(sent, '+15550009999\n');
      sent.end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(200);
      expect(await importsOf(campaign, 'completed')).toMatchObject({ accepted: 4001 });
    });

    it('loses its server is told as aborted once it has been silent for a minute', async () => {
      const campaign = await newCampaign();
      await upload(campaign, 'phone_number\n+15550000001\n');
      await api.dataSource.query(
        `UPDATE campaign_imports SET status = 'running', updated_at = now() - interval '61 s'`,
      );
      expect((await api.get(`${campaign}/imports`)).body.items[0]).toMatchObject({ status: 'aborted', accepted: 1 });
    });
  });

  it('are reported as CSV in which no cell is a formula, and which can be imported again', async () => {
    const campaign = await newCampaign();
    await upload(campaign, 'phone_number,name,note\n+15550000002,=cmd|x,"a,""b"""\n+15550000001,Ada,-5\n');
    const { body } = await api.get(`${campaign}/report.csv`);
    const lines = String(body).trimEnd().split('\r\n');
    expect(lines[0]).toBe(
      'id,phone_number,name,time_zone,consent_id,priority,state,result,attempts,last_disposition,last_attempt_at,due_at,last_call_id,talk_seconds,note',
    );
    expect(lines[1]).toMatch(/^[0-9a-f-]{36},\+15550000001,Ada,,,0,pending,,0,,,[^,]+Z,,,-5$/);
    expect(lines[2]).toMatch(/^[0-9a-f-]{36},\+15550000002,'=cmd\|x,,,0,pending,,0,,,[^,]+Z,,,"a,""b"""$/);
    const other = await newCampaign();
    expect((await upload(other, String(body))).body).toMatchObject({ accepted: 2, invalid: 0 });
  });

  it('are counted by state exactly, whatever changes them', async () => {
    const campaign = await newCampaign();
    const id = campaign.split('/').at(-1);
    await upload(campaign, `phone_number\n${numbers(0, 100).join('\n')}`);
    const change = (set: string, rows: number): Promise<unknown> =>
      api.dataSource.query(
        `UPDATE campaign_contacts SET ${set} WHERE id IN (SELECT id FROM campaign_contacts
           WHERE campaign_id = $1 AND state = 'pending' ORDER BY id LIMIT ${rows})`,
        [id],
      );
    await change(`state = 'done', result = 'reached', due_at = NULL, attempts = 2`, 10);
    await change(`state = 'waiting', attempts = 1`, 5);
    await change(`name = 'x'`, 20);
    await api.dataSource.query(`DELETE FROM campaign_contacts WHERE campaign_id = $1 AND state = 'waiting'`, [id]);
    expect((await api.get(`${campaign}/stats`)).body).toMatchObject({
      contacts: 95,
      states: { pending: 85, waiting: 0, calling: 0, done: 10 },
      results: { reached: 10, exhausted: 0, opted_out: 0, suppressed: 0, uncertain: 0, canceled: 0 },
      attempts: 20,
    });
  });
});
