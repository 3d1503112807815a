/** What live calls must not notice, and what must be right afterwards, when something dies that they do not need. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { StackProcess } from '../stack';
import type { LiveStack } from './live-stack';

export interface CallCounts {
  readonly inbound: number;
  readonly outbound: number;
}

/** Both sides hang up while it is away; the rest of the calls when it is back. */
const AT_ONCE = { byPhone: 5, byApi: 2 } as const;
const AFTERWARDS_MS = 2_000;

/** A kill -9 of one of the processes that carry no audio. */
export async function survivesKillOf(
  live: LiveStack,
  name: Exclude<StackProcess, 'media' | 'supervisor'>,
  counts: CallCounts,
): Promise<void> {
  const { stack, calls } = live;
  await calls.place(counts);
  const { bootId } = await live.nodeState();
  const media = stack.pid('media');

  const killed = stack.kill(name);
  // The last were placed last: some outbound calls are among the first.
  const byPhone = calls.live.slice(0, AT_ONCE.byPhone);
  const byApi = calls.live.slice(AT_ONCE.byPhone, AT_ONCE.byPhone + AT_ONCE.byApi);
  const hangups = Promise.all([calls.hangUpByPhone(byPhone), calls.hangUpByApi(byApi)]);
  await stack.waitForNewPid(name, killed);
  await stack.waitReady();
  const [statuses] = await hangups;
  expect(new Set(statuses)).toEqual(new Set([200]));
  await sleep(AFTERWARDS_MS);

  const rest = calls.live;
  expect(rest).toHaveLength(counts.inbound + counts.outbound - byPhone.length - byApi.length);
  await calls.hangUpByApi(rest.slice(0, 4));
  await calls.hangUpByPhone(rest.slice(4));
  expect(await calls.audioProblems()).toEqual([]);
  expect(await calls.wrongRecords()).toEqual([]);
  await live.untilNothingIsOpen();
  expect(await live.nodeState()).toEqual({ bootId, lostBoots: [] });
  expect(stack.pid('media')).toBe(media);
}
