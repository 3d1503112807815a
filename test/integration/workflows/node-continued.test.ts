/** The workflow of a media node begins a new run when its history is full; whom it watches and tells goes on over it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { Call } from '../../../store/entities/call';
import { grpcStatus } from '../../../workflows/client/grpc-status';
import { NodeWorkflows } from '../../../workflows/client/node-workflows';
import { callWorkflowId, mediaNodeWorkflowId } from '../../../workflows/ids';
import { nodeStateQuery, nodeStoppedSignal, suspectSignal } from '../../../workflows/node/messages';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

/** The server suggests a new run at 4 MiB of history; one signal may have 2 MiB. */
const FILLERS = 5;
const FILLER_CHARS = 900_000;
const MAX_SUSPICIONS = 1_000;

let env: WorkflowEnvironment;
let dying: ReturnType<typeof dieWhileContinued>;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
  // Beside everything else: it takes the longest.
  dying = dieWhileContinued();
  dying.catch(() => undefined); // awaited by its test
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

const runOf = async (handle: WorkflowHandle): Promise<string> => (await handle.describe()).runId;

/** The orderly stop of a boot that never was changes nothing but the size of the history. */
async function fillHistory(handle: WorkflowHandle, onNearlyFull: () => Promise<void> = async () => {}): Promise<void> {
  const bootId = 'x'.repeat(FILLER_CHARS);
  for (let n = 0; n < FILLERS; n++) {
    if (n === FILLERS - 2) await onNearlyFull();
    await handle.signal(nodeStoppedSignal, { bootId });
  }
  // A signal that came during a task is not counted before the task after the next.
  await sleep(200);
  await untilTaken(() => handle.signal(nodeStoppedSignal, { bootId: 'none' }));
}

/** As the server does it for a call's workflow: again, where it takes no signals for a moment because the run closes. */
async function untilTaken(signal: () => Promise<void>): Promise<void> {
  await waitFor('a signal that is taken', 20_000, async () => {
    try {
      await signal();
      return true;
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!isGrpcServiceError(cause) || cause.code !== grpcStatus.RESOURCE_EXHAUSTED) throw error;
      return undefined;
    }
  });
}

/** Nothing but the watch is under way: calls of older boots are told by now. */
async function untilOnlyWatched(handle: WorkflowHandle): Promise<string> {
  return await waitFor('the watch alone', 15_000, async () => {
    const { raw, runId } = await handle.describe();
    const running = (raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
    return running.length === 1 && running[0] === 'runNode' ? runId : undefined;
  });
}

async function signalsOf(workflowId: string, signalName: string): Promise<number> {
  const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === signalName)
    .length;
}

async function dieWhileContinued(): Promise<{ readonly before: Call | null; readonly row: Call }> {
  const node = await env.spawnNode('dying');
  const handle = env.client.workflow.getHandle(mediaNodeWorkflowId('dying'));
  const { callId, sipCallId } = await env.startInbound(node);
  node.order({ do: 'inbound', callId, orgId: env.orgId, sipCallId });
  node.order({ do: 'answer', callId });
  await env.rowIs(callId, 'in_progress');
  const firstRun = await untilOnlyWatched(handle);
  // As late as can be: on a busy machine the first run must not find it lost.
  await fillHistory(handle, () => node.kill());
  await waitFor('the next run', 20_000, async () => ((await runOf(handle)) === firstRun ? undefined : true));
  const before = await env.row(callId);
  return { before, row: await env.finished(callId, 20_000) };
}

test('a full history: the next run watches the same boot, knows the lost ones and has answered every suspicion', async () => {
  const temporal = new NodeWorkflows({ client: env.client, limitMs: 2_000 });
  await temporal.nodeStarted('renewed', 'boot-before');
  const node = await env.startNode('renewed');
  const { bootId, control } = node;
  const handle = env.client.workflow.getHandle(mediaNodeWorkflowId('renewed'));
  const { callId } = await env.receiveCall(node);
  control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  const firstRun = await untilOnlyWatched(handle);

  // Suspicions come in before, while and after the one run becomes the other, faster than they are answered one by one.
  let suspicions = 0;
  let afterwards = 5;
  const suspecting = (async () => {
    while (suspicions < MAX_SUSPICIONS && afterwards > 0) {
      await untilTaken(() => handle.signal(suspectSignal, { bootId, callId }));
      suspicions++;
      if ((await runOf(handle)) !== firstRun) afterwards--;
      await sleep((suspicions * 7) % 10);
    }
  })();
  await fillHistory(handle);
  await suspecting;
  expect(afterwards).toBe(0);
  await waitFor('an answer to each suspicion', 10_000, async () =>
    (await signalsOf(callWorkflowId(callId), 'nodeAlive')) >= suspicions ? true : undefined,
  );
  expect(await signalsOf(callWorkflowId(callId), 'nodeAlive')).toBe(suspicions);
  expect(await signalsOf(callWorkflowId(callId), 'nodeLost')).toBe(0);

  const first = env.client.workflow.getHandle(mediaNodeWorkflowId('renewed'), firstRun);
  expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  expect(await handle.query(nodeStateQuery)).toEqual({ bootId, lostBoots: ['boot-before'] });
  expect(await untilOnlyWatched(handle)).not.toBe(firstRun);
  // Remembered as lost, a dead boot is asked for before it is believed.
  await temporal.nodeStarted('renewed', 'boot-before');
  expect(await handle.query(nodeStateQuery)).toMatchObject({ bootId });

  control.end(callId, PEER_HANGUP);
  expect(await env.finished(callId)).toMatchObject({ endReason: 'caller_hangup', truncated: false });
  await env.stopNode(node);
  await handle.result();
}, 60_000);

test('a node that dies while a new run takes over is found lost by it, and its calls end', async () => {
  const { before, row } = await dying;
  expect(before).toMatchObject({ status: 'in_progress' });
  expect(row).toMatchObject({ endReason: 'media_node_lost', truncated: true });
}, 60_000);
