import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PROJECT_ROOT } from '../../scripts/project-root';
import { CALLER_NUMBER, newNumber, TRUNK_PASSWORD, TRUNK_USERNAME } from '../support/outbound';
import { hasSipp } from '../support/sipp';
import { SippCarrier } from '../support/sipp-carrier';
import { Stack } from '../support/stack';
import { waitFor } from '../support/wait-for';

const MAIN = join(PROJECT_ROOT, 'dist', 'scripts', 'cli', 'main.js');

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Identified {
  readonly id: string;
  readonly type: string;
}

const describeWithSipp = hasSipp() ? describe : describe.skip;

describeWithSipp('the built command line against the whole product', () => {
  let stack: Stack;
  const carriers: SippCarrier[] = [];

  beforeAll(async () => {
    stack = await Stack.start();
  }, 90_000);

  afterAll(async () => {
    await Promise.all(carriers.map((carrier) => carrier.stop()));
    await stack?.stop();
  }, 60_000);

  const env = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATA_DIR: stack.dataDir,
    API_PORT: new URL(stack.apiUrl).port,
  });

  /** In a folder without `.env`, as a user does; an unhandled EPIPE or rejection would show on stderr. */
  function start(command: string, args: readonly string[], stdin = ''): { seen: string; finished: Promise<Finished> } {
    const child = spawn(command, args, { cwd: stack.dataDir, env: env() });
    const running = { seen: '', finished: Promise.resolve<Finished>({ code: null, stdout: '', stderr: '' }) };
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (running.seen += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.end(stdin);
    running.finished = new Promise((resolve) =>
      child.once('close', (code) => resolve({ code, stdout: running.seen, stderr })),
    );
    return running;
  }

  const trunkline = (args: readonly string[], stdin?: string): Promise<Finished> =>
    start(process.execPath, [MAIN, ...args], stdin).finished;

  async function carrierOf(options: Parameters<typeof SippCarrier.start>[0]): Promise<SippCarrier> {
    const carrier = await SippCarrier.start(options);
    carriers.push(carrier);
    return carrier;
  }

  async function createTrunk(name: string, port: number): Promise<void> {
    const words = ['--name', name, '--host', '127.0.0.1', '--port', String(port), '--username', TRUNK_USERNAME];
    const more = ['--caller-number', CALLER_NUMBER, '--password-file', '-'];
    const made = await trunkline(['trunks', 'outbound', 'create', ...words, ...more], `${TRUNK_PASSWORD}\n`);
    expect([made.code, made.stderr]).toEqual([0, '']);
  }

  test('from an agent to a call that was answered, its record and its log', async () => {
    expect(await trunkline(['agents'])).toEqual({ code: 0, stdout: '', stderr: 'none\n' });
    const words = ['--name', 'Caller', '--type', 'outbound', '--first-message', 'Hello, this is a test call.'];
    const agent = JSON.parse((await trunkline(['agents', 'create', ...words, '--json'])).stdout) as Identified;
    expect((await trunkline(['agents'])).stdout).toContain(`${agent.id}  Caller  outbound`);

    const keys = { username: TRUNK_USERNAME, password: TRUNK_PASSWORD };
    const challenge = { challenge_status: '401', challenge_header: 'WWW-Authenticate' };
    const carrier = await carrierOf({
      scenario: 'carrier-challenge.xml',
      keys: { ...keys, ...challenge },
      pauseMs: 1_500,
    });
    await createTrunk('Carrier', carrier.port);
    expect((await trunkline(['agents', 'set-trunk', 'Caller', 'Carrier'])).stdout).toMatch(
      /outbound_trunk\.name +Carrier/,
    );

    const number = newNumber();
    const call = await trunkline(['call', number, '--agent', 'Caller', '--wait']);
    expect([call.code, call.stderr]).toEqual([0, '']);
    expect(call.stdout).toMatch(/sip +→ INVITE\n(.*\n)*.*answered .*\n(.*\n)*.*call\.ended .*disposition=answered/);
    expect(call.stdout).toMatch(/\nstatus +completed\n/);
    expect(carrier.invites(number)).toHaveLength(2);

    const listed = await trunkline(['calls', '--number', number, '--json']);
    const [record] = (JSON.parse(listed.stdout) as { items: readonly Identified[] }).items;
    const logs = await trunkline(['logs', record?.id ?? '', '--json']);
    const events = logs.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Identified);
    expect([logs.code, events.filter(({ type }) => type === 'call.ended').length]).toEqual([0, 1]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  }, 60_000);

  test('a destination that an agent gets, and who would answer a call', async () => {
    const made = await trunkline(['agents', 'create', '--name', 'Reception', '--json']);
    const { id } = JSON.parse(made.stdout) as Identified;
    const words = ['--name', 'Sales', '--type', 'phone', '--value', '+15559999999'];
    expect((await trunkline(['destinations', 'create', ...words])).code).toBe(0);
    expect((await trunkline(['agents', 'destinations', 'assign', 'Reception', 'Sales'])).code).toBe(0);
    expect((await trunkline(['agents', 'destinations', 'Reception'])).stdout).toMatch(/ Sales +phone +\+15559999999 /);

    const number = newNumber();
    expect((await trunkline(['trunks', 'inbound', 'create', '--number', number])).code).toBe(0);
    expect((await trunkline(['agents', 'set-numbers', 'Reception', number])).code).toBe(0);
    const preview = await trunkline(['trunks', 'inbound', 'route-preview', number.slice(1)]);
    expect([preview.code, preview.stderr]).toEqual([0, '']);
    expect(preview.stdout).toMatch(new RegExp(`^agent_id +${id}$`, 'm'));
    expect(preview.stdout).toMatch(/^header +no .*\nnumber_assignment +yes /m);
  }, 60_000);

  test('a busy number, and a call that is hung up while its log is followed, through head as well', async () => {
    const busy = await carrierOf({ scenario: 'carrier-final.xml', keys: { status: '486', phrase: 'Busy Here' } });
    await createTrunk('Busy', busy.port);
    await trunkline(['agents', 'create', '--name', 'Second']);
    const refused = await trunkline(['call', newNumber(), '--agent', 'Second', '--trunk', 'Busy', '--wait', '--json']);
    expect([refused.code, JSON.parse(refused.stdout)]).toEqual([4, expect.objectContaining({ disposition: 'busy' })]);

    const answering = await carrierOf({ scenario: 'carrier-answer.xml' });
    await createTrunk('Answering', answering.port);
    const place = ['call', newNumber(), '--agent', 'Second', '--trunk', 'Answering', '--json'];
    const { id } = JSON.parse((await trunkline(place)).stdout) as Identified;
    const logs = start(process.execPath, [MAIN, 'logs', id]);
    const head = start('sh', ['-c', `'${process.execPath}' '${MAIN}' logs ${id} | head -n 1`]);
    await waitFor('the answer in the log', 15_000, () => (/ answered /.test(logs.seen) ? true : undefined));
    expect((await trunkline(['calls', 'hangup', id])).code).toBe(0);
    const followed = await logs.finished;
    expect([followed.code, followed.stderr]).toEqual([0, '']);
    expect(followed.stdout).toMatch(/call\.ended +.*end_reason=api_hangup/);
    const first = await head.finished;
    expect([first.code, first.stderr, first.stdout.trim().split('\n').length]).toEqual([0, '', 1]);
  }, 60_000);

  test('a number that is none is refused in words', async () => {
    const { code, stderr } = await trunkline(['numbers', 'create', 'nothing']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: .*\(400 validation_failed\)\n {2}phone_number: /),
    ]);
  });
});

