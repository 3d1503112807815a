/**
 * `npm run bench:media`: concurrent G.711 echo calls of the engine alone, with sipload on the same cores: packet gaps by
 * kernel time stamps, loss, CPU and memory per call, and what it costs to connect the callers in pairs instead. Prints
 * one JSON line. `BENCH_CALLS` and `BENCH_SECONDS` change the load.
 */
import { cpus, loadavg } from 'node:os';
import type { BenchAgents } from '../media-node/bench-mode';
import { runSipload } from './generators';
import { NodeUnderTest } from './node-under-test';
import { freePort } from '../test/support/free-ports';

/** Pairs of nodes. */
const MEMORY_RUNS = 3;
/** Loads of each kind, in turn. */
const BRIDGE_RUNS = 3;

type Sipload = Awaited<ReturnType<typeof runSipload>>;

const GOAL = { calls: 200, gapP99Ms: 22, lost: 0, bridgedToEcho: 1.3 };
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
    bridged: await bridged(calls, seconds),
    memoryPerCallKb: await memoryPerCallKb(calls, seconds),
    goal: GOAL,
    comparedWith: COMPARED_WITH,
    cores: cpus().length,
    loadAverage: { before: loadBefore, after: loadavg()[0] },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** CPU time of connected callers to that of as many that are echoed, medians; and how the connected ones fared. */
async function bridged(calls: number, seconds: number): Promise<{ toEcho: number; sipload: Sipload } | null> {
  const cost: Record<BenchAgents, number[]> = { echo: [], bridge: [] };
  let sipload: Sipload | null = null;
  for (let run = 0; run < BRIDGE_RUNS; run++) {
    for (const agents of ['echo', 'bridge'] as const) {
      sipload = await load(calls, seconds, agents);
      const milliseconds = figure(sipload, 'peer_cpu_ms_per_call_s');
      if (milliseconds === null) return null;
      cost[agents].push(milliseconds);
    }
  }
  return sipload && { toEcho: Math.round((100 * median(cost.bridge)) / median(cost.echo)) / 100, sipload };
}

/** On a node of its own. */
async function load(calls: number, seconds: number, agents: BenchAgents = 'echo'): Promise<Sipload> {
  const node = await NodeUnderTest.start({ MEDIA_BENCH: agents });
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
    const one = figure(await load(1, seconds), 'rss_load_kb');
    const many = figure(await load(calls, seconds), 'rss_load_kb');
    if (one === null || many === null) return null;
    growth.push(Math.round((many - one) / (calls - 1)));
  }
  return { median: median(growth), of: growth };
}

function figure(sipload: Sipload, name: string): number | null {
  const value = (sipload as Record<string, unknown>)[name];
  return typeof value === 'number' ? value : null;
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!;
}

void main();
