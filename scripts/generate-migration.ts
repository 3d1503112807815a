/**
 * `npm run migration:generate -- AddSomething`: writes `store/migrations/<time>-AddSomething.ts` with what the entities have
 * and the migrations do not, compared on an empty embedded PostgreSQL. Register the new class in
 * `store/migrations/index.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createDataSource, migrate } from '../store/data-source';
import { PostgresServer } from './postgres/postgres-server';
import { PROJECT_ROOT } from './project-root';

async function main(name: string | undefined): Promise<void> {
  if (name === undefined || !/^[A-Z][A-Za-z0-9]+$/.test(name)) {
    throw new Error('name the migration in PascalCase: npm run migration:generate -- AddSomething');
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-migration-'));
  const postgres = new PostgresServer({ dataDir, settings: ['fsync=off'] });
  try {
    await postgres.start();
    await migrate(createDataSource({ url: postgres.databaseUrl() }));
    const bin = (tool: string): string => join(PROJECT_ROOT, 'node_modules', tool);
    const args = ['migration:generate', '--pretty', '-d', 'store/migration-data-source.ts', `store/migrations/${name}`];
    const { status } = spawnSync(process.execPath, [bin('tsx/dist/cli.mjs'), bin('typeorm/cli.js'), ...args], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, DATABASE_URL: postgres.databaseUrl() },
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
  } finally {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
