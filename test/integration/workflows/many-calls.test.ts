/** The reconciler over five thousand open calls. */
import { MAIN_TASK_QUEUE } from '../../../workflows/ids';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { parkCalls } from './parked-calls';

const OPEN = 5_000;
/** More than one answer of a comparison holds. */
const ORPHANED = 1_200;
const OLD_MS = 60_000;

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

/** Open rows of calls on the node, as old as they need to be. */
async function openRows(
  callIds: readonly string[],
  place: { readonly nodeId: string; readonly bootId: string } = node,
) {
  await env.dataSource.query(
    `INSERT INTO calls (id, org_id, direction, status, agent_id, trunk_id, session_id, from_number, to_number, metadata,
       node_id, boot_id, created_at, answered_at)
     SELECT id, $2, 'inbound', 'in_progress', $3, $4, id, '', '', '{}', $5, $6, $7, $7 FROM unnest($1::uuid[]) AS id`,
    [callIds, env.orgId, env.agentId, env.trunkId, place.nodeId, place.bootId, new Date(Date.now() - OLD_MS)],
  );
}

const openCount = async (): Promise<number> => (await env.calls.listOpen(0)).length;

/** Bytes of its history. */
async function reconcile(workflowId: string, runMs: number): Promise<number> {
  const args = [{ runMs }];
  await env.client.workflow.execute('reconcilerWorkflow', { workflowId, taskQueue: MAIN_TASK_QUEUE, args });
  return JSON.stringify(await env.client.workflow.getHandle(workflowId).fetchHistory()).length;
}

test('all of them well: nothing of them enters a history; one that its node has forgotten is found among them', async () => {
  const calls = await parkCalls(env, node, OPEN);
  const callIds = calls.map(({ callId }) => callId);
  await openRows(callIds);
  const sinceMs = Date.now() - OLD_MS;
  const listed = new Set(callIds);
  node.control.listCalls = () => [...listed].map((callId) => ({ callId, state: 'answered', sinceMs }));
  await waitFor('all of them in visibility', 60_000, async () => {
    const { count } = await env.client.workflow.count(`WorkflowType = 'callWorkflow' AND ExecutionStatus = 'Running'`);
    return count >= OPEN ? true : undefined;
  });

  expect(await reconcile('all-well', 0)).toBeLessThan(20_000);
  expect((await env.settled.get()).values).toEqual([]);

  const forgotten = callIds.at(-1) ?? '';
  listed.delete(forgotten);
  expect(await reconcile('one-forgotten', 0)).toBeLessThan(40_000);
  const { events } = await env.handle(forgotten).fetchHistory();
  const signals = (events ?? []).map((event) => event.workflowExecutionSignaledEventAttributes?.signalName);
  expect(signals).toContain('verify');
  expect((await env.settled.get()).values).toMatchObject([{ labels: { cause: 'forgotten_by_node' }, value: 1 }]);
  await env.dataSource.query('DELETE FROM calls');
  listed.clear();
}, 180_000);

test('more of them without a workflow than one answer holds: each is ended on its node and its record closed', async () => {
  const callIds = Array.from({ length: ORPHANED }, () => env.inboundInput(node).callId);
  await openRows(callIds);
  const listed = new Set(callIds);
  const sinceMs = Date.now() - OLD_MS;
  node.control.listCalls = () => [...listed].map((callId) => ({ callId, state: 'answered', sinceMs }));
  node.control.workflowLost = (callId) => void listed.delete(callId);
  const histories: number[] = [];
  for (let run = 1; (await openCount()) > 0 || listed.size > 0; run++) {
    expect(run).toBeLessThan(40);
    histories.push(await reconcile(`orphans-${run}`, 0));
  }
  expect(Math.max(...histories)).toBeLessThan(1_000_000);
  const { values } = await env.settled.get();
  const counts = Object.fromEntries(values.map(({ labels, value }) => [String(labels.cause), value]));
  expect(counts.open_without_workflow).toBe(ORPHANED);
}, 180_000);