describe('`npx trunkline`', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'trunkline-npx-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function npx(root: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const env = { ...process.env, npm_config_cache: join(folder, 'cache'), npm_config_offline: 'true' };
    return spawnSync('npx', ['trunkline', '--version'], { cwd: root, env, encoding: 'utf8' });
  }

  test('in the checkout runs what was built', () => {
    const { stdout, stderr } = npx(PROJECT_ROOT);
    expect(stdout === '' ? stderr : stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('asked for before the first build says so, and runs after it, and after the next one', () => {
    const clone = join(folder, 'clone');
    mkdirSync(join(clone, 'scripts'), { recursive: true });
    cpSync(join(PROJECT_ROOT, 'package.json'), join(clone, 'package.json'));
    cpSync(join(PROJECT_ROOT, 'scripts', 'trunkline.mjs'), join(clone, 'scripts', 'trunkline.mjs'));
    expect(npx(clone)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('npm run build') });
    const dist = join(clone, 'dist');
    for (const build of ['first', 'second']) {
      rmSync(dist, { recursive: true, force: true });
      mkdirSync(join(dist, 'scripts', 'cli'), { recursive: true });
      writeFileSync(join(dist, 'scripts', 'cli', 'main.js'), `console.log('${build}')`);
      expect(npx(clone)).toMatchObject({ status: 0, stdout: `${build}\n` });
    }
  });
});
