import { suspectSignal } from '../../../workflows/node/messages';
import { mediaNodeWorkflowId } from '../../../workflows/ids';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('a node is watched on after a suspicion whose call is over when the verdict comes', async () => {
  const node = await env.startNode();
  const handle = env.client.workflow.getHandle(mediaNodeWorkflowId(node.nodeId));
  const failedTasks = async (): Promise<number> => {
    const { events } = await handle.fetchHistory();
    return (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes != null).length;
  };
  const input = await env.receiveCall(node);
  node.control.answer(input.callId);
  await env.rowIs(input.callId, 'in_progress');
  node.control.end(input.callId, {
    disposition: 'answered',
    endReason: 'caller_hangup',
    endedBy: 'caller',
    sip: null,
  });
  await env.finished(input.callId);

  await handle.signal(suspectSignal, { bootId: node.bootId, callId: input.callId });
  await waitFor('the answer to the suspicion', 10_000, async () => {
    const { events } = await handle.fetchHistory();
    const told = (events ?? []).some(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'tellVerdict',
    );
    return told ? true : undefined;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await failedTasks()).toBe(0);
  expect(await handle.query<{ bootId: string | null }>('nodeState')).toMatchObject({ bootId: node.bootId });
}, 60_000);
