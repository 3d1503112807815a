/** Calls that wait for room, on the real ledger: in their order, on time, and whatever dies meanwhile. */
import { uuidV7 } from '../../../store/ids';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import type { CapacityPlace } from '../../../store/repositories/capacity-repository';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';

let env: WorkflowEnvironment;
let node: FakeNode;
/** When the INVITE of each attempt left, epoch ms. */
const invites = new Map<string, number>();

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  node.control.plan = () => ({ kind: 'answer' });
  node.control.onInvite = (sipCallId) => invites.set(sipCallId, Date.now());
  await env.dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [env.orgId]);
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function trunkOf(maxConcurrentCalls: number | null, maxCallsPerSecond: number | null = null): Promise<string> {
  const id = uuidV7();
  await env.dataSource.query(
    `INSERT INTO outbound_trunks (id, org_id, name, host, username, password_sealed, caller_number,
       max_concurrent_calls, max_calls_per_second) VALUES ($1, $2, 'T', 'h', 'u', '', '+1', $3, $4)`,
    [id, env.orgId, maxConcurrentCalls, maxCallsPerSecond],
  );
  return id;
}

async function place(trunkId: string, more: { readonly expiresAtMs?: number } = {}): Promise<string> {
  const input = env.outboundInput({ trunkId, expiresAtMs: Date.now() + 600_000, ...more });
  await env.placeCall(input);
  return input.callId;
}

const placeOf = async (callId: string): Promise<CapacityPlace | undefined> =>
  (await new CapacityRepository(env.dataSource).places(env.orgId, [callId])).get(callId);

const invitedAt = async (callId: string): Promise<number | undefined> => {
  for (const { sipCallId } of await env.attempts(callId)) if (invites.has(sipCallId)) return invites.get(sipCallId);
  return undefined;
};

const dialled = (callId: string, limitMs = 10_000): Promise<number> =>
  waitFor(`the INVITE of ${callId}`, limitMs, () => invitedAt(callId));

const inUse = async (trunkId: string): Promise<number> =>
  (await new CapacityRepository(env.dataSource).inUse()).find((one) => one.trunkId === trunkId)?.leases ?? 0;

describe('calls at once', () => {
  test.concurrent(
    'the second waits, first in the queue, and is dialled when the first is over',
    async () => {
      const trunkId = await trunkOf(1);
      const [first, second, third] = [await place(trunkId), await place(trunkId), await place(trunkId)];
      await dialled(first);
      expect(await env.row(second)).toMatchObject({ status: 'queued' });
      expect(await placeOf(second)).toMatchObject({ reason: 'trunk_concurrency', position: 1, retryAt: null });
      expect(await placeOf(third)).toMatchObject({ position: 2 });
      expect(await env.attempts(second)).toEqual([]);
      const overAtMs = Date.now();
      node.control.end(first, PEER_HANGUP);
      expect((await dialled(second)) - overAtMs).toBeLessThan(3_000);
      expect(await placeOf(second)).toBeUndefined();
      expect(await env.attempts(second)).toMatchObject([{ n: 1 }]);
      expect(await placeOf(third)).toMatchObject({ position: 1 });
      node.control.end(second, PEER_HANGUP);
      await dialled(third);
      node.control.end(third, PEER_HANGUP);
      await Promise.all([first, second, third].map((callId) => env.finished(callId)));
      expect(await inUse(trunkId)).toBe(0);
    },
    60_000,
  );

  test.concurrent(
    'one that is hung up while it waits was never dialled, and leaves the queue',
    async () => {
      const trunkId = await trunkOf(1);
      const [first, second, third] = [await place(trunkId), await place(trunkId), await place(trunkId)];
      await dialled(first);
      await hangUp(env, second);
      expect(await env.finished(second)).toMatchObject({ disposition: 'canceled', sipCallId: null });
      expect(await placeOf(third)).toMatchObject({ position: 1 });
      node.control.end(first, PEER_HANGUP);
      await dialled(third);
      expect(await env.attempts(second)).toEqual([]);
      node.control.end(third, PEER_HANGUP);
    },
    60_000,
  );

  test.concurrent(
    'one that waits for too long ends as expired, and says for what',
    async () => {
      const trunkId = await trunkOf(1);
      const first = await place(trunkId);
      await dialled(first);
      const second = await place(trunkId, { expiresAtMs: Date.now() + 2_000 });
      expect(await env.finished(second)).toMatchObject({
        disposition: 'expired',
        sipReason: 'there was no room for the call in time: trunk concurrency',
      });
      node.control.end(first, PEER_HANGUP);
    },
    60_000,
  );
});

describe('calls in a second', () => {
  test.concurrent(
    'five at once leave in their order, a second apart',
    async () => {
      const trunkId = await trunkOf(null, 1);
      const calls: string[] = [];
      for (let n = 0; n < 5; n++) calls.push(await place(trunkId));
      const times: number[] = [];
      for (const callId of calls) times.push(await dialled(callId, 20_000));
      const gaps = times.slice(1).map((atMs, n) => atMs - times[n]!);
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(950);
      expect(times[4]! - times[0]!).toBeLessThan(6_000);
      for (const callId of calls) node.control.end(callId, PEER_HANGUP);
    },
    60_000,
  );
});
