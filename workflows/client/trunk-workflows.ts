import type { Client } from '@temporalio/client';
import { trunkWorkflowId } from '../ids';
import { configChangedSignal, healthChangedSignal, removedSignal } from '../trunk/messages';
import type { TrunkHealthChange, TrunkIdentity } from '../trunk/messages';
import { trunkStartOptions } from '../trunk/start-options';
import type { SignalOutcome } from './call-workflows';
import { timedRequest } from './timed-request';

/** Named, not imported, as the workflow of a call. */
const TRUNK_WORKFLOW = 'trunkProvisioningWorkflow';

export interface TrunkWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request. */
  readonly limitMs: number;
}

/** What a committed transaction did to a trunk. */
export interface TrunkChange extends TrunkIdentity {
  /** Of the configuration. */
  readonly version: number;
  readonly removed: boolean;
}

/** The workflows of trunks, seen from outside; rejects while Temporal is away. */
export class TrunkWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor(options: TrunkWorkflowsOptions) {
    this.#client = options.client;
    this.#limitMs = options.limitMs;
  }

  /** Begins the trunk's workflow where none runs. */
  async signalChange({ version, removed, ...trunk }: TrunkChange): Promise<void> {
    const deadlineMs = Date.now() + this.#limitMs;
    await timedRequest({ client: this.#client, deadlineMs }, () =>
      this.#client.workflow.signalWithStart(TRUNK_WORKFLOW, {
        ...trunkStartOptions(trunk),
        signal: removed ? removedSignal : configChangedSignal,
        signalArgs: [{ version }],
      }),
    );
  }

  async signalHealth(trunkId: string, change: TrunkHealthChange): Promise<SignalOutcome> {
    const deadlineMs = Date.now() + this.#limitMs;
    const options = { client: this.#client, deadlineMs, expected: { not_found: 'gone' } } as const;
    return await timedRequest<SignalOutcome>(options, async () => {
      await this.#client.workflow.getHandle(trunkWorkflowId(trunkId)).signal(healthChangedSignal, change);
      return 'delivered';
    });
  }
}
