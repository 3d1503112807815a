/**
 * Compiles `dist/` and bundles the workflows, when a source has changed since the last build. The new folder takes the old
 * one's place whole, so a process that starts meanwhile never loads half a build.
 *
 * `node scripts/build.mjs [--force]`
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const stampFile = join(dist, '.build-stamp');
const require = createRequire(import.meta.url);

/** Builds when needed. Answers whether it did; throws when the sources do not compile. */
export async function build({ force = false } = {}) {
  const stamp = stampOfSources();
  if (!force && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return false;
  const part = `${dist}.new-${process.pid}`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part);
  try {
    compile(part);
    if (existsSync(join(root, 'workflows', 'index.ts'))) await bundleWorkflows(part);
    writeFileSync(join(part, '.build-stamp'), stamp);
    replaceDist(part);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return true;
}

/** Names, sizes and times of everything a build reads: 2 ms, where comparing contents would take 100. */
function stampOfSources() {
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  const hash = createHash('sha256');
  const add = (path) => {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  };
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs']) {
    add(join(root, name));
  }
  for (const folder of config.include) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    const files = readdirSync(path, { recursive: true }).filter((name) => /\.(ts|json)$/.test(name));
    for (const file of files.toSorted((a, b) => (a < b ? -1 : 1))) add(join(path, file));
  }
  return hash.digest('hex');
}

function compile(outDir) {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const flags = ['-p', join(root, 'tsconfig.build.json'), '--outDir', outDir];
  const result = spawnSync(process.execPath, [tsc, ...flags], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) throw new Error('the sources do not compile; the messages are above');
}

/** Two workers start in half a second with a bundle and need a second more to make their own. */
async function bundleWorkflows(outDir) {
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const silent = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
  const { code } = await bundleWorkflowCode({ workflowsPath: join(root, 'workflows', 'index.ts'), logger: silent });
  writeFileSync(join(outDir, 'workflow-bundle.js'), code);
}

function replaceDist(part) {
  const old = `${dist}.old-${process.pid}`;
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(part, dist);
  } catch (error) {
    // Another build was faster: its result is as good when it is there.
    if (!existsSync(stampFile)) throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build({ force: process.argv.includes('--force') });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
