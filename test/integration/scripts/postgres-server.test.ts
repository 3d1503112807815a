import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';

import { PostgresServer } from '../../../scripts/postgres/postgres-server';
import { processIdentity } from '../../../scripts/process/identity';
import { isAlive } from '../../../scripts/process/pid-file';

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL server', () => {
  let folder: string;
  let servers: PostgresServer[];

  const server = (name = 'data'): PostgresServer => {
    const dataDir = join(folder, name);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const basePort = 13_000 + Math.floor(Math.random() * 1_000);
    const made = new PostgresServer({ dataDir, basePort, settings: ['fsync=off'] });
    servers.push(made);
    return made;
  };

  beforeAll(() => {
    // A closed folder with a space: root's server runs as another user, who may not enter it.
    folder = mkdtempSync(join(tmpdir(), 'trunkline pg-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeEach(() => (servers = []));
  afterEach(async () => {
    for (const running of servers) await running.stop();
  });

  test('keeps its data and its port over a stop and a start', async () => {
    const first = server();
    await first.start();
    const { port } = first;
    await query(first.databaseUrl(), 'DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS value');
    await first.stop();
    const second = server();
    await second.start();
    expect(second.port).toBe(port);
    expect(await query(second.databaseUrl(), 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
  });

  test('killed with -9 it does not come back beside a session that still runs', async () => {
    const running = server();
    await running.start();
    const client = new Client({ connectionString: running.databaseUrl(), statement_timeout: 3_000 });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const session = rows[0]?.pid ?? 0;
    // Busy with itself: it hears of its server's death when the statement ends.
    const busy = client.query('SELECT sum(i) FROM generate_series(1, 2000000000) AS i').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(running.record?.pid ?? 0, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(processIdentity(session)).toBeDefined();
    await running.start();
    expect(processIdentity(session)).toBeUndefined();
    await busy;
    await client.end().catch(() => undefined);
    expect(await query(running.databaseUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('listens on 127.0.0.1 alone and lets nobody in without the password', async () => {
    const running = server();
    await running.start();
    const [addresses] = await query(running.databaseUrl(), 'SHOW listen_addresses');
    expect(addresses).toEqual({ listen_addresses: '127.0.0.1' });
    const wrong = running.databaseUrl().replace(/:[^:@]+@/, ':wrong@');
    await expect(query(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const [rules] = await query(
      running.databaseUrl(),
      'SELECT array_agg(DISTINCT auth_method) AS methods FROM pg_hba_file_rules',
    );
    expect(rules).toEqual({ methods: ['scram-sha-256'] });
  });

  test('answers by a socket that nobody else can reach, with the password too, and over the network where there is none', async () => {
    const running = server();
    await running.start();
    const url = running.localUrl();
    const asked = 'SELECT inet_server_addr() AS address';
    expect(await query(url, asked)).toEqual([{ address: null }]);
    expect(await query(running.databaseUrl(), asked)).toEqual([{ address: '127.0.0.1' }]);
    const wrong = url.replace(/:[^:@]+@/, ':wrong@');
    await expect(query(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    // The name of a socket has little room.
    const far = server('far'.repeat(40));
    await far.start();
    expect(await query(far.localUrl(), asked)).toEqual([{ address: '127.0.0.1' }]);
  });

  test('what a killed server left of its socket is not in the way when its pid is used by somebody else', async () => {
    const running = server('killed');
    await running.start();
    const { pid = 0 } = running.record ?? {};
    const lock = join(folder, 'killed', 'postgres', `.s.PGSQL.${running.port}.lock`);
    const left = readFileSync(lock, 'utf8');
    await running.stop();
    writeFileSync(lock, left.replace(String(pid), String(process.pid)));
    await running.start();
    expect(await query(running.localUrl(), 'SELECT inet_server_addr() AS address')).toEqual([{ address: null }]);
  });

  test('its password and its cluster are readable for nobody else', async () => {
    await server().start();
    const dataDir = join(folder, 'data');
    expect(statSync(join(dataDir, 'postgres-password')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'postgres')).mode & 0o077).toBe(0);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.'))).toEqual([]);
  });

  test('what it logs of a refused row holds none of its values', async () => {
    const running = server();
    await running.start();
    const insert = "INSERT INTO numbers VALUES ('15551234567')";
    await query(running.databaseUrl(), `DROP TABLE IF EXISTS numbers; CREATE TABLE numbers (number text UNIQUE)`);
    await query(running.databaseUrl(), insert);
    const client = new Client({ connectionString: running.databaseUrl() });
    await client.connect();
    const again = client.query('INSERT INTO numbers VALUES ($1)', ['15551234567']);
    await expect(again).rejects.toMatchObject({ code: '23505', detail: expect.stringContaining('15551234567') });
    await client.end();
    const log = readFileSync(join(folder, 'data', 'logs', 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key value');
    expect(log).not.toContain('15551234567');
  });

  test('killed with -9 it comes back on the same port with what was committed', async () => {
    const running = server();
    await running.start();
    const { port } = running;
    await query(running.databaseUrl(), 'DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS value');
    process.kill(running.record?.pid ?? 0, 'SIGKILL');
    await running.start();
    expect(running.port).toBe(port);
    expect(await query(running.databaseUrl(), 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
  });

  test('a server that its starter left behind is taken over', async () => {
    const first = server();
    await first.start();
    const second = server();
    await second.start();
    expect(second.record?.pid).toBe(first.record?.pid);
    expect(second.databaseUrl()).toBe(first.databaseUrl());
  });

  test('so is one whose pid file was lost', async () => {
    const first = server();
    await first.start();
    rmSync(join(folder, 'data', 'run', 'postgres.pid'));
    const second = server();
    await second.start();
    expect(second.record?.pid).toBe(first.record?.pid);
  });

  test('a stale postmaster.pid with the pid of another process is no obstacle', async () => {
    const first = server();
    await first.start();
    const pidFile = join(folder, 'data', 'postgres', 'postmaster.pid');
    const content = readFileSync(pidFile, 'utf8');
    await first.stop();
    writeFileSync(pidFile, content.replace(/^\d+/, String(process.pid)));
    const second = server();
    await second.start();
    expect(second.record?.pid).not.toBe(process.pid);
    expect(await query(second.databaseUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('finds another port when its own is taken meanwhile', async () => {
    const first = server();
    await first.start();
    const { port } = first;
    await first.stop();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
    try {
      const second = server();
      await second.start();
      expect(second.port).not.toBe((squatter.address() as AddressInfo).port);
    } finally {
      squatter.close();
    }
  });

  test('two folders beside each other do not disturb each other', async () => {
    const [one, two] = [server('data'), server('two')];
    await Promise.all([one.start(), two.start()]);
    expect(one.port).not.toBe(two.port);
    await query(one.databaseUrl(), 'CREATE TABLE only_here ()');
    await one.stop();
    expect(await query(two.databaseUrl(), "SELECT to_regclass('only_here') AS found")).toEqual([{ found: null }]);
  });

  test('a stop leaves no process and no lock', async () => {
    const running = server();
    await running.start();
    const record = running.record ?? { pid: 0, identity: '' };
    await running.stop();
    expect(isAlive(record)).toBe(false);
    expect(readdirSync(join(folder, 'data', 'run'))).toEqual([]);
    expect(readdirSync(join(folder, 'data', 'postgres'))).not.toContain('postmaster.pid');
  });

  test('a cluster that was only half made is made anew', async () => {
    const half = join(folder, 'half', 'postgres.new-1');
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'PG_VERSION'), '18\n');
    await server('half').start();
    expect(readdirSync(join(folder, 'half'))).not.toContain('postgres.new-1');
  });
});
