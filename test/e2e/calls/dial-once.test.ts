/**
 * At most one dial for each attempt, and one ending for each call, whatever is killed on the way from the POST to the
 * INVITE. What was dialled is counted at the carrier.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

import { newNumber, OutboundCalls } from '../../support/outbound';
import type { CallRecord } from '../../support/outbound';
import { hasSipp } from '../../support/sipp';
import { SippCarrier } from '../../support/sipp-carrier';
import { seededRandom } from '../../support/seeded-random';
import { Stack } from '../../support/stack';
import { StalledWrites } from '../../support/stalled-writes';
import type { WriteOfCall } from '../../support/stalled-writes';
import { waitFor } from '../../support/wait-for';

const describeWithSipp = hasSipp() ? describe : describe.skip;
const SOAK = process.env['TEST_SOAK'] === '1';
const ROUNDS = SOAK ? 10 : 1;
/** A process that ran this long may be killed again without the supervisor counting it as another failure in a row. */
const RECOVERED_MS = 10_500;

interface KeyedCall {
  readonly id: string;
  readonly key: string;
  readonly number: string;
}

describeWithSipp('a call whose processes are killed while it is placed', () => {
  let stack: Stack;
  let calls: OutboundCalls;
  let stalls: StalledWrites;
  let answering: SippCarrier;
  let ringing: SippCarrier;
  let answeringTrunk: string;
  let ringingTrunk: string;

  beforeAll(async () => {
    stack = await Stack.start();
    calls = await OutboundCalls.create(stack);
    stalls = await StalledWrites.create(stack.databaseUrl);
    [answering, ringing] = await Promise.all([
      SippCarrier.start({ scenario: 'carrier-answer.xml' }),
      SippCarrier.start({ scenario: 'carrier-ring.xml' }),
    ]);
    answeringTrunk = await calls.trunkTo(answering.port);
    ringingTrunk = await calls.trunkTo(ringing.port);
  }, 90_000);

  afterAll(async () => {
    await stalls?.close();
    await Promise.all([answering?.stop(), ringing?.stop()]);
    await stack?.stop();
  }, 60_000);

  let keys = 0;
  function keyed(): KeyedCall {
    const key = `dial-once-${++keys}`;
    return { id: calls.keyedId(key), key, number: newNumber() };
  }

  const post = (call: KeyedCall, trunk = answeringTrunk): ReturnType<OutboundCalls['post']> =>
    calls.post(trunk, call.number, {}, { 'Idempotency-Key': call.key });

  const postUntilTaken = (call: KeyedCall): Promise<CallRecord> =>
    calls.placeSurely(answeringTrunk, call.number, call.key);

  async function placeStalled(write: WriteOfCall, trunk = answeringTrunk): Promise<KeyedCall> {
    const call = keyed();
    await stalls.stall(call.id, write);
    expect((await post(call, trunk)).status).toBe(200);
    await stalls.reached(call.id, write);
    return call;
  }

  describe('of the media node, at each step of the dial', () => {
    it('is dialled at most once and ends once', async () => {
      const inviteUnmarked = await placeStalled('sent', ringingTrunk);
      await ringing.waitForRequest('INVITE', inviteUnmarked.number);
      const rings = keyed();
      await post(rings, ringingTrunk);
      await calls.until(rings.id, 'ringing');
      const talks = keyed();
      await post(talks);
      await calls.until(talks.id, 'in_progress');

      // The last one dies with its INVITE on the wire, before the node could tell anyone.
      const { socket, invites } = await bareCarrier(() => stack.kill('media'));
      const killed = stack.pid('media');
      const unreported = keyed();
      const bareTrunk = await calls.trunkTo(socket.address().port);
      // 3 s after it begins the node knows that nothing left and says so: it has to die before.
      const beforeIntended = await placeStalled('intended');
      await post(unreported, bareTrunk);
      await stack.waitForNewPid('media', killed);
      await stalls.abandon(beforeIntended.id, 'intended');
      await stalls.abandon(inviteUnmarked.id, 'sent');

      const ended = async ({ id }: KeyedCall): Promise<string> => {
        const call = await calls.ended(id, 30_000);
        return `${call.disposition} ${call.end_reason}`;
      };
      expect(await ended(talks)).toBe('answered media_node_lost');
      expect(await ended(rings)).toBe('failed media_node_lost');
      expect(await ended(inviteUnmarked)).toBe('failed media_node_lost');
      const unknown = ['uncertain null', 'failed media_node_lost'];
      expect(unknown).toContain(await ended(unreported));
      // Begun, and nobody can tell any more that nothing left; unless the node had given it up before it died.
      await settled(beforeIntended.id);
      await calls.hangup(beforeIntended.id);
      const redialled = (await ended(beforeIntended)) === 'answered api_hangup';
      if (!redialled) expect(await ended(beforeIntended)).toBe('uncertain null');
      expect(answering.callIds(beforeIntended.number)).toHaveLength(redialled ? 1 : 0);
      expect(answering.callIds(talks.number)).toHaveLength(1);
      expect(ringing.callIds(rings.number)).toHaveLength(1);
      expect(ringing.callIds(inviteUnmarked.number)).toHaveLength(1);
      expect(new Set(invites.map(callIdOf)).size).toBe(1);
      socket.close();
      await stack.waitReady();
    }, 90_000);

    it('is dialled in another attempt when the first is known to have sent nothing', async () => {
      const call = await placeStalled('intended');
      // The node sends no INVITE later than 3 s after it began.
      await sleep(3_200);
      await stalls.release(call.id, 'intended');
      await calls.until(call.id, 'in_progress', 20_000);
      await calls.hangup(call.id);
      expect(await calls.ended(call.id)).toMatchObject({ disposition: 'answered', end_reason: 'api_hangup' });
      expect(answering.callIds(call.number)).toHaveLength(1);
    }, 60_000);
  });

  describe('of the worker, at each step', () => {
    it('is dialled once and goes on, or expires undialled and is dialled once for the repeated request', async () => {
      const inviteUnmarked = await placeStalled('dialing');
      const talks = keyed();
      await post(talks);
      await calls.until(talks.id, 'in_progress');

      // Within 3 s, before the node gives the dial up.
      const beforeIntended = await placeStalled('intended');
      // Its first task dies with the worker that was given it.
      const untouched = keyed();
      stack.kill('worker', 'SIGSTOP');
      const posting = post(untouched).catch(() => undefined);
      await sleep(300);
      const killed = stack.kill('worker');
      await stalls.release(beforeIntended.id, 'intended');
      await stalls.release(inviteUnmarked.id, 'dialing');
      await stack.waitForNewPid('worker', killed);
      const begun = [beforeIntended, inviteUnmarked, talks];
      await Promise.all(begun.map(({ id }) => calls.until(id, 'in_progress', 30_000)));
      await Promise.all(begun.map(({ id }) => calls.hangup(id)));
      for (const call of begun) {
        expect(await calls.ended(call.id)).toMatchObject({ disposition: 'answered', end_reason: 'api_hangup' });
        expect(answering.callIds(call.number)).toHaveLength(1);
      }

      // The next task comes after the request's deadline.
      expect((await posting)?.status).not.toBe(200);
      expect((await calls.ended(untouched.id, 30_000)).disposition).toBe('expired');
      expect(answering.callIds(untouched.number)).toEqual([]);
      const repeated = await postUntilTaken(untouched);
      expect(repeated.id).not.toBe(untouched.id);
      await calls.until(repeated.id, 'in_progress');
      await calls.hangup(repeated.id);
      await calls.ended(repeated.id);
      expect(answering.callIds(untouched.number)).toHaveLength(1);
    }, 90_000);
  });

  it('of a worker that stands still gets an answer that names it, and its repeat finds it', async () => {
    const call = keyed();
    const worker = stack.pid('worker');
    process.kill(worker, 'SIGSTOP');
    const answer = await post(call).finally(() => process.kill(worker, 'SIGCONT'));
    expect([answer.status, answer.body]).toEqual([
      503,
      expect.objectContaining({ code: 'outcome_unknown', call_id: call.id }),
    ]);
    expect((await postUntilTaken(call)).id).toBe(call.id);
    await calls.until(call.id, 'in_progress', 30_000);
    await calls.hangup(call.id);
    expect((await calls.ended(call.id)).disposition).toBe('answered');
    expect(answering.callIds(call.number)).toHaveLength(1);
  }, 90_000);

  it(
    'of the API, at any moment of the request, is dialled once for all its repeats',
    async () => {
      const random = seededRandom(20_251);
      for (let round = 0; round < ROUNDS; round++) {
        if (round > 0) await sleep(RECOVERED_MS);
        const burst = Array.from({ length: 8 }, keyed);
        const answers = burst.map(async (call) => {
          await sleep(random() * 60);
          return post(call).catch(() => undefined);
        });
        await sleep(random() * 80);
        const killed = stack.kill('api');
        await Promise.all(answers);
        await stack.waitForNewPid('api', killed);
        await stack.waitReady();
        const taken = await Promise.all(burst.map((call) => postUntilTaken(call)));
        expect(taken.map(({ id }) => id)).toEqual(burst.map(({ id }) => id));
        await Promise.all(burst.map(({ id }) => calls.until(id, 'in_progress', 30_000)));
        await Promise.all(burst.map(({ id }) => calls.hangup(id)));
        await Promise.all(burst.map(({ id }) => calls.ended(id)));
        for (const { number } of burst) expect(answering.callIds(number)).toHaveLength(1);
      }
    },
    120_000 * ROUNDS,
  );

  it(
    'of worker and media node, at any moment after the request, is dialled at most once and ends once',
    async () => {
      const random = seededRandom(7);
      for (let round = 0; round < ROUNDS; round++) {
        if (round > 0) await sleep(RECOVERED_MS);
        const burst = Array.from({ length: 12 }, keyed);
        const answers = burst.map(async (call) => {
          await sleep(random() * 150);
          return post(call).catch(() => undefined);
        });
        const kills = (['media', 'worker'] as const).map(async (name) => {
          await sleep(30 + random() * 250);
          const killed = stack.kill(name);
          await stack.waitForNewPid(name, killed);
        });
        await Promise.all([...answers, ...kills]);
        await stack.waitReady();
        const taken = await Promise.all(burst.map((call) => postUntilTaken(call)));
        await Promise.all(taken.map(({ id }) => settled(id)));
        await Promise.all(taken.map(({ id }) => calls.hangup(id)));
        const ended = await Promise.all(taken.map(({ id }) => calls.ended(id, 30_000)));
        ended.forEach((call, at) => {
          const dialled = answering.callIds(burst[at]?.number ?? '').length;
          expect(dialled).toBeLessThanOrEqual(1);
          if (call.disposition === 'answered') expect(dialled).toBe(1);
          else if (call.disposition === 'expired') expect(dialled).toBe(0);
          else expect(['uncertain', 'failed']).toContain(call.disposition);
        });
      }
    },
    120_000 * ROUNDS,
  );

  /** Answered, or over. */
  async function settled(callId: string): Promise<void> {
    await waitFor(`${callId} answered or over`, 40_000, async () => {
      const { status } = await calls.find(callId);
      return status === 'in_progress' || status === 'completed' ? true : undefined;
    });
  }
});

/** A carrier of one socket that reacts the moment an INVITE is there. */
async function bareCarrier(onInvite: () => void): Promise<{ socket: Socket; invites: string[] }> {
  const socket = createSocket('udp4').unref();
  const invites: string[] = [];
  socket.on('message', (bytes) => {
    const request = bytes.toString('latin1');
    // The watch over the trunk is none of the call's.
    if (request.startsWith('OPTIONS ')) return;
    invites.push(request);
    if (invites.length === 1) onInvite();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { socket, invites };
}

function callIdOf(invite: string): string {
  return /^Call-ID: *(\S+)/im.exec(invite)?.[1] ?? '';
}
