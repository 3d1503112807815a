import type { Client } from '@temporalio/client';
import { trunkWorkflowId } from '../ids';
import { healthChangedSignal } from '../trunk/messages';
import type { TrunkHealthChange } from '../trunk/messages';
import type { SignalOutcome } from './call-workflows';
import { timedRequest } from './timed-request';

export interface TrunkWorkflowsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  /** For each request. */
  readonly limitMs: number;
}

/** The workflows of trunks, seen from outside; rejects while Temporal is away. */
export class TrunkWorkflows {
  readonly #client: Client;
  readonly #limitMs: number;

  constructor(options: TrunkWorkflowsOptions) {
    this.#client = options.client;
    this.#limitMs = options.limitMs;
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
