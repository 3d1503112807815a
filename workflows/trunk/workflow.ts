import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { TrunkActivities, TrunkConfirmation } from './activities';
import { configChangedSignal, healthChangedSignal, removedSignal, trunkStateQuery } from './messages';
import type { TrunkInput } from './messages';
import { trunkDetails } from './presentation';
import { TrunkProgress } from './trunk-progress';

/** Timers below a second fire at a second. */
const SHORTEST_TIMER_MS = 1_000;

interface TrunkResult {
  /** That removed the trunk; null where the store knew nothing of it. */
  readonly removedInVersion: number | null;
}

const nodes = proxyActivities<Pick<TrunkActivities, 'confirmTrunk'>>({
  // A worker that dies with it is not missed for long: it gives up itself before.
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '10s' },
  summary: 'until every live media node acts on the latest version',
});
const credentials = proxyActivities<Pick<TrunkActivities, 'erasePreviousPassword'>>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
  summary: 'erases the password before the last rotation',
});

/**
 * One trunk, from its creation until every media node has dropped it. The API's transaction has made or changed the trunk
 * already: this follows it to the media nodes, and ends what a rotation leaves for a while.
 */
export async function trunkProvisioningWorkflow(input: TrunkInput): Promise<TrunkResult> {
  const { orgId, trunkId } = input;
  const progress = new TrunkProgress(input.resumed);
  const show = (removed = false): void => setCurrentDetails(trunkDetails(input, progress, removed));

  setHandler(trunkStateQuery, () => progress.state, { description: 'The last confirmed version, and its health' });
  setHandler(configChangedSignal, ({ version }) => progress.changed(version), {
    description: 'The trunk was changed: its media nodes have to act on this version',
  });
  setHandler(removedSignal, ({ version }) => progress.changed(version), {
    description: 'The trunk was deleted: its media nodes have to drop it',
  });
  setHandler(
    healthChangedSignal,
    (change) => {
      progress.healthChanged(change);
      show();
    },
    { description: 'A media node says how the trunk fares' },
  );

  async function finish(confirmation: TrunkConfirmation | null): Promise<TrunkResult> {
    if (confirmation !== null) progress.confirmed(confirmation);
    show(true);
    await condition(allHandlersFinished);
    return { removedInVersion: confirmation?.version ?? null };
  }

  for (;;) {
    show();
    if (progress.pending) {
      progress.looking();
      const confirmation = await nodes.confirmTrunk({ orgId, trunkId });
      if (confirmation === null || confirmation.removed) return await finish(confirmation);
      progress.confirmed(confirmation);
    } else if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof trunkProvisioningWorkflow>({ ...input, resumed: progress.state });
    } else if (!(await somethingToDo(progress))) {
      progress.graceEnds(await credentials.erasePreviousPassword({ orgId, trunkId }));
    }
  }
}

/** False when the old password's time is over. */
async function somethingToDo(progress: TrunkProgress): Promise<boolean> {
  const wakes = (): boolean => progress.pending || workflowInfo().continueAsNewSuggested;
  const { graceUntilMs } = progress.state;
  if (graceUntilMs === null) {
    await condition(wakes);
    return true;
  }
  return await condition(wakes, Math.max(graceUntilMs - Date.now(), SHORTEST_TIMER_MS), {
    summary: 'until the password before the last rotation is erased',
  });
}
