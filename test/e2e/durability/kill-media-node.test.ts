import { processIdentity } from '../../../scripts/process/identity';
import { answered } from '../../support/live/live-calls';
import type { LiveCall } from '../../support/live/live-calls';
import { LiveStack } from '../../support/live/live-stack';
import { newNumber } from '../../support/outbound';
import type { PhoneCall } from '../../support/phone/phone-call';
import type { StackProcess } from '../../support/stack';
import type { TransferredCall } from '../../support/transfer/transfer-stack';
import { waitFor } from '../../support/wait-for';

interface Transferring {
  readonly path: string;
  /** Whoever has answered. */
  readonly there: PhoneCall | null;
}

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
    'are ended with every leg when they are transferred, and the transfers are what had become of them',
    async () => {
      const { calls, stack } = live;
      const { carrier } = calls;
      await calls.place({ inbound: 4, outbound: 0 });
      const begin = async (call: LiveCall, mode: string, ringMs?: 'forever'): Promise<Transferring> => {
        const path = `/phone/calls/${(await calls.find(call))?.id}`;
        const number = newNumber();
        if (ringMs !== undefined) calls.ringFor(number, ringMs);
        const briefing = mode === 'warm' ? { briefing: 'A call.' } : {};
        const body = { type: 'phone', value: number, mode, ring_timeout_seconds: 120, ...briefing };
        const { transfer_id: id } = (await stack.api<{ transfer_id: string }>('POST', `${path}/transfer`, body)).body;
        await waitFor(`${number} at the carrier`, 15_000, () =>
          carrier.invites.some(({ user }) => user === number) ? true : undefined,
        );
        const there = ringMs === undefined ? await waitFor('the other leg', 15_000, () => carrier.calls.get(id)) : null;
        return { path, there };
      };
      const record = async ({ path }: Transferring): Promise<TransferredCall> =>
        (await stack.api<TransferredCall>('GET', path)).body;
      const [first, second, third, fourth] = calls.live as [LiveCall, LiveCall, LiveCall, LiveCall];
      const bridged = await begin(first, 'bridge');
      const accepted = await begin(second, 'warm');
      await accepted.there?.sendDigits('1');
      const asked = await begin(third, 'warm');
      const ringing = await begin(fourth, 'bridge', 'forever');
      for (const transfer of [bridged, accepted]) {
        await waitFor('the two to be joined', 15_000, async () =>
          (await record(transfer)).transfer?.outcome === 'transferred' ? true : undefined,
        );
      }
      calls.allEnd(LOST);
      await stack.waitForNewPid('media', stack.kill('media'), 2_000);
      expect(await calls.wrongRecords(LOST_AFTER_RESTART_MS)).toEqual([]);
      const records = await Promise.all([bridged, accepted, asked, ringing].map(record));
      expect(records.map(({ transfer }) => transfer)).toMatchObject([
        { mode: 'bridge', outcome: 'transferred', failed_step: null },
        { mode: 'warm', outcome: 'transferred', failed_step: null },
        { mode: 'warm', outcome: 'call_ended', failed_step: 'consult' },
        { mode: 'bridge', outcome: 'call_ended', failed_step: 'dial' },
      ]);
      // Nobody is left there who could tell the phones; when they speak up they hear that.
      const others = [bridged, accepted, asked].flatMap(({ there }) => there ?? []);
      const byes = await Promise.all([...calls.live.map(({ phone }) => phone), ...others].map((leg) => leg.hangup()));
      expect(byes).toEqual(Array.from({ length: 7 }, () => 481));
      await expectNewCallsWork();
      await live.untilNothingIsOpen();
      expect(await live.runningTransfers()).toBe(0);
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
