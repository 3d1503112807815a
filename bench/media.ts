/**
 * `npm run bench:media`: concurrent G.711 echo calls of the engine alone, with sipload on the same cores: packet gaps by
 * kernel time stamps, loss, CPU and memory per call. Prints one JSON line. `BENCH_CALLS` and `BENCH_SECONDS` change the
 * load.
 */
import { cpus, loadavg } from 'node:os';
import { runSipload } from './generators';
import { NodeUnderTest } from './node-under-test';
import { freePort } from '../test/support/free-ports';

/** Pairs of nodes. */
const MEMORY_RUNS = 3;

type Sipload = Awaited<ReturnType<typeof runSipload>>;

const GOAL = { calls: 200, gapP99Ms: 22, lost: 0 };
/** What the same machine class gave for others (two shared cores, p99 ≤ 22 ms). */
const COMPARED_WITH = { diagoGoCalls: 1100, livekitSipCalls: 10 };

async function main(): Promise<void> {
  const calls = Number(process.env.BENCH_CALLS ?? GOAL.calls);
  const seconds = Number(process.env.BENCH_SECONDS ?? 20);
  const loadBefore = loadavg()[0]!;
  const sipload = await load(calls, seconds);
  const figures = {
    bench: 'media',
    calls,
    seconds,
    sipload,
    memoryPerCallKb: await memoryPerCallKb(calls, seconds),
    goal: GOAL,
    comparedWith: COMPARED_WITH,
    cores: cpus().length,
    loadAverage: { before: loadBefore, after: loadavg()[0] },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** On a node of its own. */
async function load(calls: number, seconds: number): Promise<Sipload> {
  const node = await NodeUnderTest.start();
  try {
    const ports = ['-p', String(node.sipPort), '-l', String(await freePort()), '-m', String(await freePort())];
    return await runSipload(ports.concat(['-n', String(calls), '-s', String(seconds), '-P', String(node.pid)]));
  } finally {
    await node.stop();
  }
}

/**
 * What resident memory grows by from one node to another of the same age that has more calls. Within one run it says
 * nothing: what the start of a node leaves behind is given back under the first load.
 */
async function memoryPerCallKb(calls: number, seconds: number): Promise<{ median: number; of: number[] } | null> {
  if (calls < 2) return null;
  const growth: number[] = [];
  for (let run = 0; run < MEMORY_RUNS; run++) {
    const one = residentKb(await load(1, seconds));
    const many = residentKb(await load(calls, seconds));
    if (one === null || many === null) return null;
    growth.push(Math.round((many - one) / (calls - 1)));
  }
  return { median: growth.toSorted((a, b) => a - b)[Math.floor(growth.length / 2)]!, of: growth };
}

function residentKb(sipload: Sipload): number | null {
  return 'rss_load_kb' in sipload && typeof sipload.rss_load_kb === 'number' ? sipload.rss_load_kb : null;
}

void main();
