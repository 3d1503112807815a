import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { writePidFile } from '../../../scripts/process/pid-file';
import { PostgresServer } from '../../../scripts/postgres/postgres-server';
import { createDataSource, migrate } from '../../../store/data-source';
import { isDatabaseUnavailable } from '../../../store/errors';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';

/** A server of its own, as the others' must not die. */
describe('PostgreSQL away', () => {
  let folder: string;
  let server: PostgresServer;
  let dataSource: DataSource;
  let organisations: OrganisationRepository;
  const poolErrors: Error[] = [];

  beforeAll(async () => {
    // The name and the file by which a later run finds and ends what a killed one left.
    folder = mkdtempSync(join(tmpdir(), 'trunkline-test-servers-'));
    writePidFile(join(folder, 'owner.pid'), process.pid);
    server = new PostgresServer({ dataDir: folder, basePort: 21_500, settings: ['fsync=off'] });
    await server.start();
    await migrate(createDataSource({ url: server.databaseUrl() }));
    dataSource = createDataSource({
      url: server.databaseUrl(),
      poolSize: 4,
      connectTimeoutMs: 500,
      statementTimeoutMs: 500,
      onPoolError: (error) => poolErrors.push(error),
    });
    await dataSource.initialize();
    organisations = new OrganisationRepository(dataSource);
  }, 60_000);
  afterAll(async () => {
    await dataSource.destroy();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** The server and its sessions, each of which is a process (group) of its own. */
  const processes = async (): Promise<number[]> => {
    const sessions: { pid: number }[] = await dataSource.query('SELECT pid FROM pg_stat_activity');
    return [server.record!.pid, ...sessions.map(({ pid }) => pid)];
  };
  const signal = (pids: readonly number[], name: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, name);
      } catch (error) {
        // A session may have ended meanwhile.
        if ((error as { code?: string }).code !== 'ESRCH') throw error;
      }
    }
  };
  /** Tries to write; answers what failed and how long it took. */
  const attempt = async (name: string): Promise<{ error: unknown; ms: number }> => {
    const begun = performance.now();
    const error: unknown = await organisations.create({ name }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, ms: performance.now() - begun };
  };
  const works = async (): Promise<void> => {
    const results = await Promise.all(Array.from({ length: 8 }, () => attempt('after')));
    expect(results.map(({ error }) => error)).toEqual(Array(8).fill(undefined));
  };
  /** Fills the pool with idle connections. */
  const warm = (): Promise<unknown> => Promise.all([1, 2, 3, 4].map(() => dataSource.query('SELECT pg_sleep(0.02)')));

  it('a killed server fails callers fast and by name, and is used again when it is back', async () => {
    await warm();
    const inTransaction = dataSource
      .transaction(async (manager) => {
        await manager.query('SELECT 1');
        await sleep(300); // the connection breaks between two statements
        await manager.query('SELECT 1');
      })
      .catch((error: unknown) => error);
    const running = dataSource.query('SELECT pg_sleep(0.4)').catch((error: unknown) => error);
    await sleep(50);
    signal([server.record!.pid], 'SIGKILL');
    expect(isDatabaseUnavailable(await running)).toBe(true);

    expect(isDatabaseUnavailable(await inTransaction)).toBe(true);
    for (let i = 0; i < 3; i++) {
      const { error, ms } = await attempt('during');
      expect(isDatabaseUnavailable(error)).toBe(true);
      expect(ms).toBeLessThan(2500);
    }
    expect(poolErrors.length).toBeGreaterThan(0);
    await server.start();
    await works();
  }, 40_000);

  it('a server that stops answering fails callers within the time limits, and no transaction stays open', async () => {
    await warm();
    const pids = await processes();
    try {
      const transaction = dataSource
        .transaction(async (manager) => {
          await new OrganisationRepository({ manager }).create({ name: 'in an abandoned transaction' });
          signal(pids, 'SIGSTOP');
          await manager.query('SELECT 1');
        })
        .catch((error: unknown) => error);
      expect(isDatabaseUnavailable(await transaction)).toBe(true);
      for (let i = 0; i < 6; i++) {
        const { error, ms } = await attempt(`frozen ${i}`);
        expect(isDatabaseUnavailable(error)).toBe(true);
        expect(ms).toBeLessThan(4000);
      }
    } finally {
      signal(pids, 'SIGCONT');
    }
    await works();
    await works();
    const [row] = await dataSource.query(
      `SELECT (SELECT count(*)::int FROM organisations WHERE name LIKE 'in an%') AS abandoned,
         (SELECT count(*)::int FROM organisations WHERE name = 'after') AS after`,
    );
    expect(row).toEqual({ abandoned: 0, after: 24 });
  }, 40_000);

  it('a statement over its limit is ended by the server, and its connection stays usable', async () => {
    const error: unknown = await dataSource.query('SELECT pg_sleep(5)').catch((reason: unknown) => reason);
    expect(isDatabaseUnavailable(error)).toBe(true);
    await works();
  });
});
