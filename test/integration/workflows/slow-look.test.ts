/**
 * The results of two local activities that are under way at once come together in a replay: here the look for the node
 * that has a call is slower than the row of the call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { callWorkflowId } from '../../../workflows/ids';
import { PEER_HANGUP } from '../../fakes/fake-media-control';
import { WorkflowEnvironment } from './environment';
import { workflowBundle } from './workflow-bundle';
import type { FakeNode } from './environment';
import { PlannedDials } from './planned-dials';

const LOOK_MS = 200;

let env: WorkflowEnvironment;
let node: FakeNode;

beforeAll(async () => {
  const live = Reflect.get(MediaNodeRepository.prototype, 'live') as MediaNodeRepository['live'];
  MediaNodeRepository.prototype.live = async function (maxAgeMs) {
    await sleep(LOOK_MS);
    return await live.call(this, maxAgeMs);
  };
  env = await WorkflowEnvironment.start();
  node = await env.startNode();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

test('a call that was looked for replays, however long the look took', async () => {
  const callId = await new PlannedDials(env, node).place([{ kind: 'fail_after_invite' }]);
  await sleep(3 * LOOK_MS);
  node.control.answer(callId);
  await env.rowIs(callId, 'in_progress');
  node.control.end(callId, PEER_HANGUP);
  await env.finished(callId);
  const history = await env.handle(callId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, callWorkflowId(callId));
}, 60_000);
