/** A lost node with more calls than one workflow can have signals under way. */
import type { temporal } from '@temporalio/proto';
import { mediaNodeWorkflowId } from '../../../workflows/ids';
import type { ToldVerdict } from '../../../workflows/node/activities';
import { suspectSignal } from '../../../workflows/node/messages';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import { inGroups, parkCalls } from './parked-calls';

/** The server takes 2,000 pending signals of one workflow. */
const CALLS = 2_100;

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

/** The calls whose suspicion it answers. */
function answeredBy({ activityTaskScheduledEventAttributes: activity }: temporal.api.history.v1.IHistoryEvent) {
  if (activity?.activityType?.name !== 'tellVerdict') return [];
  const verdict = Buffer.from(activity.input?.payloads?.[0]?.data ?? []).toString();
  return (JSON.parse(verdict) as ToldVerdict).callIds;
}

test('all of them suspect it, and each hears that it is lost, though none by a signal of the node’s workflow', async () => {
  const node = await env.spawnNode('crowded');
  const calls = await parkCalls(env, node, CALLS);
  await node.kill();
  const watch = env.client.workflow.getHandle(mediaNodeWorkflowId('crowded'));
  const events = async () => (await watch.fetchHistory()).events ?? [];
  await inGroups(calls, ({ callId }) => watch.signal(suspectSignal, { bootId: node.bootId, callId }));
  await waitFor('the answers to all of them', 90_000, async () => {
    const answered = new Set((await events()).flatMap(answeredBy));
    const { raw } = await watch.describe();
    const telling = (raw.pendingActivities ?? []).some(({ activityType }) => activityType?.name === 'tellVerdict');
    return answered.size === CALLS && !telling ? true : undefined;
  });
  // The sweep tells calls until they end, which these never do.
  await watch.terminate();

  const own = (await events()).filter((event) => event.signalExternalWorkflowExecutionInitiatedEventAttributes != null);
  expect(own).toEqual([]);
  const told = await inGroups(calls, async ({ callId }) => {
    const history = await env.handle(callId).fetchHistory();
    return (history.events ?? []).some(
      (event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'nodeLost',
    );
  });
  expect(told.filter((hasHeard) => !hasHeard)).toEqual([]);
}, 180_000);
