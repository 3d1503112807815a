import { FakeApiServer } from '../../../fakes/fake-api-server';
import { commandLine } from '../../../support/command-line';
import type { CommandLineResult } from '../../../support/command-line';

const ID = '01937f3e-6c10-7f33-8a44-91b1a2c3d402';
const OTHER = '01937f3e-7a55-7abc-b0c1-5e6f70819203';
const AT = '2026-11-24T09:00:00.000Z';
const SIP = '/phone/sip';
const agent = { id: ID, name: 'Support', type: 'inbound', phone_number: null, language: ['en'] };
const sales = { type: 'sip', value: 'sip:sales@pbx.example.com' };
const destination = { id: OTHER, name: 'Sales', ...sales, mode: 'auto', ring_timeout_seconds: 30 };
const trunk = { id: ID, name: 'Carrier', created_at: AT };
const inbound = { id: ID, sip_endpoint: 'sip.example.com', auth_password: 'sesame', created_at: AT };
const organisation = { id: ID, name: 'Example', suspended: false, created_at: AT };
const key = { id: ID, name: 'CRM', prefix: 'tl_live_', last4: 'wxyz', scopes: ['phone:read'], expires_at: AT };
const contact = { id: ID, name: null, phone_number: '+15559876543', email: 'ada@example.com', created_at: AT };
const change = { id: OTHER, at: AT, key_id: null, action: 'update', resource: 'agent', resource_id: ID, before: {} };
const steps = [
  { rule: 'header', matched: false, reason: 'No agent is named.' },
  { rule: 'number_assignment', matched: true, reason: 'The number is assigned.' },
];
const page = (item: object): object => ({ items: [item], next: null });

