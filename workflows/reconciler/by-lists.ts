/** How runs of the first release compared: the list of every node through the history. Goes when none of them can be left. */
import { ActivityFailure, proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { NodeCalls } from '../../contract/nodes';
import { mediaNodeTaskQueue } from '../ids';
import type { Discrepancy, EarlierReconcileActivities, ListedNodeActivities, ReconcileActivities } from './activities';
import { confirmed } from './confirmed';

/** Between the two passes: what was under way during the first is done by the second. */
const BETWEEN_PASSES = '4s';

const { liveNodes } = proxyActivities<EarlierReconcileActivities>({
  startToCloseTimeout: '5s',
  retry: { maximumAttempts: 2 },
  summary: 'live media nodes',
});
const { surveyCalls, settleDiscrepancies } = proxyActivities<EarlierReconcileActivities & ReconcileActivities>({
  startToCloseTimeout: '20s',
  retry: { maximumAttempts: 2 },
  summary: 'store, workflows and nodes compared',
});

export async function reconcileByLists(): Promise<void> {
  const first = await pass();
  if (first.length === 0) return;
  await sleep(BETWEEN_PASSES, { summary: 'between the two passes' });
  const both = confirmed(first, await pass());
  setCurrentDetails(`${first.length} found, ${both.length} confirmed`);
  await Promise.all(both.map(endOrphan));
  if (both.length > 0) await settleDiscrepancies(both);
}

async function endOrphan({ cause, callId, nodeId, bootId }: Discrepancy): Promise<void> {
  if (cause !== 'live_without_workflow' || nodeId === null || bootId === null) return;
  try {
    await onNode(nodeId, `ends ${callId}, which has no workflow`).endOrphanedCall({ callId, bootId });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error; // silent: the next run finds it again
  }
}

async function pass(): Promise<readonly Discrepancy[]> {
  const nodes = await liveNodes();
  const answers = await Promise.all(nodes.map(({ nodeId }) => callsOf(nodeId)));
  return await surveyCalls(answers.filter((answer) => answer !== null));
}

async function callsOf(nodeId: string): Promise<NodeCalls | null> {
  try {
    return await onNode(nodeId, `calls of ${nodeId}`).listCalls();
  } catch (error) {
    if (error instanceof ActivityFailure) return null; // silent: nothing is concluded from it
    throw error;
  }
}

function onNode(nodeId: string, summary: string): ReturnType<typeof proxyActivities<ListedNodeActivities>> {
  return proxyActivities<ListedNodeActivities>({
    taskQueue: mediaNodeTaskQueue(nodeId),
    scheduleToStartTimeout: '2s',
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 1 },
    summary,
  });
}
