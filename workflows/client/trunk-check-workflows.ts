import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { trunkCheckUpdate } from '../trunk-check/messages';
import type { TrunkCheckInput, TrunkCheckOutcome } from '../trunk-check/messages';
import { trunkCheckStartOptions } from '../trunk-check/start-options';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const TRUNK_CHECK_WORKFLOW = 'trunkCheckWorkflow';

export interface TrunkCheckWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For a whole check. */
  readonly limitMs: number;
}

/** The checks of trunks, seen from outside. */
export class TrunkCheckWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor({ client, limitMs }: TrunkCheckWorkflowsOptions) {
    this.#client = client;
    this.#limitMs = limitMs;
  }

  /** `running`: another one of this trunk is. Rejects with what else goes wrong; `temporalTrouble` tells what it means. */
  async check(input: TrunkCheckInput): Promise<TrunkCheckOutcome | 'running'> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(given: TrunkCheckInput) => Promise<unknown>>(
      TRUNK_CHECK_WORKFLOW,
      trunkCheckStartOptions(input),
    );
    // Also rejected when the update fails; its error arrives there.
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    const expected = { already_started: 'running' } as const;
    const deadlineMs = Date.now() + this.#limitMs;
    return await timedRequest<TrunkCheckOutcome | 'running'>({ client: this.#client, deadlineMs, expected }, () =>
      this.#client.workflow.executeUpdateWithStart(trunkCheckUpdate, {
        updateId: input.checkId,
        startWorkflowOperation,
      }),
    );
  }
}
