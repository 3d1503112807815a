/** A media node that stands still under live calls and comes back: either nobody has given it up, or its calls are over. */
import { setTimeout as sleep } from 'node:timers/promises';

import { waitFor } from '../wait-for';
import { arrivalTimes } from './audio-gaps';
import { answered, epochMs } from './live-calls';
import type { LiveCall } from './live-calls';
import type { LiveStack } from './live-stack';
import type { CallCounts } from './survival';

/** From its return until the last word of a call that is over. */
const OVER_WITHIN_MS = 2_000;
const LOST = answered('media_node_lost', 'system');

/** Which of the two it was; all calls share it. */
export async function standsStill(live: LiveStack, ms: number, counts: CallCounts): Promise<'lost' | 'alive'> {
  const { calls, stack } = live;
  await calls.place(counts);
  const { bootId } = await live.nodeState();
  const pid = stack.kill('media', 'SIGSTOP');
  await sleep(ms);
  process.kill(pid, 'SIGCONT');
  const backAtMs = epochMs();
  await sleep(OVER_WITHIN_MS);
  const lost = calls.all.filter(({ phone }) => phone.over);
  if (lost.length > 0) {
    expect(lost).toHaveLength(calls.all.length);
    await expectOver(live, backAtMs);
    await stack.waitForNewPid('media', pid, 30_000);
    await stack.waitReady();
    expect((await live.nodeState()).bootId).not.toBe(bootId);
  } else {
    await expectGoingOn(live);
    expect(await live.nodeState()).toMatchObject({ bootId });
  }
  const call = await waitFor('a new call', 20_000, () => calls.call().catch(() => undefined));
  expect(await calls.hangUpByPhone([call])).toEqual([200]);
  expect(await calls.wrongRecords(20_000)).toEqual([]);
  await live.untilNothingIsOpen(60_000);
  return lost.length > 0 ? 'lost' : 'alive';
}

async function expectOver({ calls }: LiveStack, backAtMs: number): Promise<void> {
  for (const call of calls.all) {
    call.ending = LOST;
    const { by, reason, atMs } = await call.phone.ended;
    expect({ by, reason }).toEqual({ by: 'them', reason: expect.stringMatching(/cause=41\b.*lost/) as string });
    expect(epochMs(atMs) - backAtMs).toBeLessThan(OVER_WITHIN_MS);
  }
  // Nothing more comes, however long one listens.
  await sleep(OVER_WITHIN_MS);
  for (const call of calls.all) expect((await lastPacketMs(call)) - backAtMs).toBeLessThan(OVER_WITHIN_MS);
  expect(await calls.wrongRecords(20_000)).toEqual([]);
}

async function expectGoingOn({ calls }: LiveStack): Promise<void> {
  for (const call of calls.all) expect(epochMs() - (await lastPacketMs(call))).toBeLessThan(1_000);
  expect(new Set(await calls.hangUpByPhone(calls.all))).toEqual(new Set([200]));
}

async function lastPacketMs({ phone }: LiveCall): Promise<number> {
  return Math.max(...arrivalTimes(await phone.stream.arrivals()));
}
