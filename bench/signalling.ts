/**
 * `npm run bench:signalling`: calls per second of the engine alone (no Temporal, no digest, echo agent), set up and torn
 * down by SIPp and by sipload. Prints one JSON line. `BENCH_RATE` and `BENCH_SECONDS` change the load.
 */
import { loadavg, cpus } from 'node:os';
import { runSipload, runSipp } from './generators';
import { NodeUnderTest } from './node-under-test';
import { freePort } from '../test/support/free-ports';

const TALK_MS = 200;
const GOAL = { callsPerSecond: 300, failed: 0, retransmitted: 0 };
/** What the same machine class gave for others (two shared cores). */
const COMPARED_WITH = { diagoGoCallsPerSecond: 2400, livekitSipCallsPerSecond: 16 };

async function main(): Promise<void> {
  const perSecond = Number(process.env.BENCH_RATE ?? GOAL.callsPerSecond);
  const seconds = Number(process.env.BENCH_SECONDS ?? 20);
  const loadBefore = loadavg()[0]!;
  // Ports rest before they are used again: as many as the calls of half a minute need.
  const node = await NodeUnderTest.start({ RTP_PORT_MIN: '10000', RTP_PORT_MAX: '59999' });
  try {
    const before = node.usage();
    const sipp = await runSipp({ port: node.sipPort, perSecond, seconds });
    const between = node.usage();
    const calls = perSecond * seconds;
    const load = ['-n', String(calls), '-r', String(perSecond), '-B', String(TALK_MS), '-P', String(node.pid)];
    const ports = ['-p', String(node.sipPort), '-l', String(await freePort())];
    const sipload = await runSipload(ports.concat(load));
    const figures = {
      bench: 'signalling',
      perSecond,
      seconds,
      sipp,
      sippCpuMsPerCall: Math.round((1e5 * (between.cpuSeconds - before.cpuSeconds)) / calls) / 100,
      sipload,
      rssMiB: Math.round(node.usage().rssBytes / 2 ** 20),
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
