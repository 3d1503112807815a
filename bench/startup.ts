/**
 * `npm run bench:startup`: from the start of the supervisor to `/ready`, without data (dependencies installed, Temporal
 * cached) and with. Prints one JSON line.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GOAL_MS = { cold: 25_000, warm: 6_000 };
const WARM_RUNS = 3;
const LIMIT_MS = 120_000;

async function main(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-startup-'));
  const loadBefore = loadavg()[0];
  try {
    const coldMs = await measure(dataDir);
    const warm: number[] = [];
    for (let run = 0; run < WARM_RUNS; run += 1) warm.push(await measure(dataDir));
    const warmMs = warm.toSorted((a, b) => a - b)[Math.floor(WARM_RUNS / 2)] ?? 0;
    const passed = coldMs <= GOAL_MS.cold && warmMs <= GOAL_MS.warm;
    console.log(
      JSON.stringify({ bench: 'startup', coldMs, warmMs, warmRunsMs: warm, goalMs: GOAL_MS, loadBefore, passed }),
    );
    if (!passed) process.exitCode = 1;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Starts the product, waits for `/ready` and stops it again. Milliseconds to ready. */
async function measure(dataDir: string): Promise<number> {
  const [api, sip, media] = await Promise.all([freePort(), freePort(), freePort()]);
  const startedMs = performance.now();
  const supervisor = spawn(process.execPath, [join(__dirname, '..', 'scripts', 'supervisor', 'main.js')], {
    cwd: dataDir,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      API_PORT: String(api),
      SIP_HOST: '127.0.0.1',
      SIP_PORT: String(sip),
      MEDIA_HTTP_PORT: String(media),
    },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => supervisor.once('exit', () => resolve()));
  try {
    while (!(await isReady(api))) {
      if (supervisor.exitCode !== null) throw new Error(`the supervisor ended with ${supervisor.exitCode}`);
      if (performance.now() - startedMs > LIMIT_MS) throw new Error('not ready in time');
      await sleep(20);
    }
    return Math.round(performance.now() - startedMs);
  } finally {
    supervisor.kill('SIGINT');
    await ended;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false; // not listening yet
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

void main();
