/**
 * `npm run bench:media`: concurrent G.711 echo calls of the engine alone, with sipload on the same cores: packet gaps by
 * kernel time stamps, loss, CPU and memory per call. Prints one JSON line. `BENCH_CALLS` and `BENCH_SECONDS` change the
 * load.
 */
import { cpus, loadavg } from 'node:os';
import { runSipload } from './generators';
import { NodeUnderTest } from './node-under-test';
import { freePort } from '../test/support/free-ports';

const GOAL = { calls: 200, gapP99Ms: 22, lost: 0 };
/** What the same machine class gave for others (two shared cores, p99 ≤ 22 ms). */
const COMPARED_WITH = { diagoGoCalls: 1100, livekitSipCalls: 10 };

async function main(): Promise<void> {
  const calls = Number(process.env.BENCH_CALLS ?? GOAL.calls);
  const seconds = Number(process.env.BENCH_SECONDS ?? 20);
  const loadBefore = loadavg()[0]!;
  const node = await NodeUnderTest.start();
  try {
    const ports = ['-p', String(node.sipPort), '-l', String(await freePort()), '-m', String(await freePort())];
    const load = ['-n', String(calls), '-s', String(seconds), '-P', String(node.pid)];
    const sipload = await runSipload(ports.concat(load));
    const figures = {
      bench: 'media',
      calls,
      seconds,
      sipload,
      goal: GOAL,
      comparedWith: COMPARED_WITH,
      cores: cpus().length,
      loadAverage: { before: loadBefore, after: loadavg()[0] },
    };
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    await node.stop();
  }
}

void main();
