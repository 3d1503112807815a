/**
 * `npm test`: type check, lint, build, then the unit, integration and end-to-end tests. Ends with one line
 * `N passed, N failed, N skipped` over all of jest's runs; a step that is not jest's counts as one failure when it fails.
 *
 * `node scripts/test.mjs [step …] [-- arguments for jest]` runs some of the steps. `soak` runs only when it is named: in full
 * size whatever the others take a seeded sample of, and what is too long for a sample.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import './bootstrap.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const MINUTE_MS = 60_000;
const CORES = availableParallelism();
/** jest's own choice is one less than there are cores: one, where a process has two. */
const WORKERS = [`--maxWorkers=${Math.max(2, CORES - 1)}`];
/** Of tests that wait for servers, timers and calls more than they compute: three, where there are two cores. */
const WAITING_WORKERS = [`--maxWorkers=${Math.ceil(1.5 * CORES)}`];
/** End-to-end tests that wait for servers, timers and calls more than they compute. */
const SIDE_BY_SIDE =
  '/test/e2e/(?:calls/|supervisor/|cli\\.|privacy\\.|durability/(?:campaign-kills|disk-full|kill-provisioning|without-servers)\\.)';

/** Set for `soak`; a test that takes a sample without it reads it. */
const SOAK = 'TEST_SOAK';

const STEPS = {
  typecheck: () => tool('typescript', 'bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
  lint: async () =>
    sum(await tool('oxlint', 'bin/oxlint', ['--type-aware']), await tool('knip', 'bin/knip.js', ['--production'])),
  format: () => tool('prettier', 'bin/prettier.cjs', ['--check', '.', '--log-level', 'warn']),
  build: () => run('build', [join(root, 'scripts', 'build.mjs')]),
  unit: () => jest('unit', 8 * MINUTE_MS, WORKERS),
  integration: () => jest('integration', 25 * MINUTE_MS, WAITING_WORKERS),
  // Each file starts the whole product. Those that measure gaps and sound have the machine to themselves.
  e2e: async () =>
    sum(
      await jest('e2e', 25 * MINUTE_MS, [...WORKERS, `--testPathPatterns=${SIDE_BY_SIDE}`]),
      await jest('e2e', 22 * MINUTE_MS, ['--runInBand', `--testPathIgnorePatterns=${SIDE_BY_SIDE}`]),
    ),
  soak: () => {
    process.env[SOAK] = '1';
    const files = ['/test/soak/', ...samples()].map((path) => `--testPathPatterns=${path}`);
    return jest(['unit', 'integration', 'e2e', 'soak'], 150 * MINUTE_MS, ['--runInBand', ...files]);
  },
};
const SAMPLES = Object.keys(STEPS).filter((step) => step !== 'soak');
/** Without a new build the later steps would test an old one. */
const NEEDED_BY_ALL_LATER = 'build';

const { steps, jestArguments } = readArguments(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps) {
  const startedMs = performance.now();
  console.log(`\n▶ ${step}`);
  const result = await STEPS[step]();
  Object.assign(total, sum(total, result));
  console.log(`${result.failed > 0 ? '✗' : '✓'} ${step} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  if (step === NEEDED_BY_ALL_LATER && result.failed > 0) break;
}
if (total.failed > 0) process.exitCode = 1;
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);

/** The files that are more than themselves in a soak. All others have had their run. */
function samples() {
  const files = readdirSync(join(root, 'test'), { recursive: true }).map(
    (name) => `test/${name.replaceAll('\\', '/')}`,
  );
  return files.filter(
    (name) => name.endsWith('.test.ts') && readFileSync(join(root, name), 'utf8').includes(`'${SOAK}'`),
  );
}

function readArguments(args) {
  const split = args.indexOf('--');
  const named = split === -1 ? args : args.slice(0, split);
  const unknown = named.filter((step) => !(step in STEPS));
  if (unknown.length > 0) {
    console.error(`unknown step ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}`);
    process.exit(2);
  }
  return {
    steps: named.length > 0 ? named : SAMPLES,
    jestArguments: split === -1 ? [] : args.slice(split + 1),
  };
}

function sum(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

async function tool(name, entry, args) {
  return run(name, [join(root, 'node_modules', name, entry), ...args]);
}

async function run(name, args) {
  const code = await node(args, 10 * MINUTE_MS);
  return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0, name };
}

async function jest(projects, limitMs, extra = []) {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-jest-'));
  const outputFile = join(folder, 'result.json');
  const entry = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const flags = ['--selectProjects', ...[projects].flat(), '--passWithNoTests', '--json', '--outputFile', outputFile];
  try {
    const code = await node([entry, ...flags, ...extra, ...jestArguments], limitMs);
    return summary(outputFile, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(outputFile, code) {
  let result;
  try {
    result = JSON.parse(readFileSync(outputFile, 'utf8'));
  } catch {
    console.error('jest ended without a result');
    return { passed: 0, failed: 1, skipped: 0 };
  }
  // A file that could not be run at all has no tests to count.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

/** Runs Node in a process group of its own, all of which ends when the time is over or the run is interrupted. */
async function node(args, limitMs) {
  const windows = process.platform === 'win32';
  // jest writes its human output to standard error beside --json, and the JSON also to standard output.
  const stdout = args.includes('--json') ? 'ignore' : 'inherit';
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', stdout, 'inherit'], detached: !windows });
  const end = (signal) => {
    if (child.pid === undefined) return;
    try {
      process.kill(windows ? child.pid : -child.pid, signal);
    } catch {
      // it has ended already
    }
  };
  const interrupt = () => end('SIGTERM');
  const limit = setTimeout(() => {
    console.error(`not finished after ${limitMs / MINUTE_MS} minutes: ended`);
    end('SIGKILL');
  }, limitMs);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupt);
  const code = await new Promise((resolve) => child.once('close', (value) => resolve(value)));
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupt);
  clearTimeout(limit);
  return code;
}
