/**
 * Runs one call of every kind on the real server and replays what it recorded. `SAVE_HISTORIES=1` also writes the
 * histories to test/fixtures/histories, where `replay.test.ts` holds later versions of the workflows to them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { PROJECT_ROOT } from '../../../scripts/project-root';
import { nodeLostSignal } from '../../../workflows/call/messages';
import { callWorkflowId, mediaNodeWorkflowId } from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import type { DialPlan } from '../../fakes/fake-media-control';
import { until, WorkflowEnvironment, workflowBundle } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';
import { PlannedDials } from './planned-dials';

const FOLDER = join(__dirname, '../../fixtures/histories');

let env: WorkflowEnvironment;
let node: FakeNode;
let calls: PlannedDials;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
  calls = new PlannedDials(env, node);
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function inbound(answered: boolean): Promise<string> {
  const { callId } = await env.receiveCall(node);
  await env.rowIs(callId, 'ringing');
  if (answered) {
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
  }
  return callId;
}

const outbound = (...dials: readonly DialPlan[]): Promise<string> => calls.place(dials);

const SCENARIOS: Readonly<Record<string, () => Promise<string>>> = {
  'inbound-plain': async () => {
    const callId = await inbound(true);
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'inbound-hangup-by-api': async () => {
    const callId = await inbound(true);
    await hangUp(env, callId);
    return callId;
  },
  'inbound-cancelled-in-ui': async () => {
    const callId = await inbound(true);
    await env.handle(callId).cancel();
    return callId;
  },
  'inbound-node-lost': async () => {
    const callId = await inbound(true);
    await env.handle(callId).signal(nodeLostSignal, { bootId: node.bootId });
    return callId;
  },
  'inbound-setup-abandoned': async () => {
    const callId = await inbound(false);
    node.control.forget(callId);
    return callId;
  },
  'outbound-plain': async () => {
    const callId = await outbound({ kind: 'ring' });
    await env.rowIs(callId, 'ringing');
    node.control.answer(callId);
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-busy': () =>
    outbound({ kind: 'end', ending: { disposition: 'busy', endReason: null, endedBy: 'callee', sip: null } }),
  'outbound-dialled-again': async () => {
    const callId = await outbound({ kind: 'refuse', code: 'node_full' }, { kind: 'answer' });
    await env.rowIs(callId, 'in_progress');
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-uncertain': () => outbound({ kind: 'hang_after_intended' }),
  'outbound-adopted': async () => {
    const callId = await outbound({ kind: 'fail_after_invite' });
    await until('the call on its node', 5_000, () => (node.control.calls.has(callId) ? true : undefined));
    await new Promise((resolve) => setTimeout(resolve, 500));
    node.control.end(callId, PEER_HANGUP);
    return callId;
  },
  'outbound-hangup-while-queued': async () => {
    const callId = await outbound(...Array<DialPlan>(5).fill({ kind: 'refuse', code: 'node_full' }));
    await hangUp(env, callId);
    return callId;
  },
};

async function replay(name: string, workflowId: string): Promise<void> {
  const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
  if (process.env['SAVE_HISTORIES'] !== '1') return;
  mkdirSync(FOLDER, { recursive: true });
  const json = historyToJSON(history)
    .replace(/("identity":\s*)"[^"]*"/g, '$1"test"')
    .replaceAll(`${PROJECT_ROOT}/`, '');
  writeFileSync(join(FOLDER, `${name}.json`), `${json}\n`);
}

test('calls of every kind replay', async () => {
  const running = Object.entries(SCENARIOS).map(async ([name, run]) => {
    const callId = await run();
    await env.finished(callId, 30_000);
    return [name, callId] as const;
  });
  for (const [name, callId] of await Promise.all(running)) await replay(name, callWorkflowId(callId));
}, 90_000);

test('the workflows of a media node and of the reconciler replay', async () => {
  const extra = await env.startNode('another');
  await env.stopNode(extra);
  const workflowId = mediaNodeWorkflowId('another');
  await env.client.workflow.getHandle(workflowId).result();
  await replay('media-node-started-and-stopped', workflowId);
  await env.client.workflow.execute('reconcilerWorkflow', { workflowId: 'reconciler-once', taskQueue: 'trunkline' });
  await replay('reconciler-nothing-found', 'reconciler-once');
}, 60_000);
