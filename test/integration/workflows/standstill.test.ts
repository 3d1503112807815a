/** A media node that stands still and comes back: what was said of it meanwhile is what it holds to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MediaNodeRepository } from '../../../store/repositories/media-node-repository';
import { mediaNodeWorkflowId } from '../../../workflows/ids';
import { nodeStateQuery } from '../../../workflows/node/messages';
import { waitFor } from '../../support/wait-for';
import { WorkflowEnvironment } from './environment';
import type { NodeProcess } from './node-process';

/** From its return until it has ended what it had. */
const FINDS_OUT_MS = 2_000;

let env: WorkflowEnvironment;

beforeAll(async () => {
  env = await WorkflowEnvironment.start();
}, 60_000);

afterAll(async () => {
  await env.close();
}, 60_000);

async function answeredCall(node: NodeProcess): Promise<string> {
  const { callId, sipCallId } = await env.startInbound(node);
  node.order({ do: 'inbound', callId, orgId: env.orgId, sipCallId });
  node.order({ do: 'answer', callId });
  await env.rowIs(callId, 'in_progress');
  return callId;
}

/** The end of the call as its node has reported it. */
async function endedByNode(callId: string): Promise<boolean> {
  const { items } = await env.events.list(env.orgId, callId, { limit: 100 });
  return items.some(({ source, type }) => source === 'node' && type === 'ended');
}

test.concurrent(
  'its calls have ended as lost before it is back: it ends them, too, and the record stays as it is',
  async () => {
    const node = await env.spawnNode('late');
    const callId = await answeredCall(node);
    node.standStill();
    const row = await env.finished(callId, 25_000);
    expect(row).toMatchObject({ disposition: 'answered', endReason: 'media_node_lost', truncated: true });
    node.goOn();
    await waitFor('the node to find out', FINDS_OUT_MS, () => (node.lostAtMs === null ? undefined : true));
    await waitFor('the end on the node', 5_000, async () => ((await endedByNode(callId)) ? true : undefined));
    expect(await env.finished(callId)).toEqual(row);
  },
  60_000,
);

test.concurrent(
  'it finds the mark before anybody has told the calls: the ending is the same, and nothing of the record is missing',
  async () => {
    const node = await env.spawnNode('early');
    const callId = await answeredCall(node);
    await env.dataSource.query('UPDATE media_nodes SET lost_at = now() WHERE node_id = $1', ['early']);
    await waitFor('the node to find out', FINDS_OUT_MS, () => (node.lostAtMs === null ? undefined : true));
    expect(await env.finished(callId)).toMatchObject({
      disposition: 'answered',
      endReason: 'media_node_lost',
      endedBy: 'system',
      truncated: false,
    });
  },
  60_000,
);

test.concurrent(
  'three seconds are no loss: the call goes on',
  async () => {
    const node = await env.spawnNode('steady');
    const callId = await answeredCall(node);
    node.standStill();
    await sleep(3_000);
    node.goOn();
    await sleep(12_000);
    expect(node.lostAtMs).toBeNull();
    const state = await env.client.workflow.getHandle(mediaNodeWorkflowId('steady')).query(nodeStateQuery);
    expect(state).toEqual({ bootId: node.bootId, lostBoots: [] });
    node.order({ do: 'hangup_by_peer', callId });
    expect(await env.finished(callId)).toMatchObject({ endReason: 'caller_hangup', truncated: false });
  },
  60_000,
);

test.concurrent(
  'back at the very moment of the verdict it is lost or it is not, for both sides',
  async () => {
    const nodes = await Promise.all([7.4, 7.8, 8.2, 8.6].map((seconds) => moment(seconds * 1_000)));
    for (const { lost, endReason } of nodes) expect(endReason).toBe(lost ? 'media_node_lost' : 'caller_hangup');
  },
  90_000,
);

async function moment(stillMs: number): Promise<{ readonly lost: boolean; readonly endReason: string | null }> {
  const node = await env.spawnNode(`moment-${stillMs}`);
  const callId = await answeredCall(node);
  node.standStill();
  await sleep(stillMs);
  node.goOn();
  await sleep(FINDS_OUT_MS);
  const lost = node.lostAtMs !== null;
  const marked = await new MediaNodeRepository(env.dataSource).find(node.nodeId);
  expect(marked?.bootId).toBe(node.bootId);
  if (!lost) {
    await sleep(10_000);
    expect(node.lostAtMs).toBeNull();
    node.order({ do: 'hangup_by_peer', callId });
  }
  const { endReason } = await env.finished(callId, 20_000);
  return { lost, endReason };
}
