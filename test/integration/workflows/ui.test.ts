/** What people see of calls in Temporal's UI: which of them failed, and what each step of one is for. */
import type { temporal } from '@temporalio/proto';
import { verifySignal } from '../../../workflows/call/messages';
import { callWorkflowId, mediaNodeWorkflowId } from '../../../workflows/ids';
import type { DialPlan } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { PlannedDials } from './planned-dials';

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

const ended = (disposition: 'busy' | 'trunk_unreachable'): DialPlan => ({
  kind: 'end',
  ending: { disposition, endReason: null, endedBy: 'callee', sip: null },
});

/** As the row of the list shows it. */
async function listedStatus(callId: string): Promise<string> {
  return await waitFor('the closed workflow in the list', 10_000, async () => {
    const query = `WorkflowId = '${callWorkflowId(callId)}'`;
    for await (const { status } of env.client.workflow.list({ query })) {
      if (status.name !== 'RUNNING') return status.name;
    }
    return undefined;
  });
}

async function forgottenCall(): Promise<string> {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  node.control.forget(callId);
  await env.handle(callId).signal(verifySignal, { bootId: node.bootId });
  return callId;
}

test.each([
  ['a trunk that cannot be reached', () => calls.place([ended('trunk_unreachable')]), 'FAILED', 'trunk_unreachable'],
  ['a call that its node has forgotten', forgottenCall, 'FAILED', 'answered, error'],
  ['a busy callee', () => calls.place([ended('busy')]), 'COMPLETED', null],
] as const)(
  '%s: the row says so',
  async (_, place, status, message) => {
    const callId = await place();
    await env.finished(callId, 30_000);
    expect(await listedStatus(callId)).toBe(status);
    if (message === null) return;
    const { events } = await env.handle(callId).fetchHistory();
    const failure = (events ?? []).at(-1)?.workflowExecutionFailedEventAttributes?.failure;
    expect(failure?.message).toBe(message);
  },
  60_000,
);

test('each timer and each activity says what it is for', async () => {
  const dialledAgain = await calls.place([{ kind: 'refuse', code: 'node_full' }, ended('busy')]);
  const forgotten = await forgottenCall();
  await Promise.all([env.finished(dialledAgain, 30_000), env.finished(forgotten, 30_000)]);
  for (const workflowId of [
    callWorkflowId(dialledAgain),
    callWorkflowId(forgotten),
    mediaNodeWorkflowId(node.nodeId),
  ]) {
    const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
    const steps = (events ?? []).filter(isStep);
    expect(steps.length).toBeGreaterThan(0);
    for (const { eventId, userMetadata } of steps) {
      expect([workflowId, eventId, userMetadata?.summary != null]).toEqual([workflowId, eventId, true]);
    }
  }
}, 60_000);

test('each signal, query and update says what it means', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  for (const workflowId of [callWorkflowId(callId), mediaNodeWorkflowId(node.nodeId)]) {
    const metadata = await env.client.workflow
      .getHandle(workflowId)
      .query<temporal.api.sdk.v1.IWorkflowMetadata>('__temporal_workflow_metadata');
    const { signalDefinitions, queryDefinitions, updateDefinitions } = metadata.definition ?? {};
    const own = [signalDefinitions, queryDefinitions, updateDefinitions]
      .flatMap((definitions) => definitions ?? [])
      .filter(({ name }) => !name?.startsWith('__'));
    expect(own.length).toBeGreaterThan(3);
    for (const { name, description } of own) expect(`${name}: ${description ?? ''}`).toMatch(/: \S/);
  }
}, 60_000);

function isStep(event: temporal.api.history.v1.IHistoryEvent): boolean {
  return event.timerStartedEventAttributes != null || event.activityTaskScheduledEventAttributes != null;
}
