import { processIdentity } from '../../../scripts/process/identity';
import { answered } from '../../support/live/live-calls';
import { LiveStack } from '../../support/live/live-stack';
import type { StackProcess } from '../../support/stack';
import { waitFor } from '../../support/wait-for';

const MINUTE_MS = 60_000;
const ALL: readonly StackProcess[] = ['supervisor', 'media', 'worker', 'api', 'temporal', 'postgres'];
const LOST = answered('media_node_lost', 'system');
/** From the restart of the node, and from the death of one that stays away. */
const LOST_AFTER_RESTART_MS = 10_000;
const LOST_AFTER_DEATH_MS = 15_000;

describe('20 live calls and the processes they live in', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  /** What the phones of lost calls are told when they speak up. */
  async function expectUnknownDialogs(): Promise<void> {
    const { calls } = live;
    const [inbound] = calls.live.filter(({ direction }) => direction === 'inbound');
    const [outbound] = calls.live.filter(({ direction }) => direction === 'outbound');
    const answers = await Promise.all([inbound?.phone.request('INVITE', ''), outbound?.phone.request('INFO')]);
    expect(answers.map((answer) => answer?.status)).toEqual([481, 481]);
    const byes = await Promise.all(calls.live.map(({ phone }) => phone.hangup()));
    expect(new Set(byes)).toEqual(new Set([481]));
  }

  async function expectNewCallsWork(): Promise<void> {
    const { calls } = live;
    const call = await waitFor('a new call', 15_000, () => calls.call().catch(() => undefined));
    expect(await calls.hangUpByPhone([call])).toEqual([200]);
  }

  it(
    'are ended as lost within 10 s when the node is killed and back in a second',
    async () => {
      const { calls, stack } = live;
      await calls.place({ inbound: 20, outbound: 3 });
      const ringing = await calls.ringOut();
      const { bootId } = await live.nodeState();

      calls.allEnd(LOST);
      await stack.waitForNewPid('media', stack.kill('media'), 2_000);
      expect(await calls.wrongRecords(LOST_AFTER_RESTART_MS)).toEqual([]);
      expect(await calls.ended(ringing, 5_000)).toMatchObject({ disposition: 'failed', end_reason: 'media_node_lost' });
      await expectUnknownDialogs();
      await expectNewCallsWork();
      expect(await calls.wrongRecords()).toEqual([]);
      await live.untilNothingIsOpen();
      const state = await live.nodeState();
      expect(state.lostBoots).toEqual([bootId]);
      expect(state.bootId).not.toBe(bootId);
    },
    2 * MINUTE_MS,
  );

  it(
    'are ended as lost within 15 s when the node is killed and stays away',
    async () => {
      const { calls, stack } = live;
      await calls.place({ inbound: 20, outbound: 3 });
      calls.allEnd(LOST);
      stack.kill('supervisor', 'SIGSTOP');
      try {
        stack.kill('media');
        expect(await calls.wrongRecords(LOST_AFTER_DEATH_MS)).toEqual([]);
        expect(stack.findPid('media')).toBeUndefined();
      } finally {
        stack.kill('supervisor', 'SIGCONT');
      }
      await expectNewCallsWork();
      await expectUnknownDialogs();
      await live.untilNothingIsOpen();
    },
    2 * MINUTE_MS,
  );

  it(
    'are hung up when their supervisor was killed and is started again',
    async () => {
      const { calls, stack } = live;
      await calls.place({ inbound: 20, outbound: 3 });
      calls.allEnd(answered('node_drained', 'system'));
      const left = ALL.slice(1, 4).map((name) => stack.pid(name));
      stack.kill('supervisor');
      await stack.exited();
      await live.startAgain();
      expect(left.filter((pid) => processIdentity(pid) !== undefined)).toEqual([]);
      expect(calls.live).toEqual([]);
      expect(await calls.wrongRecords()).toEqual([]);
      await expectNewCallsWork();
      await live.untilNothingIsOpen();
    },
    2 * MINUTE_MS,
  );

  it(
    'are ended as lost when everything is killed at once and started again',
    async () => {
      const { calls, stack } = live;
      await calls.place({ inbound: 20, outbound: 3 });
      calls.allEnd(LOST);
      for (const pid of ALL.map((name) => stack.pid(name))) process.kill(pid, 'SIGKILL');
      await stack.exited();
      await live.startAgain();
      expect(await calls.wrongRecords(LOST_AFTER_RESTART_MS)).toEqual([]);
      await expectUnknownDialogs();
      await expectNewCallsWork();
      await live.untilNothingIsOpen();
    },
    2 * MINUTE_MS,
  );
});
