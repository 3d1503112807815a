import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { syncUpdate } from '../numbers/sync/messages';
import type { NumberSyncInput, NumberSyncOutcome, NumberSyncRequest } from '../numbers/sync/messages';
import { numberSyncStartOptions } from '../numbers/sync/start-options';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const SYNC_WORKFLOW = 'numberSyncWorkflow';

/** The workflows that sync the numbers of organisations, seen from outside. */
export class NumberSyncWorkflows {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Update-with-start, under the request's own id. `closing`: the run that there was has just ended, or ends; the next try
   * begins another. `failed`: it was tried in vain for too long. What no outcome stands for is thrown.
   */
  async sync(
    input: NumberSyncInput,
    request: NumberSyncRequest,
    deadlineMs: number,
  ): Promise<NumberSyncOutcome | 'closing' | 'failed'> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: NumberSyncInput) => Promise<unknown>>(
      SYNC_WORKFLOW,
      numberSyncStartOptions(input),
    );
    // Also rejected when the update fails; its error arrives there.
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    const expected = {
      closing: 'closing',
      not_found: 'closing',
      already_started: 'closing',
      update_failed: 'failed',
    } as const;
    const options = { client: this.#client, deadlineMs, expected };
    return await timedRequest<NumberSyncOutcome | 'closing' | 'failed'>(options, () =>
      this.#client.workflow.executeUpdateWithStart(syncUpdate, {
        args: [request],
        updateId: request.syncId,
        startWorkflowOperation,
      }),
    );
  }
}
