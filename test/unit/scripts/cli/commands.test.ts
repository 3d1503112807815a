import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { errorOf, FakeApiServer } from '../../../fakes/fake-api-server';
import { commandLine } from '../../../support/command-line';
import type { CommandLineOptions, CommandLineResult } from '../../../support/command-line';

const KEY = 'tl_live_never_shown';
const AGENT = '01937f3e-6c10-7f33-8a44-91b1a2c3d402';
const TRUNK = '01937f3e-7a55-7abc-b0c1-5e6f70819203';
const CALL = '01937f40-1111-7222-8333-444455556666';
const agent = { id: AGENT, name: 'Support', type: 'inbound', phone_number: null, language: ['en', 'de'] };
const number = { id: TRUNK, phone_number: '+15551234567', status: 'verified', method: 'attest', phone_agent_id: AGENT };

describe('the command line', () => {
  let api: FakeApiServer;

  beforeEach(async () => {
    api = await FakeApiServer.start();
  });

  afterEach(() => api.stop());

  async function run(args: readonly string[], options: CommandLineOptions = {}): Promise<CommandLineResult> {
    const env = { TRUNKLINE_URL: api.url, TRUNKLINE_API_KEY: KEY, ...options.env };
    const result = await commandLine(args, { ...options, env });
    expect(result.stdout + result.stderr).not.toContain(KEY);
    return result;
  }

  const asked = (): string[] => api.requests.map(({ method, path }) => `${method} ${path}`);

  describe('lists', () => {
    test('as a table for people, with the key in its header', async () => {
      api.on('GET /phone', [agent]);
      const { code, stdout, stderr } = await run(['agents']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toBe(
        'ID                                    NAME     TYPE     NUMBER  LANGUAGE\n' +
          `${AGENT}  Support  inbound  -       en, de\n`,
      );
      expect(api.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    });

    test.each([[['--json', 'agents']], [['agents', 'list', '--json']]])('as the API answers: %j', async (args) => {
      api.on('GET /phone', [agent]);
      expect(JSON.parse((await run(args)).stdout)).toEqual([agent]);
    });

    test('that are empty say so beside the output', async () => {
      api.on('GET /phone', []);
      expect(await run(['agents'])).toEqual({ code: 0, stdout: '', stderr: 'none\n' });
    });

    test('in pages: one, or all by their cursors', async () => {
      const other = { ...number, phone_number: '+15557654321' };
      api.routes.set('GET /phone/numbers', (_, url) => {
        const second = url.searchParams.get('cursor') === 'abc';
        return { body: second ? { items: [other], next: null } : { items: [number], next: 'abc' } };
      });
      const first = await run(['numbers', '--limit', '1']);
      expect(first.stdout).toContain('+15551234567');
      expect(first.stdout).not.toContain('+15557654321');
      expect(first.stderr).toContain('--cursor abc');
      expect(asked()).toEqual(['GET /phone/numbers?limit=1']);
      const all = await run(['numbers', '--all', '--json']);
      expect(JSON.parse(all.stdout)).toEqual({ items: [number, other], next: null });
      expect(asked().slice(1)).toEqual(['GET /phone/numbers?limit=100', 'GET /phone/numbers?limit=100&cursor=abc']);
    });

    test('in more pages than a key may ask for wait as they are told', async () => {
      const waits: number[] = [];
      const sleep = (ms: number): Promise<void> => Promise.resolve(void waits.push(ms));
      api.routes.set('GET /phone/numbers', () =>
        waits.length === 0
          ? { status: 429, headers: { 'retry-after': '7' }, body: errorOf(429, 'rate_limited', 'Too many requests') }
          : { body: { items: [number], next: null } },
      );
      expect((await run(['numbers', '--all'], { sleep })).code).toBe(0);
      expect(waits).toEqual([7_000]);
    });

    test('of calls take filters, the agent by its name', async () => {
      api.on('GET /phone', [agent]);
      api.on('GET /phone/calls', { items: [], next: null });
      const filters = ['--status', 'completed', '--agent', 'Support', '--number', '+15551234567'];
      expect((await run(['calls', ...filters])).code).toBe(0);
      expect(asked()[1]).toBe(`GET /phone/calls?status=completed&phone_agent_id=${AGENT}&phone_number=%2B15551234567`);
    });
  });

  describe('requests', () => {
    test('take their body from --data, options win over it', async () => {
      api.on('POST /phone', agent);
      const data = JSON.stringify({ name: 'Other', interruptible: false });
      const options = ['--name', 'Support', '--language', 'en', '--language', 'de'];
      expect((await run(['agents', 'create', '--data', '-', ...options], { stdin: data })).code).toBe(0);
      expect(api.requests[0]?.body).toEqual({ name: 'Support', interruptible: false, language: ['en', 'de'] });
    });

    test('take a password from a file, and never quote what cannot be read', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'trunkline-cli-'));
      const file = join(folder, 'password');
      writeFileSync(file, 'sesame\n');
      api.on('POST /phone/sip/outbound-trunks', { id: TRUNK, name: 'Carrier' });
      const create = ['trunks', 'outbound', 'create', '--name', 'Carrier'];
      const made = await run([...create, '--password-file', file]);
      expect(api.requests[0]?.body).toEqual({ name: 'Carrier', password: 'sesame' });
      const broken = await run([...create, '--data', '{"password": "sesame" oops']);
      expect([made.code, broken.code]).toEqual([0, 2]);
      expect(made.stdout + made.stderr + broken.stdout + broken.stderr).not.toContain('sesame');
      rmSync(folder, { recursive: true });
    });

    test('that replace all an agent has need a word for none', async () => {
      api.on('GET /phone/numbers', { items: [number], next: null });
      api.on(`PUT /phone/sip/agents/${AGENT}/inbound-numbers`, {});
      const set = ['agents', 'set-numbers', AGENT];
      const codes = [await run(set), await run([...set, '+15551234567', '--none'])].map(({ code }) => code);
      expect([...codes, asked()]).toEqual([2, 2, []]);
      await run([...set, '+15551234567']);
      await run([...set, '--none']);
      const bodies = api.requests.filter(({ method }) => method === 'PUT').map(({ body }) => body);
      expect(bodies).toEqual([{ phone_number_ids: [TRUNK] }, { phone_number_ids: [] }]);
    });

    test('name an agent by what only one is called', async () => {
      api.on('GET /phone', [agent, { ...agent, id: TRUNK, name: 'Twice' }, { ...agent, id: CALL, name: 'Twice' }]);
      api.on(`GET /phone/${AGENT}`, agent);
      expect((await run(['agents', 'show', 'Support'])).stdout).toContain(`id            ${AGENT}`);
      const twice = await run(['agents', 'show', 'Twice']);
      expect([twice.code, twice.stderr.includes(TRUNK)]).toEqual([2, true]);
      const nobody = await run(['agents', 'show', 'Nobody']);
      expect(nobody).toMatchObject({ code: 1, stderr: 'error: No agent is called "Nobody" (agent_not_found)\n' });
    });

    test('tell warnings beside the answer', async () => {
      const warnings = [{ path: 'voice_id', message: 'No such voice' }];
      api.on(`PATCH /phone/${AGENT}`, { ...agent, warnings });
      const { stdout, stderr } = await run(['agents', 'update', AGENT, '--voice', 'none']);
      expect(stdout).not.toContain('No such voice');
      expect(stderr).toBe('warning: voice_id: No such voice\n');
    });
  });

  describe("the inbound trunk's password", () => {
    const trunk = { id: TRUNK, sip_endpoint: 'sip.example.com', auth_password: 'sesame', created_at: 'now' };

    test.each([
      ['trunks'],
      ['trunks', 'inbound'],
      ['trunks', 'inbound', 'create'],
      ['trunks', 'inbound', 'show', '--json'],
    ])('is not shown unasked: %s %s %s %s', async (...args) => {
      api.on('GET /phone/sip/inbound-trunk', trunk);
      api.on('POST /phone/sip/inbound-trunk', trunk);
      api.on('GET /phone/sip/outbound-trunks', []);
      const words = args.filter((word) => word !== undefined);
      const { code, stdout } = await run(words);
      expect([code, stdout.includes('sip.example.com'), stdout.includes('sesame')]).toEqual([0, true, false]);
    });

    test('the health of outbound ones stands beside them, of those that are there', async () => {
      const carriers = [TRUNK, CALL].map((id, n) => ({ id, name: `Carrier ${n}`, created_at: 'now' }));
      api.on('GET /phone/sip/inbound-trunk', errorOf(404, 'inbound_trunk_not_found', 'None'), 404);
      api.on('GET /phone/sip/outbound-trunks', carriers);
      api.on(`GET /phone/sip/outbound-trunks/${TRUNK}`, { ...carriers[0], health: { state: 'degraded' } });
      api.on(`GET /phone/sip/outbound-trunks/${CALL}`, errorOf(404, 'outbound_trunk_not_found', 'Gone'), 404);
      const lines = (await run(['trunks'])).stdout.split('\n').map((line) => line.split(/ {2,}/).at(-1));
      expect(lines).toEqual(['HEALTH', 'degraded', '-', '']);
    });

    test('is shown when it is asked for', async () => {
      api.on('GET /phone/sip/inbound-trunk', trunk);
      expect((await run(['trunks', 'inbound', '--show-password'])).stdout).toContain('sesame');
    });

    test('there is none where there is no trunk', async () => {
      api.on('GET /phone/sip/inbound-trunk', errorOf(404, 'inbound_trunk_not_found', 'None'), 404);
      api.on('GET /phone/sip/outbound-trunks', []);
      expect(JSON.parse((await run(['trunks', '--json'])).stdout)).toEqual({ inbound: null, outbound: [] });
      expect((await run(['trunks', 'inbound'])).code).toBe(1);
    });
  });

  describe('failures', () => {
    const issues = [{ path: 'phone_number', message: 'Must be a phone number' }];
    const refusal = errorOf(400, 'validation_failed', 'The request is not valid', { issues, hint: 'x' });

    test('of the API in plain words', async () => {
      api.on('POST /phone/numbers', refusal, 400);
      expect(await run(['numbers', 'create', '12'])).toEqual({
        code: 1,
        stdout: '',
        stderr:
          'error: The request is not valid (400 validation_failed)\n' +
          '  phone_number: Must be a phone number\n  hint: x\n  request id: req-1\n',
      });
    });

    test('as JSON', async () => {
      api.on('POST /phone/numbers', refusal, 400);
      const { code, stdout, stderr } = await run(['numbers', 'create', '12', '--json']);
      expect([code, stdout, JSON.parse(stderr)]).toEqual([1, '', { ...refusal, exitCode: 1 }]);
    });

    test.each([
      [['nothing-like-it']],
      [['agents', 'shwo']],
      [['agents', '--bogus']],
      [['calls', '--limit', 'many']],
      [['call', '+15551234567']],
      [['call', '+15551234567', '--agent', AGENT, '--variable', 'novalue']],
      [['call', '+15551234567', '--agent', AGENT, '--idempotency-key', 'two\nlines']],
      [['agents', 'create', '--data', '[]']],
      [['agents', 'create', '--data', '@/nowhere/at/all']],
    ])('of usage send nothing: %j', async (args) => {
      const { code, stdout, stderr } = await run(args);
      expect([code, stdout, asked()]).toEqual([2, '', []]);
      expect(stderr).toMatch(/^error: /);
      expect(JSON.parse((await run([...args, '--json'])).stderr)).toMatchObject({ code: 'usage', exitCode: 2 });
    });

    test('of the environment', async () => {
      const { code, stderr } = await run(['agents'], { env: { TRUNKLINE_URL: 'ftp://host' } });
      expect([code, stderr]).toEqual([2, expect.stringContaining('\n  TRUNKLINE_URL: ')]);
    });

    test('without an answer, and without a key', async () => {
      await api.stop();
      const { code, stderr } = await run(['agents']);
      expect([code, stderr]).toEqual([3, expect.stringMatching(/does not answer: ECONNREFUSED \(unreachable\)/)]);
      const noKey = await run(['agents', '--json'], { env: { TRUNKLINE_API_KEY: '', DATA_DIR: '/nowhere' } });
      expect([noKey.code, JSON.parse(noKey.stderr)]).toEqual([3, expect.objectContaining({ code: 'no_api_key' })]);
    });

    test('of something else than a Trunkline API, to which the key does not follow a redirect', async () => {
      const other = await FakeApiServer.start();
      api.routes.set('GET /phone', () => ({ status: 302, headers: { location: `${other.url}/phone` }, body: '' }));
      expect((await run(['agents'])).code).toBe(3);
      expect(other.requests).toEqual([]);
      api.on('GET /phone', '<html>hello</html>');
      expect((await run(['agents'])).stderr).toContain('not as a Trunkline API does');
      await other.stop();
    });
  });

  describe('on a terminal', () => {
    test.each<[string, boolean, NodeJS.ProcessEnv, boolean, boolean]>([
      ['a terminal', true, {}, true, true],
      ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false, true],
      ['a dumb terminal', true, { TERM: 'dumb' }, false, false],
      ['no terminal', false, {}, false, false],
    ])('%s', async (_, terminal, env, bold, spinner) => {
      api.on('GET /phone', [agent]);
      const list = await run(['agents'], { terminal, env });
      expect(list.stdout.includes('\u001b[1m')).toBe(bold);
      /** Long enough for a spinner to be seen, however slow the machine is. */
      const slow = async (_ms: number, stderr: () => string): Promise<void> => {
        await pause(500);
        while (spinner && !stderr().includes('⠋')) await pause(20);
      };
      const events = [{ id: 'workflow:1', at: '2026-11-24T09:30:00.000Z', type: 'call.ended', data: {} }];
      let asks = 0;
      api.routes.set(`GET /phone/calls/${CALL}/events`, () => ({
        body: { items: asks++ === 0 ? [] : events, next: null },
      }));
      const logs = await run(['logs', CALL], { terminal, env, sleep: slow });
      expect(logs.stderr.includes('⠋')).toBe(spinner);
      expect(logs.stderr === '').toBe(!spinner);
      // Nothing of it stays.
      expect(logs.stderr.endsWith(spinner ? '\r\u001b[K' : '')).toBe(true);
      expect(logs.stdout).toBe('09:30:00.000  call.ended\n');
    });
  });

  test('help is an answer, and no command at all is not', async () => {
    const help = await commandLine(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toMatch(/Exit codes:\n {2}0 /);
    const nothing = await commandLine([]);
    expect([nothing.code, nothing.stdout]).toEqual([2, '']);
    expect(nothing.stderr).toContain('Usage: trunkline');
    expect((await commandLine(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
