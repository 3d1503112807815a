/** Places on trunks, and those who wait for one, when processes die. */
import { uuidV7 } from '../../../store/ids';
import { CapacityRepository } from '../../../store/repositories/capacity-repository';
import { CallWorkflows } from '../../../workflows/client/call-workflows';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

let env: WorkflowEnvironment;
let ledger: CapacityRepository;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  ledger = new CapacityRepository(env.dataSource);
  await env.dataSource.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [env.orgId]);
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function trunkOfOne(): Promise<string> {
  const id = uuidV7();
  await env.dataSource.query(
    `INSERT INTO outbound_trunks (id, org_id, name, host, username, password_sealed, caller_number, max_concurrent_calls)
     VALUES ($1, $2, 'T', 'h', 'u', '', '+1', 1)`,
    [id, env.orgId],
  );
  return id;
}

async function place(trunkId: string): Promise<string> {
  const input = env.outboundInput({ trunkId, expiresAtMs: Date.now() + 600_000 });
  await env.placeCall(input);
  return input.callId;
}

const isDialled = (callId: string, limitMs: number): Promise<true> =>
  waitFor(`an attempt of ${callId}`, limitMs, async () =>
    (await env.attempts(callId)).some(({ state }) => state === 'sent') ? true : undefined,
  );

test('a node that is killed with its calls gives its places back within 30 s, and who waits is dialled by another', async () => {
  const trunkId = await trunkOfOne();
  const killed = await env.spawnNode('killed');
  killed.order({ do: 'accept', plan: null });
  const first = await place(trunkId);
  await isDialled(first, 10_000);
  const survivor = await env.startNode('survivor');
  survivor.control.plan = () => ({ kind: 'answer' });
  const second = await place(trunkId);
  // It has to have seen the database for longer than others may be silent.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  expect(await env.attempts(second)).toEqual([]);
  const killedAtMs = Date.now();
  await killed.kill();
  await isDialled(second, 30_000);
  expect(Date.now() - killedAtMs).toBeLessThan(30_000);
  expect(await env.finished(first)).toMatchObject({ endReason: 'media_node_lost' });
  survivor.control.end(second, PEER_HANGUP);
  await env.finished(second);
  expect(await ledger.inUse()).toEqual([]);
}, 120_000);

test('a place that comes free while no worker runs is not lost', async () => {
  const trunkId = await trunkOfOne();
  const node = env.nodes[0]!;
  const [first, second] = [await place(trunkId), await place(trunkId)];
  await isDialled(first, 10_000);
  await env.stopWorker();
  node.control.end(first, PEER_HANGUP);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await env.startWorker();
  await isDialled(second, 20_000);
  node.control.end(second, PEER_HANGUP);
  await env.finished(second);
}, 60_000);

test('a word to who waits that got lost is said again, and a workflow that is gone stands in nobody’s way', async () => {
  const trunkId = await trunkOfOne();
  const node = env.nodes[0]!;
  const [first, second, third] = [await place(trunkId), await place(trunkId), await place(trunkId)];
  await isDialled(first, 10_000);
  await env.handle(second).terminate();
  // As by a node that dies between the two: the place is free, the next one chosen, and nobody told.
  const told = jest.spyOn(CallWorkflows.prototype, 'signalCapacity').mockResolvedValueOnce('delivered');
  node.control.end(first, PEER_HANGUP);
  await isDialled(third, 20_000);
  expect(told.mock.calls.map(([callId]) => callId).slice(0, 3)).toEqual([second, second, third]);
  told.mockRestore();
  expect(await ledger.places(env.orgId, [second, third])).toEqual(new Map());
  node.control.end(third, PEER_HANGUP);
}, 90_000);
