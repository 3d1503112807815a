/**
 * Kills and stops of everything, at moments that a seed decides, under calls that are live or being set up. `SOAK_SEED`
 * and `SOAK_ROUNDS` repeat or lengthen a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { answered } from '../support/live/live-calls';
import { LiveStack } from '../support/live/live-stack';
import { SeededRandom } from '../support/live/random';
import type { StackProcess } from '../support/stack';

const SEED = Number(process.env['SOAK_SEED'] ?? 20_261_124);
const ROUNDS = Number(process.env['SOAK_ROUNDS'] ?? 40);
const MINUTE_MS = 60_000;
const ALL: readonly StackProcess[] = ['supervisor', 'media', 'worker', 'api', 'temporal', 'postgres'];
const LOST = answered('media_node_lost', 'system');

/** Carries no audio: calls outlive it. */
type Dispensable = 'worker' | 'api' | 'temporal' | 'postgres';

type Blow =
  | { readonly way: 'kill' | 'stop'; readonly target: Dispensable; readonly seconds: number; readonly setup: boolean }
  | { readonly way: 'kill'; readonly target: 'media' | 'everything' };

interface Round {
  readonly blow: Blow;
  readonly inbound: number;
  readonly outbound: number;
  /** From the first call of a set-up, or from the last that was answered. */
  readonly waitMs: number;
  readonly hangUps: number;
}

function roundOf(random: SeededRandom): Round {
  const target = random.pick(['worker', 'api', 'temporal', 'postgres', 'temporal', 'postgres', 'media', 'everything']);
  const way = random.pick(['kill', 'kill', 'stop'] as const);
  const setup = random.next() < 0.5;
  const blow: Blow =
    target === 'media' || target === 'everything'
      ? { way: 'kill', target }
      : { way, target: target as Dispensable, seconds: random.between(1, 20), setup };
  return {
    blow,
    inbound: random.between(10, 25),
    outbound: random.between(2, 6),
    waitMs: random.between(0, 1_500),
    hangUps: random.between(0, 8),
  };
}

describe(`a matrix of kills, seed ${SEED}`, () => {
  let live: LiveStack;
  const random = new SeededRandom(SEED);
  const rounds = Array.from({ length: ROUNDS }, (_, i) => {
    const round = roundOf(random);
    return [`${i + 1}: ${JSON.stringify(round.blow)}`, round] as const;
  });

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it.each(rounds)(
    '%s',
    (_, round) => (isDispensable(round.blow) ? outlived(round, round.blow) : lost(round, round.blow)),
    4 * MINUTE_MS,
  );

  /** Nobody hears it, and each call has the end that was given to it. */
  async function outlived(round: Round, blow: Extract<Blow, { setup: boolean }>): Promise<void> {
    const { calls, stack } = live;
    const before = await live.nodeState();
    const placing = calls.tryToPlace(round);
    if (!blow.setup) await placing;
    await sleep(round.waitMs);
    const pid = stack.kill(blow.target, blow.way === 'kill' ? 'SIGKILL' : 'SIGSTOP');
    try {
      const statuses = await calls.hangUpByPhone(calls.live.slice(0, round.hangUps));
      expect(statuses.filter((status) => status !== 200)).toEqual([]);
      if (blow.way === 'stop') await sleep(blow.seconds * 1000);
    } finally {
      if (blow.way === 'stop') process.kill(pid, 'SIGCONT');
    }
    if (blow.way === 'kill') await stack.waitForNewPid(blow.target, pid, 30_000);
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
  async function lost(round: Round, { target }: Blow): Promise<void> {
    const { calls, stack } = live;
    await calls.place(round);
    await sleep(round.waitMs);
    calls.allEnd(LOST);
    if (target === 'media') await stack.waitForNewPid('media', stack.kill('media'));
    else {
      for (const pid of ALL.map((name) => stack.pid(name))) process.kill(pid, 'SIGKILL');
      await stack.exited();
      await live.startAgain();
    }
    await settled();
    await stack.waitReady();
    const statuses = await Promise.all(calls.live.map(({ phone }) => phone.hangup()));
    expect(statuses.filter((status) => status !== 481)).toEqual([]);
  }

  async function settled(): Promise<void> {
    const { calls } = live;
    expect(await calls.wrongRecords(40_000)).toEqual([]);
    await live.untilNothingIsOpen(60_000);
    expect(calls.dialledTwice()).toEqual([]);
  }
});

function isDispensable(blow: Blow): blow is Extract<Blow, { setup: boolean }> {
  return blow.target !== 'media' && blow.target !== 'everything';
}
