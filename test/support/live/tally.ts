/** What calls have left behind, everywhere: counted before and after, it shows what is missing, left over or twice. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { Client } from 'pg';

import type { Stack } from '../stack';
import type { LiveStack } from './live-stack';
import { TemporalView } from './temporal-view';

export interface Tally {
  readonly records: number;
  /** Records that were closed without some of their node's events. */
  readonly truncated: number;
  /** `call.ended` and `call.failed` */
  readonly terminalEvents: number;
  /** Numbers that are not there below the last of each call's node. */
  readonly missingEvents: number;
  readonly openWorkflows: number;
  readonly closedWorkflows: number;
  /** Of the media node, as everything below. */
  readonly activeCalls: number;
  readonly rtpPorts: number;
  readonly sockets: number;
  readonly rssMb: number;
}

type StoreTally = Pick<Tally, 'records' | 'truncated' | 'terminalEvents' | 'missingEvents'>;

const COUNT = `
  SELECT (SELECT count(*) FROM calls)::int AS records,
         (SELECT count(*) FROM calls WHERE truncated)::int AS truncated,
         (SELECT count(*) FROM call_events WHERE type IN ('call.ended', 'call.failed'))::int AS "terminalEvents",
         (SELECT coalesce(sum(last - stored), 0) FROM (
            SELECT max(seq) AS last, count(*) AS stored FROM call_events WHERE source = 'node' GROUP BY call_id
          ) AS of_call)::int AS "missingEvents"`;

export async function tallyOf(live: LiveStack): Promise<Tally> {
  const { stack } = live;
  const temporal = new TemporalView(stack.temporalAddress);
  const store = new Client({ connectionString: stack.databaseUrl });
  try {
    await store.connect();
    const { rows } = await store.query<StoreTally>(COUNT);
    const [counted] = rows;
    if (counted === undefined) throw new Error('a SELECT without a row');
    const [openWorkflows, closedWorkflows, activeCalls] = await Promise.all([
      temporal.runningCalls(),
      temporal.closedCalls(),
      live.activeCalls(),
    ]);
    const pid = stack.pid('media');
    const rtpPorts = openRtpPorts(stack);
    return {
      ...counted,
      openWorkflows,
      closedWorkflows,
      activeCalls,
      rtpPorts: rtpPorts.length,
      sockets: socketInodes(pid).size,
      rssMb: Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024),
    };
  } finally {
    await Promise.allSettled([store.end(), temporal.close()]);
  }
}

/** Of audio, on the media node. */
export function openRtpPorts(stack: Stack): number[] {
  const { min, max } = stack.rtpPorts;
  return openUdpPorts(stack.pid('media')).filter((port) => port >= min && port <= max);
}

function socketInodes(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  const inodes = readdirSync(folder).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1];
    } catch {
      return undefined; // closed since it was listed
    }
  });
  return new Set(inodes.filter((inode) => inode !== undefined));
}

/** Local ports; proc_pid_net(5) says where in a line they are. */
function openUdpPorts(pid: number): number[] {
  const own = socketInodes(pid);
  const lines = ['udp', 'udp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n'));
  const sockets = lines.map((line) => line.trim().split(/\s+/));
  return sockets
    .filter(([, , , , , , , , , inode]) => inode !== undefined && own.has(inode))
    .map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16));
}

/** Memory that a run of some minutes may add, caches and heap that is not collected yet included. */
const RSS_GROWTH_MB = 300;
/** A pool may have as many connections more than before as it may have at all. */
const CONNECTIONS = 12;

/** What a node holds that has had calls: pools are open, code is compiled. */
export async function warmUp(live: LiveStack): Promise<Tally> {
  const { calls } = live;
  // Of a test before that has failed.
  await calls.hangUpByPhone(calls.live);
  await calls.dropStrays();
  await calls.place({ inbound: 2, outbound: 2 });
  await calls.hangUpByPhone(calls.live);
  await calls.wrongRecords();
  await live.untilNothingIsOpen();
  return tallyOf(live);
}

/**
 * Prints and checks what `calls` more calls than before have left: of each one record, one terminal event, one workflow
 * that is over, and nothing else. Up to `strays` calls more may have come about although their caller was refused.
 */
export async function expectNothingLeft(
  live: LiveStack,
  title: string,
  before: Tally,
  expected: { readonly calls: number; readonly strays: number },
): Promise<void> {
  const after = await tallyOf(live);
  console.log(
    `${title}: ${expected.calls} calls\n  before ${JSON.stringify(before)}\n  after  ${JSON.stringify(after)}`,
  );
  const records = after.records - before.records;
  expect(records).toBeGreaterThanOrEqual(expected.calls);
  expect(records).toBeLessThanOrEqual(expected.calls + expected.strays);
  expect(after).toMatchObject({
    terminalEvents: before.terminalEvents + records,
    closedWorkflows: before.closedWorkflows + records,
    openWorkflows: 0,
    activeCalls: 0,
    rtpPorts: 0,
    missingEvents: 0,
    truncated: 0,
  });
  expect(after.sockets).toBeLessThanOrEqual(before.sockets + CONNECTIONS);
  expect(after.rssMb).toBeLessThan(before.rssMb + RSS_GROWTH_MB);
}
