import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isAlive } from '../../../scripts/process/pid-file';
import { findTemporal } from '../../../scripts/temporal/executable';
import { temporalArguments } from '../../../scripts/temporal/command-line';
import { TemporalServer } from '../../../scripts/temporal/temporal-server';
import { createTemporalClient } from '../../../ops/temporal-client';
import type { TemporalClient } from '../../../ops/temporal-client';
import { SEARCH_ATTRIBUTES } from '../../../workflows/ids';

describe('the embedded Temporal server', () => {
  let folder: string;
  let executable: string;
  let servers: TemporalServer[];
  let clients: TemporalClient[];

  const server = (name = 'data'): TemporalServer => {
    const base = 12_000 + Math.floor(Math.random() * 400);
    const made = new TemporalServer({
      executable,
      dataDir: join(folder, name),
      basePort: base,
      baseUiPort: base + 500,
    });
    servers.push(made);
    return made;
  };

  const client = (of: TemporalServer): TemporalClient => {
    const made = createTemporalClient({ address: of.address, namespace: 'default' });
    clients.push(made);
    return made;
  };

  beforeAll(async () => {
    executable = await findTemporal({ cliPath: process.env['TEMPORAL_CLI_PATH'], progress: () => undefined });
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline temporal-'));
    servers = [];
    clients = [];
  });

  afterEach(async () => {
    for (const open of clients) await open.close();
    await Promise.all(servers.map((running) => running.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('serves the search attributes and keeps closed workflows for three days', async () => {
    const running = server();
    await running.start();
    const { connection } = client(running);
    const described = await connection.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(described.config?.workflowExecutionRetentionTtl?.seconds)).toBe(72 * 3600);
    const attributes = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
    expect(Object.keys(attributes.customAttributes ?? {}).sort((a, b) => a.localeCompare(b))).toEqual(
      [...SEARCH_ATTRIBUTES].sort((a, b) => a.localeCompare(b)),
    );
  });

  test('killed with -9 it comes back on the same ports with its workflows', async () => {
    const running = server();
    await running.start();
    const { address, uiUrl } = running;
    const { client: before } = client(running);
    await before.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody' });
    process.kill(running.record?.pid ?? 0, 'SIGKILL');
    await running.start();
    expect(running).toMatchObject({ address, uiUrl });
    const described = await client(running).client.workflow.getHandle('kept').describe();
    expect(described.status.name).toBe('RUNNING');
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('none of our secrets is in its environment or among its arguments', async () => {
    process.env['SECRETS_KEY'] = 'only-for-our-own-processes';
    try {
      const running = server();
      await running.start();
      for (const file of ['environ', 'cmdline']) {
        const text = readFileSync(`/proc/${running.record?.pid}/${file}`, 'utf8');
        expect(text.length).toBeGreaterThan(0);
        expect(text).not.toContain('only-for-our-own-processes');
      }
    } finally {
      delete process.env['SECRETS_KEY'];
    }
  });

  test('a server that its starter left behind is taken over', async () => {
    const first = server();
    await first.start();
    const second = server();
    await second.start();
    expect(second.record?.pid).toBe(first.record?.pid);
    expect(second.address).toBe(first.address);
  });

  test('two started at once take different ports', async () => {
    const [one, two] = [server('one'), server('two')];
    await Promise.all([one.start(), two.start()]);
    expect(one.address).not.toBe(two.address);
    expect(one.record?.pid).not.toBe(two.record?.pid);
    await one.stop();
    await client(two).connection.workflowService.getSystemInfo({});
  });

  test('a stop leaves no process and no lock, and the next start has the same ports', async () => {
    const running = server();
    await running.start();
    const { address } = running;
    const record = running.record ?? { pid: 0, identity: '' };
    await running.stop();
    expect(isAlive(record)).toBe(false);
    expect(readdirSync(join(folder, 'data', 'run'))).toEqual([]);
    const next = server();
    await next.start();
    expect(next.address).toBe(address);
  });

  test('what keeps it from starting is in the error', async () => {
    executable = '/bin/false';
    await expect(server().start()).rejects.toThrow(/Temporal does not start/);
    executable = await findTemporal({ cliPath: undefined, progress: () => undefined });
  });
});

test('the tuned values are on the command line', () => {
  const line = temporalArguments({ port: 1, uiPort: 2, httpPort: 3 }, '/d/temporal.db').join(' ');
  for (const part of [
    'server start-dev --ip 127.0.0.1',
    '--port 1 --ui-port 2',
    '--db-filename /d/temporal.db',
    '--search-attribute MediaNodeId=Keyword',
    '--sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=normal',
    '--dynamic-config-value history.transferProcessorMaxPollRPS=1000',
    '--dynamic-config-value history.timerProcessorMaxPollRPS=1000',
    '--dynamic-config-value history.timerProcessorMaxTimeShift="10ms"',
    '--dynamic-config-value system.enableActivityEagerExecution=true',
    '--dynamic-config-value matching.numTaskqueueReadPartitions=1',
    '--dynamic-config-value matching.numTaskqueueWritePartitions=1',
  ]) {
    expect(line).toContain(part);
  }
});
