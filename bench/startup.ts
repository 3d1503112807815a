/**
 * `npm run bench:startup`: from the start of the supervisor to `/ready`, without data (dependencies installed, Temporal
 * cached) and with. Prints one JSON line.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

import { Stack } from '../test/support/stack';

const GOAL_MS = { cold: 25_000, warm: 6_000 };
const WARM_RUNS = 3;

async function main(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-startup-'));
  const loadBefore = loadavg()[0];
  try {
    const coldMs = await measure(dataDir);
    const warmRunsMs: number[] = [];
    for (let run = 0; run < WARM_RUNS; run += 1) warmRunsMs.push(await measure(dataDir));
    const warmMs = warmRunsMs.toSorted((a, b) => a - b)[Math.floor(WARM_RUNS / 2)] ?? 0;
    const passed = coldMs <= GOAL_MS.cold && warmMs <= GOAL_MS.warm;
    console.log(
      JSON.stringify({
        bench: 'startup',
        coldMs,
        warmMs,
        warmRunsMs,
        goalMs: GOAL_MS,
        cpus: cpus().length,
        loadBefore,
        passed,
      }),
    );
    if (!passed) process.exitCode = 1;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Milliseconds to `/ready`; the product is stopped again. */
async function measure(dataDir: string): Promise<number> {
  const startedMs = performance.now();
  const stack = await Stack.start({ dataDir });
  const tookMs = performance.now() - startedMs;
  await stack.stop();
  return Math.round(tookMs);
}

void main();
