/** What a plain call leaves in Temporal: each event is a write, and each task of the workflow four of them. */
import { temporal } from '@temporalio/proto';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { FakeNode } from './environment';
import { hangUp } from './hang-up';

const { EventType } = temporal.api.enums.v1;
const TASK = ['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'];
const DIALLED = ['ACTIVITY_TASK_SCHEDULED', 'ACTIVITY_TASK_STARTED', 'ACTIVITY_TASK_COMPLETED'];
/** Disposition for the lists, and the local activity that closes the record. */
const CLOSED = ['UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', 'MARKER_RECORDED', 'WORKFLOW_EXECUTION_COMPLETED'];
const ENDED = ['WORKFLOW_EXECUTION_SIGNALED', ...TASK, ...CLOSED];

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

/** A task that a busy machine was too slow for is repeated: what it has left is not the workflow's doing. */
async function eventsOf(callId: string): Promise<string[]> {
  const { events } = await env.handle(callId).fetchHistory();
  const kept: string[] = [];
  for (const { eventType } of events ?? []) {
    const type = String(EventType[eventType ?? 0]).replace('EVENT_TYPE_', '');
    if (type !== 'WORKFLOW_TASK_TIMED_OUT' && type !== 'WORKFLOW_TASK_FAILED') kept.push(type);
    else kept.length = kept.lastIndexOf('WORKFLOW_TASK_SCHEDULED');
  }
  return kept;
}

async function answeredOutbound(): Promise<string> {
  const input = env.outboundInput();
  await env.placeCall(input);
  await waitFor('the INVITE', 5_000, () => node.control.calls.get(input.callId));
  // The workflow has heard of it: a call that is answered at once is not what is counted here.
  await waitFor('the place of the call', 5_000, async () => {
    const { nodeId } = await env.handle(input.callId).query<{ nodeId: string | null }>('status');
    return nodeId ?? undefined;
  });
  node.control.answer(input.callId);
  await env.rowIs(input.callId, 'in_progress');
  return input.callId;
}

test('a call that came in: a task for its beginning, one for its end', async () => {
  const { callId } = await env.receiveCall(node);
  node.control.answer(callId);
  await waitFor('the first task', 5_000, async () =>
    (await eventsOf(callId)).includes('TIMER_STARTED') ? true : undefined,
  );
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
  const events = await eventsOf(callId);
  expect(events).toEqual(['WORKFLOW_EXECUTION_STARTED', ...TASK, 'TIMER_STARTED', ...ENDED]);
  expect(events).toHaveLength(12);
}, 30_000);

test('a call out: one more when it is dialled, none when it is answered', async () => {
  const callId = await answeredOutbound();
  node.control.end(callId, { ...PEER_HANGUP, endReason: 'callee_hangup', endedBy: 'callee' });
  await env.finished(callId);
  const events = await eventsOf(callId);
  expect(events).toEqual([
    'WORKFLOW_EXECUTION_STARTED',
    ...TASK,
    ...DIALLED,
    ...TASK,
    'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
    'TIMER_STARTED',
    ...ENDED,
  ]);
  expect(events).toHaveLength(19);
}, 30_000);

test('hung up by the API: one more for the request, which the end of the call answers', async () => {
  const callId = await answeredOutbound();
  expect(await hangUp(env, callId)).toEqual({ outcome: 'done' });
  await env.finished(callId);
  const events = await eventsOf(callId);
  expect(events.slice(0, 12)).toHaveLength(12);
  expect(events.slice(12, 17)).toEqual([...TASK, 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED', 'ACTIVITY_TASK_SCHEDULED']);
  expect(events).toHaveLength(25);
}, 30_000);