describe('the command line of what calls are provisioned with', () => {
  let api: FakeApiServer;

  beforeEach(async () => {
    api = await FakeApiServer.start();
    api.on('GET /phone', [agent]);
    api.on(`GET ${SIP}/transfer-destinations`, [destination]);
    api.on(`GET ${SIP}/agents/${ID}/transfer-destinations`, [destination]);
    api.on(`GET ${SIP}/outbound-trunks`, [trunk]);
    api.on('GET /phone/numbers', page({ id: ID, phone_number: '+15551234567' }));
    api.on('GET /contacts', page(contact));
    api.on('GET /api-keys', page(key));
    api.on('GET /orgs', page(organisation));
    api.on('GET /audit-log', page(change));
  });

  afterEach(() => api.stop());

  const run = (args: readonly string[], stdin = ''): Promise<CommandLineResult> =>
    commandLine(args, { env: { TRUNKLINE_URL: api.url, TRUNKLINE_API_KEY: 'tl_live_key' }, stdin });

  const DESTINATION_TABLE =
    'ID                                    NAME   TYPE  VALUE                      MODE  RINGS\n' +
    `${OTHER}  Sales  sip   sip:sales@pbx.example.com  auto  30s\n`;

  test.each([
    ['destinations', `${SIP}/transfer-destinations`, DESTINATION_TABLE],
    [
      'agents destinations Support',
      `${SIP}/agents/${ID}/transfer-destinations`,
      DESTINATION_TABLE.replace('RINGS\n', 'RINGS  KEY\n').replace(/30s\n$/, '30s    -\n'),
    ],
    [
      'contacts --updated-after 2026-11-24 --limit 5',
      '/contacts?updated_after=2026-11-24&limit=5',
      'ID                                    NAME  NUMBER        EMAIL            CREATED\n' +
        `${ID}  -     +15559876543  ada@example.com  ${AT}\n`,
    ],
    [
      'keys',
      '/api-keys',
      'ID                                    NAME  KEY            SCOPES      EXPIRES                   LAST USED  REVOKED\n' +
        `${ID}  CRM   tl_live_…wxyz  phone:read  ${AT}  -          -\n`,
    ],
    [
      'orgs',
      '/orgs',
      'ID                                    NAME     SUSPENDED  CREATED\n' + `${ID}  Example  false      ${AT}\n`,
    ],
    [
      'audit --resource agent --action update --after 2026-11-24',
      '/audit-log?resource=agent&action=update&created_after=2026-11-24',
      'AT                        ACTION  RESOURCE  ID                                    KEY\n' +
        `${AT}  update  agent     ${ID}  -\n`,
    ],
  ])('lists: %s', async (line, path, stdout) => {
    expect(await run(line.split(' '))).toEqual({ code: 0, stdout, stderr: '' });
    expect(api.requests.at(-1)?.path).toBe(path);
  });

  test.each<[string, string, object | null]>([
    [
      `destinations create --name Sales --type sip --value ${sales.value} --ring-timeout 20 --mode refer`,
      `POST ${SIP}/transfer-destinations`,
      { name: 'Sales', ...sales, ring_timeout_seconds: 20, mode: 'refer' },
    ],
    ['destinations update Sales --announce Hi', `PUT ${SIP}/transfer-destinations/${OTHER}`, { announce: 'Hi' }],
    ['destinations delete Sales', `DELETE ${SIP}/transfer-destinations/${OTHER}`, null],
    [
      'agents destinations assign Support Sales',
      `POST ${SIP}/agents/${ID}/transfer-destinations`,
      { destination_id: OTHER },
    ],
    [
      'agents destinations assign Support Sales --key 3',
      `POST ${SIP}/agents/${ID}/transfer-destinations`,
      { destination_id: OTHER, keypad: '3' },
    ],
    [
      `agents destinations create Support --name Sales --type sip --value ${sales.value}`,
      `POST ${SIP}/agents/${ID}/transfer-destinations`,
      { create: { name: 'Sales', ...sales } },
    ],
    ['agents destinations unassign Support Sales', `DELETE ${SIP}/agents/${ID}/transfer-destinations/${OTHER}`, null],
    ['trunks inbound create --no-krisp', `POST ${SIP}/inbound-trunk`, { krisp_enabled: false }],
    ['trunks inbound update --media-timeout 60', `PATCH ${SIP}/inbound-trunk`, { media_timeout_seconds: 60 }],
    ['trunks inbound update --dtmf-mode info', `PATCH ${SIP}/inbound-trunk`, { dtmf_mode: 'info' }],
    [
      `calls supervise ${ID} ${sales.value}`,
      `POST /phone/calls/${ID}/supervise`,
      { destination: sales.value, mode: 'listen' },
    ],
    [
      `calls supervise ${ID} +15551234567 --mode barge`,
      `POST /phone/calls/${ID}/supervise`,
      { destination: '+15551234567', mode: 'barge' },
    ],
    [`calls unsupervise ${ID}`, `DELETE /phone/calls/${ID}/supervise`, null],
    ['trunks inbound update --krisp', `PATCH ${SIP}/inbound-trunk`, { krisp_enabled: true }],
    [
      'trunks inbound numbers add +15551234567 +15557654321',
      `POST ${SIP}/inbound-trunk/phone-numbers`,
      { phone_numbers: ['+15551234567', '+15557654321'] },
    ],
    ['trunks inbound numbers remove +15551234567', `DELETE ${SIP}/inbound-trunk/phone-numbers/%2B15551234567`, null],
    ['trunks inbound sync', `POST ${SIP}/inbound-trunk/sync`, null],
    ['trunks outbound update Carrier --port 5080', `PATCH ${SIP}/outbound-trunks/${ID}`, { port: 5080 }],
    ['trunks outbound rename Carrier Other', `PUT ${SIP}/outbound-trunks/${ID}`, { name: 'Other' }],
    ['trunks outbound delete Carrier --force', `DELETE ${SIP}/outbound-trunks/${ID}?force=true`, null],
    [`contacts show ${ID}`, `GET /contacts/${ID}`, null],
    [
      'contacts create --name Ada --phone +15559876543 --custom plan=gold',
      'POST /contacts',
      { contact: { name: 'Ada', phone: '+15559876543', custom_data: { plan: 'gold' } } },
    ],
    [`contacts update ${ID} --email a@b.example`, `PATCH /contacts/${ID}`, { contact: { email: 'a@b.example' } }],
    ['contacts delete ../phone', 'DELETE /contacts/..%2Fphone', null],
    [
      'keys create --name CRM --scope phone:write --scope sip:read',
      'POST /api-keys',
      { name: 'CRM', scopes: ['phone:write', 'sip:read'] },
    ],
    [
      `keys create --name All --scope full --expires ${AT}`,
      'POST /api-keys',
      { name: 'All', scopes: 'full', expires_at: AT },
    ],
    [`keys revoke ${ID}`, `DELETE /api-keys/${ID}`, null],
    ['numbers add +15551234567', 'POST /phone/numbers', { phone_number: '+15551234567' }],
    [
      'numbers add +15551234567 --method outbound_code --trunk Carrier',
      'POST /phone/numbers',
      { phone_number: '+15551234567', method: 'outbound_code', trunk_id: ID },
    ],
    ['numbers confirm +15551234567 481516', `POST /phone/numbers/${ID}/confirm`, { code: '481516' }],
    ['orgs show Example', `GET /orgs/${ID}`, null],
    [
      'orgs create --name Third --daily-minutes 90 --country US --country DE',
      'POST /orgs',
      { name: 'Third', limits: { daily_minutes: 90, allowed_countries: ['US', 'DE'] } },
    ],
    ['orgs update Example --suspend', `PATCH /orgs/${ID}`, { suspended: true }],
    ['orgs update Example --no-suspend', `PATCH /orgs/${ID}`, { suspended: false }],
    ['orgs delete Example --force', `DELETE /orgs/${ID}?force=true`, null],
  ])('asks what is meant: %s', async (line, request, body) => {
    api.on(request.replace(/\?.*/, ''), { id: OTHER });
    const { code, stdout } = await run(line.split(' '));
    const asked = api.requests.at(-1);
    expect([`${asked?.method} ${asked?.path}`, asked?.body]).toEqual([request, body ?? undefined]);
    expect([code, stdout]).toEqual([0, `id  ${OTHER}\n`]);
  });

  test('options win over --data within what is nested, and leave the rest of it', async () => {
    api.on('POST /orgs', { id: ID });
    const data = { name: 'First', limits: { daily_minutes: null, concurrent_calls: 5 } };
    await run(['orgs', 'create', '--data', '-', '--concurrent-calls', '9'], JSON.stringify(data));
    expect(api.requests[0]?.body).toEqual({ name: 'First', limits: { daily_minutes: null, concurrent_calls: 9 } });
  });

  test.each([
    [['destinations', 'create'], `POST ${SIP}/transfer-destinations`, { password: 'sesame' }],
    [
      ['agents', 'destinations', 'create', ID],
      `POST ${SIP}/agents/${ID}/transfer-destinations`,
      { create: { password: 'sesame' } },
    ],
    [['trunks', 'outbound', 'update', ID], `PATCH ${SIP}/outbound-trunks/${ID}`, { password: 'sesame' }],
  ])('a password comes from a file or stdin: %j', async (words, route, body) => {
    api.on(route, { id: ID, has_password: true });
    const { code, stdout, stderr } = await run([...words, '--password-file', '-'], 'sesame\n');
    expect([code, api.requests[0]?.body, stdout + stderr]).toEqual([0, body, expect.not.stringContaining('sesame')]);
    expect(await run([...words, '--password', 'sesame'])).toMatchObject({ code: 2, stdout: '' });
  });

  test.each([
    ['trunks inbound update --krisp', `PATCH ${SIP}/inbound-trunk`],
    ['trunks inbound numbers add +15551234567', `POST ${SIP}/inbound-trunk/phone-numbers`],
    ['trunks inbound numbers remove +15551234567', `DELETE ${SIP}/inbound-trunk/phone-numbers/%2B15551234567`],
    ['trunks inbound sync', `POST ${SIP}/inbound-trunk/sync`],
  ])('the password of the inbound trunk is shown when it is asked for alone: %s', async (line, route) => {
    api.on(route, inbound);
    const shown: boolean[] = [];
    for (const more of [[], ['--json'], ['--show-password']]) {
      shown.push((await run([...line.split(' '), ...more])).stdout.includes('sesame'));
    }
    expect(shown).toEqual([false, false, true]);
  });

  test.each([
    ['keys create --name CRM', 'POST /api-keys', { id: ID, key: 'tl_live_once' }],
    ['orgs create --name Third', 'POST /orgs', { id: ID, api_key: 'tl_live_once' }],
  ])('a key is shown, and that it is this once: %s', async (line, route, body) => {
    api.on(route, body);
    const { stdout, stderr } = await run(line.split(' '));
    expect(stdout).toMatch(/key +tl_live_once\n/);
    expect(stderr).toMatch(/^the key is shown this once/);
    expect(JSON.parse((await run([...line.split(' '), '--json'])).stdout)).toEqual(body);
  });

  test.each([
    ['trunks inbound', `GET ${SIP}/inbound-trunk`, inbound],
    ['trunks', `GET ${SIP}/inbound-trunk`, inbound],
    ['trunks inbound sync', `POST ${SIP}/inbound-trunk/sync`, inbound],
    ['trunks inbound delete', `DELETE ${SIP}/inbound-trunk`, { id: ID, deleted: true }],
    ['agents destinations assign Support Sales', `POST ${SIP}/agents/${ID}/transfer-destinations`, { id: ID }],
  ])('what an answer says of itself stands beside it, and in --json: %s', async (line, route, body) => {
    const remarks = { warnings: [{ path: 'value', message: 'Stored' }], propagating: true };
    api.on(route, { ...body, ...remarks });
    const { stdout, stderr } = await run(line.split(' '));
    expect(stdout).not.toMatch(/Stored|propagating/);
    expect(stderr).toBe('warning: value: Stored\npropagating: not every media node acts on it yet\n');
    const json = await run([...line.split(' '), '--json']);
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout)).toMatchObject(line === 'trunks' ? { inbound: remarks } : remarks);
  });

  const STEPS_TABLE =
    'RULE               MATCHED  REASON\n' +
    'header             no       No agent is named.\n' +
    'number_assignment  yes      The number is assigned.\n';

  test('a route preview tells the agent and the steps to it', async () => {
    const decision = { agent_id: ID, rule: 'number_assignment', sip_status: null };
    api.on(`POST ${SIP}/inbound-trunk/route-preview`, { steps, ...decision });
    const words = ['trunks', 'inbound', 'route-preview', '5551234567', '--header', `X-OPENCX-AGENT-ID=${OTHER}`];
    const { code, stdout, stderr } = await run(words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`agent_id    ${ID}\nrule        number_assignment\nsip_status  -\n\n${STEPS_TABLE}`);
    expect(api.requests[0]?.body).toEqual({ dialed_number: '5551234567', headers: { 'X-OPENCX-AGENT-ID': OTHER } });
    expect(JSON.parse((await run([...words, '--json'])).stdout)).toEqual({ steps, ...decision });
  });

  const CHECKED = {
    ok: false,
    node: 'media-1',
    call_id: null,
    steps: [
      { step: 'dns', ok: true, duration_ms: 12.4, detail: 'Found.', cause: null, remedy: null },
      { step: 'transport', ok: false, duration_ms: 30, detail: 'Refused.', cause: 'Closed.', remedy: 'Open it.' },
      { step: 'options', ok: null, duration_ms: null, detail: 'Not sent.', cause: null, remedy: null },
    ],
  };
  const CHECK_TABLE =
    'OK  STEP       TIME   DETAIL, CAUSE, REMEDY\n' +
    '✓   dns        12 ms  Found.\n' +
    '✗   transport  30 ms  Refused.\n' +
    '                      cause: Closed.\n' +
    '                      remedy: Open it.\n' +
    '–   options    –      Not sent.\n';

  test.each([
    ['trunks check', 'inbound-trunk/check', undefined],
    ['trunks check Carrier', `outbound-trunks/${ID}/check`, {}],
    ['trunks check Carrier --test-number +15559876543', `outbound-trunks/${ID}/check`, { test_number: '+15559876543' }],
  ])('%s tells each step, and by its exit code that the trunk does not work', async (line, path, body) => {
    api.on(`POST ${SIP}/${path}`, CHECKED);
    const { code, stdout, stderr } = await run(line.split(' '));
    expect([code, stdout]).toEqual([1, CHECK_TABLE]);
    expect(stderr).toBe('The trunk does not work: see ✗. Looked at by media-1.\n');
    expect(api.requests.at(-1)?.body).toEqual(body);
    const json = await run([...line.split(' '), '--json']);
    expect([json.code, json.stderr, JSON.parse(json.stdout)]).toEqual([1, '', CHECKED]);
  });

  test.each([
    [true, 0],
    [null, 1],
  ])('a trunk that is found to work, or of which nothing is known: %s', async (ok, code) => {
    api.on(`POST ${SIP}/inbound-trunk/check`, { ...CHECKED, ok });
    expect((await run(['trunks', 'check'])).code).toBe(code);
  });

  test('a test call belongs to an outbound trunk; its record is named', async () => {
    expect((await run(['trunks', 'check', '--test-number', '+15559876543'])).code).toBe(2);
    api.on(`POST ${SIP}/outbound-trunks/${ID}/check`, { ...CHECKED, call_id: OTHER });
    const { stderr } = await run(['trunks', 'check', 'Carrier', '--test-number', '+15559876543']);
    expect(stderr).toContain(`trunkline calls show ${OTHER}`);
  });

  test('a call tells why its agent answered', async () => {
    const call = { id: OTHER, routing: { steps, agent_id: ID } };
    api.on(`GET /phone/calls/${OTHER}`, call);
    const show = ['calls', 'show', OTHER];
    expect((await run(show)).stdout).toBe(`id                ${OTHER}\nrouting.agent_id  ${ID}\n\n${STEPS_TABLE}`);
    expect(JSON.parse((await run([...show, '--json'])).stdout)).toEqual(call);
    api.on(`GET /phone/calls/${OTHER}`, { id: OTHER, routing: null });
    expect((await run(show)).stdout).toBe(`id       ${OTHER}\nrouting  -\n`);
  });
});
