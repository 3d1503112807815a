/**
 * Kills and stops of everything, alone and together, at moments that a seed decides, under calls that are live or being
 * set up. `SOAK_SEED` and `SOAK_ROUNDS` repeat or lengthen a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { answered } from '../support/live/live-calls';
import { LiveStack } from '../support/live/live-stack';
import { takeAway } from '../support/live/outage';
import type { Dispensable, OutageWay } from '../support/live/outage';
import { SeededRandom } from '../support/live/random';
import type { StackProcess } from '../support/stack';

const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_124);
const ROUNDS = Number(process.env['SOAK_ROUNDS'] ?? 40);
const MINUTE_MS = 60_000;
const ALL: readonly StackProcess[] = ['supervisor', 'media', 'worker', 'api', 'temporal', 'postgres'];
const LOST = answered('media_node_lost', 'system');

const DISPENSABLE: readonly Dispensable[] = ['worker', 'api', 'temporal', 'postgres'];

interface Outage {
  readonly way: OutageWay;
  readonly targets: readonly Dispensable[];
  /** Unless they are back at once. */
  readonly seconds: number;
  readonly during: 'setup' | 'call';
}

type Blow = Outage | { readonly way: 'kill'; readonly targets: readonly ['media'] | typeof ALL };

interface Round {
  readonly blow: Blow;
  readonly inbound: number;
  readonly outbound: number;
  /** From the first call of a set-up, or from the last that was answered. */
  readonly waitMs: number;
  readonly hangUps: number;
}

function roundOf(random: SeededRandom): Round {
  const size = { inbound: random.between(10, 25), outbound: random.between(2, 6) };
  const moment = { waitMs: random.between(0, 1_500), hangUps: random.between(0, 8) };
  const fatal = random.next() < 0.2;
  if (fatal) return { ...size, ...moment, blow: { way: 'kill', targets: random.pick([['media'] as const, ALL]) } };
  const wanted = random.pick([1, 1, 2, 4]);
  const targets = new Set<Dispensable>();
  while (targets.size < wanted) targets.add(random.pick(DISPENSABLE));
  const blow: Outage = {
    way: random.pick(['kill', 'stop', 'gone']),
    targets: [...targets],
    seconds: random.between(1, 20),
    during: random.pick(['setup', 'call']),
  };
  return { ...size, ...moment, blow };
}

describe(`a matrix of kills, seed ${SEED}`, () => {
  let live: LiveStack;
  const random = new SeededRandom(SEED);
  const rounds = Array.from({ length: ROUNDS }, (_, i) => {
    const round = roundOf(random);
    const { way, targets } = round.blow;
    const when = 'during' in round.blow ? `${round.blow.seconds} s during ${round.blow.during}` : '';
    return [`${i + 1}: ${way} ${targets.join(' + ')} ${when}`, round] as const;
  });

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it.each(rounds)(
    '%s',
    async (_, round) => {
      const { blow } = round;
      await ('during' in blow ? outlived(round, blow) : lost(round, blow.targets));
    },
    4 * MINUTE_MS,
  );

  it(
    'an answer that only PostgreSQL heard of counts, when its node dies before Temporal is back',
    async () => {
      const { calls, stack } = live;
      const id = await calls.ringOut(2_000);
      const comeBack = takeAway(stack, ['temporal'], 'gone');
      await sleep(4_000);
      stack.kill('media');
      await comeBack();
      const call = await calls.ended(id, 40_000);
      expect(call).toMatchObject({ disposition: 'answered', end_reason: 'media_node_lost' });
      await stack.waitReady();
      await calls.dropStrays();
      await live.untilNothingIsOpen(60_000);
    },
    2 * MINUTE_MS,
  );

  /** Nobody hears it, and each call has the end that was given to it. */
  async function outlived(round: Round, outage: Outage): Promise<void> {
    const { calls, stack } = live;
    const before = await live.nodeState();
    const placing = calls.tryToPlace(round);
    if (outage.during === 'call') await placing;
    await sleep(round.waitMs);
    const comeBack = takeAway(stack, outage.targets, outage.way);
    try {
      const statuses = await calls.hangUpByPhone(calls.live.slice(0, round.hangUps));
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      if (outage.way !== 'kill') await sleep(outage.seconds * 1000);
    } finally {
      await comeBack();
    }
    await stack.waitReady();
    await placing;
    const half = Math.ceil(calls.live.length / 2);
    const byPhone = calls.live.slice(half);
    await calls.hangUpByApi(calls.live.slice(0, half), 30_000);
    await calls.hangUpByPhone(byPhone);
    await calls.dropStrays();
    expect(await calls.audioProblems()).toEqual([]);
    await settled();
    expect(await live.nodeState()).toEqual(before);
  }

  /** Every call of the node ends as lost. */
  async function lost(round: Round, targets: readonly StackProcess[]): Promise<void> {
    const { calls, stack } = live;
    await calls.place(round);
    await sleep(round.waitMs);
    calls.allEnd(LOST);
    const pids = targets.map((name) => stack.pid(name));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    if (targets.includes('supervisor')) {
      await stack.exited();
      await live.startAgain();
    } else await stack.waitForNewPid('media', pids[0] ?? 0);
    await settled();
    await stack.waitReady();
    const statuses = await Promise.all(calls.live.map(({ phone }) => phone.hangup()));
    expect(statuses.filter((status) => status !== 481)).toEqual([]);
  }

  async function settled(): Promise<void> {
    const { calls } = live;
    expect(await calls.wrongRecords(40_000)).toEqual([]);
    await live.untilNothingIsOpen(60_000, true);
    expect(calls.dialledTwice()).toEqual([]);
  }
});
