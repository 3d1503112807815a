import { setTimeout as sleep } from 'node:timers/promises';

import { LiveStack } from '../../support/live/live-stack';
import { survivesKillOf } from '../../support/live/survival';
import { waitFor } from '../../support/wait-for';

const MINUTE_MS = 60_000;

describe('20 live calls and the processes they can do without', () => {
  let live: LiveStack;

  beforeAll(async () => {
    live = await LiveStack.start();
  }, 90_000);

  afterAll(async () => {
    await live?.close();
  }, 60_000);

  it(
    'leave the reconciler nothing to do while nothing dies',
    async () => {
      const { calls } = live;
      await calls.place({ inbound: 20, outbound: 3 });
      const before = await live.reconcilerPasses();
      // The first of them may have begun before the calls were there.
      await waitFor('two passes of the reconciler', 35_000, async () =>
        (await live.reconcilerPasses()) >= before + 2 ? true : undefined,
      );
      expect(calls.live).toHaveLength(23);
      const statuses = await calls.hangUpByPhone(calls.live.slice(0, 12));
      expect(new Set(statuses)).toEqual(new Set([200]));
      await calls.hangUpByApi(calls.live);
      expect(await calls.audioProblems()).toEqual([]);
      expect(await calls.wrongRecords()).toEqual([]);
      // A pass that saw them end, too.
      await sleep(12_000);
      expect(await live.reconciled()).toEqual({});
      expect((await live.nodeState()).lostBoots).toEqual([]);
    },
    2 * MINUTE_MS,
  );

  it('are heard to stand still when the media node does: these tests would notice', async () => {
    const { calls, stack } = live;
    await calls.place({ inbound: 2, outbound: 0 });
    await sleep(500);
    stack.kill('media', 'SIGSTOP');
    await sleep(400);
    stack.kill('media', 'SIGCONT');
    await sleep(500);
    const interrupted = new Set((await calls.audioProblems()).map(({ sipCallId }) => sipCallId));
    expect([...interrupted].sort()).toEqual(calls.live.map(({ phone }) => phone.sipCallId).sort());
    await calls.hangUpByPhone(calls.live);
  }, 30_000);

  it.each(['worker', 'api'] as const)(
    'outlive a kill -9 of the %s',
    (name) => survivesKillOf(live, name, { inbound: 20, outbound: 3 }),
    2 * MINUTE_MS,
  );
});
