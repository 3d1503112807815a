import { allHandlersFinished, condition, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { NumberSyncActivities } from './activities';
import { syncUpdate } from './messages';
import type { NumberSyncCounts, NumberSyncInput, NumberSyncOutcome, NumberSyncRequest } from './messages';

/** Who starts it asks in the same request; one whose request was lost on the way leaves a run without any. */
const FIRST_REQUEST_WITHIN = '1 minute';

interface NumberSyncResult extends NumberSyncCounts {
  /** That were done. */
  readonly syncs: number;
}

const { syncNumbers } = proxyActivities<NumberSyncActivities>({
  startToCloseTimeout: '10s',
  // Who asked has been told by then that the outcome is unknown.
  scheduleToCloseTimeout: '1 minute',
  retry: { initialInterval: '200ms', maximumInterval: '5s' },
  summary: 'the inbound trunk lists exactly the verified numbers',
});

/** The syncs of one organisation, one at a time: while one is done, others wait here for their turn. */
export async function numberSyncWorkflow({ orgId }: NumberSyncInput): Promise<NumberSyncResult> {
  let asked = 0;
  let total: NumberSyncResult = { syncs: 0, added: 0, removed: 0 };
  let before: Promise<unknown> = Promise.resolve();

  async function sync(request: NumberSyncRequest): Promise<NumberSyncOutcome> {
    const outcome = await syncNumbers({ ...request, orgId });
    if (outcome.outcome === 'synced') {
      const { added, removed } = outcome;
      total = { syncs: total.syncs + 1, added: total.added + added, removed: total.removed + removed };
      setCurrentDetails(`**${total.syncs} done**: ${total.added} numbers added, ${total.removed} removed`);
    }
    return outcome;
  }

  setHandler(
    syncUpdate,
    async (request) => {
      asked++;
      const turn = before.then(() => sync(request));
      // What one sync failed of is no reason not to do the next.
      before = turn.catch(() => undefined);
      return await turn;
    },
    { description: 'Lists exactly the verified numbers on the inbound trunk; answered when it does' },
  );

  await condition(() => asked > 0, FIRST_REQUEST_WITHIN, { summary: 'for the request that it was started for' });
  await condition(allHandlersFinished);
  return total;
}
