/**
 * `npm run bench:config`: what a change of the configuration costs a media node that has 10,000 agents and 50,000 numbers in
 * memory: CPU of the thread that signals, of the whole process and of PostgreSQL, and how long after its commit the node acts
 * on it. `BENCH_RATE` (73) changes of an agent a second for `BENCH_SECONDS` (10). Prints one JSON line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresServer } from '../scripts/postgres/postgres-server';
import { createDataSource, migrate } from '../store/data-source';
import { AgentRepository } from '../store/repositories/agent-repository';
import { ConfigRepository } from '../store/repositories/config-repository';
import { OrganisationRepository } from '../store/repositories/organisation-repository';
import { newMasterKey } from '../store/secrets';
import { ConfigFollower } from '../test/integration/media-node/config-follower';
import { fillTables, filledId } from '../test/support/filled-tables';
import { percentiles } from './percentiles';
import { cpuSecondsWithChildren, mainThreadMs, usageOf } from './process-usage';

const RATE = Number(process.env['BENCH_RATE'] ?? 73);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const GOAL_MAIN_MS = 0.5;
const AGENTS = 10_000;
const SIZES = {
  organisations: 100,
  agents: AGENTS,
  phoneNumbers: 50_000,
  calls: 100,
  callsWithRecords: 1,
  contacts: 100,
  campaignContacts: 100,
  auditEntries: 100,
  others: 100,
};

async function main(): Promise<void> {
  const before = loadavg()[0];
  const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-bench-config-'));
  const postgres = new PostgresServer({ dataDir });
  await postgres.start();
  const databaseUrl = postgres.localUrl();
  const owner = createDataSource({ url: databaseUrl, statementTimeoutMs: 600_000 });
  await migrate(owner);
  await owner.initialize();
  const { id: orgId } = await new OrganisationRepository(owner).create({ name: 'Bench' });
  await fillTables(owner.manager, orgId, SIZES);
  const config = new ConfigRepository(owner);
  const agents = new AgentRepository(owner);
  // Rows of version 0 are read by whoever has nothing; the counter begins.
  await rename(1, 'First');
  const actsAtMs = new Map<number, number>();
  const node = new ConfigFollower({ databaseUrl, secretsKey: newMasterKey() }, (version) => {
    actsAtMs.set(version, performance.now());
  });
  try {
    await node.reaches(await config.currentVersion());
    await sleep(1_000);
    const used = (): { main: number; process: number; postgres: number } => ({
      main: mainThreadMs(node.pid),
      process: usageOf(node.pid).cpuSeconds * 1_000,
      postgres: cpuSecondsWithChildren(postgres.record?.pid ?? 0) * 1_000,
    });
    const idleBefore = used();
    await sleep(3_000);
    const [idleAfter, began] = [used(), performance.now()];
    const committedAtMs: number[] = [];
    const changes = RATE * SECONDS;
    for (let n = 0; n < changes; n++) {
      const dueMs = began + (n * 1_000) / RATE;
      if (dueMs > performance.now()) await sleep(dueMs - performance.now());
      await rename(1 + (n % (AGENTS / SIZES.organisations)) * SIZES.organisations, `Renamed ${n}`);
      committedAtMs.push(performance.now());
    }
    const last = await config.currentVersion();
    await node.reaches(last);
    const after = used();
    const each = (of: keyof typeof after): number => Math.round(((after[of] - idleAfter[of]) * 100) / changes) / 100;
    const lateMs = committedAtMs.map((atMs, n) => firstAt(actsAtMs, last - changes + 1 + n) - atMs);
    const mainMs = each('main');
    process.stdout.write(
      `${JSON.stringify({
        bench: 'config',
        agents: AGENTS,
        numbers: SIZES.phoneNumbers,
        perSecond: Math.round((changes * 1_000) / ((committedAtMs.at(-1) ?? 0) - began)),
        cpuMsPerChange: { mainThread: mainMs, process: each('process'), postgres: each('postgres') },
        idleMainMsPerSecond: Math.round(((idleAfter.main - idleBefore.main) * 100) / 3) / 100,
        actsAfterCommitMs: percentiles(lateMs),
        goalMainMs: GOAL_MAIN_MS,
        cores: cpus().length,
        load: { before, after: loadavg()[0] },
        passed: mainMs <= GOAL_MAIN_MS,
      })}\n`,
    );
    if (mainMs > GOAL_MAIN_MS) process.exitCode = 1;
  } finally {
    await node.kill();
    await owner.destroy();
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }

  async function rename(n: number, name: string): Promise<void> {
    const owned = await owner.query('SELECT org_id FROM agents WHERE id = $1', [filledId('agent', n)]);
    await config.transaction((tx) => agents.update(tx, owned[0].org_id, filledId('agent', n), { name }));
  }
}

/** When it acted on this version or on one that came with it. */
function firstAt(actsAtMs: ReadonlyMap<number, number>, version: number): number {
  for (let later = version; ; later++) {
    const at = actsAtMs.get(later);
    if (at !== undefined) return at;
  }
}

void main();
