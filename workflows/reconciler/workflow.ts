import { ActivityFailure, patched, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { mediaNodeTaskQueue } from '../ids';
import type { Discrepancy, ListedNodeActivities, OrphanedCalls, ReconcileActivities } from './activities';
import { reconcileByLists } from './by-lists';

/** The schedule begins another run after it: long enough that runs are few, short enough that one is soon of this release. */
const RUN_MS = 3_600_000;

export interface ReconcilerInput {
  /** For so long it looks; then the run ends, and the schedule begins the next. */
  readonly runMs: number;
}

const { watchCalls } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '90 minutes',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '10s' },
  summary: 'compares store, workflows and nodes until they differ',
});
const { settleDiscrepancies } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30s',
  retry: { maximumAttempts: 2 },
  summary: 'calls on which they differ are settled',
});

/**
 * Started by the schedule, one run after the other. The comparing is one activity that goes on until two consecutive
 * passes of its show the same: so nothing but discrepancies, and a bounded number of them at once, enters the history.
 */
export async function reconcilerWorkflow(input: ReconcilerInput = { runMs: RUN_MS }): Promise<void> {
  if (!patched('one-activity-compares')) {
    await reconcileByLists();
    return;
  }
  const untilMs = Date.now() + input.runMs;
  let settled = 0;
  do {
    const found = await watchCalls(untilMs);
    if (found.length === 0) continue;
    // Nodes first: a record is closed when the call does not live any more.
    await Promise.all(orphansOf(found).map(endOrphans));
    await settleDiscrepancies(found);
    settled += found.length;
    setCurrentDetails(`${settled} calls settled`);
  } while (Date.now() < untilMs && !workflowInfo().continueAsNewSuggested);
}

interface OrphansOfNode extends OrphanedCalls {
  readonly nodeId: string;
}

/** By boot, in the order in which they were found. */
function orphansOf(found: readonly Discrepancy[]): OrphansOfNode[] {
  const byBoot = new Map<string, OrphansOfNode & { readonly callIds: string[] }>();
  for (const { cause, callId, nodeId, bootId } of found) {
    if (cause !== 'live_without_workflow' || nodeId === null || bootId === null) continue;
    const orphans = byBoot.get(bootId) ?? { nodeId, bootId, callIds: [] };
    orphans.callIds.push(callId);
    byBoot.set(bootId, orphans);
  }
  return [...byBoot.values()];
}

async function endOrphans({ nodeId, bootId, callIds }: OrphansOfNode): Promise<void> {
  const node = proxyActivities<ListedNodeActivities>({
    taskQueue: mediaNodeTaskQueue(nodeId),
    scheduleToStartTimeout: '2s',
    startToCloseTimeout: '5s',
    retry: { maximumAttempts: 1 },
    summary: `${callIds.length} calls without a workflow end`,
  });
  try {
    await node.endOrphanedCalls({ bootId, callIds });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error; // silent: they are found again
  }
}
