import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from '../ops/logger';
import { Semaphore } from '../ops/semaphore';
import { NumberSyncWorkflows } from '../workflows/client/number-sync-workflows';
import { temporalTrouble } from '../workflows/client/temporal-trouble';
import { TrunkWorkflows } from '../workflows/client/trunk-workflows';
import type { TrunkChange } from '../workflows/client/trunk-workflows';
import type { NumberSyncInput, NumberSyncOutcome, NumberSyncRequest } from '../workflows/numbers/sync/messages';

/** To tell a trunk's workflow of a change. */
const TELL_MS = 500;
const TOLD_AT_ONCE = 16;
/** For each of the two tries of a sync. */
const SYNC_MS = 2_000;
/** A run that is about to close takes no request for a moment: then it is closed, and the next try begins another. */
const CLOSING_RETRY_MS = 50;

/** `unavailable`: nothing was done. `unknown`: it may have been, or may still be. */
type SyncOutcome = NumberSyncOutcome | { readonly outcome: 'unavailable' | 'unknown' };

export interface TrunkRequestsOptions {
  /** Fails fast: `createTemporalClient` of `ops/temporal-client.ts`. */
  readonly client: Client;
  readonly logger: Logger;
  /** For each of the two tries of a sync. Default 2000. */
  readonly syncMs?: number;
}

/** What the API asks of the workflows of trunks and their numbers. */
export class TrunkRequests {
  readonly #trunks: TrunkWorkflows;
  readonly #syncs: NumberSyncWorkflows;
  readonly #logger: Logger;
  readonly #syncMs: number;
  readonly #telling = new Semaphore(TOLD_AT_ONCE);

  constructor({ client, logger, syncMs = SYNC_MS }: TrunkRequestsOptions) {
    this.#trunks = new TrunkWorkflows({ client, limitMs: TELL_MS });
    this.#syncs = new NumberSyncWorkflows(client);
    this.#logger = logger;
    this.#syncMs = syncMs;
  }

  /** Whoever asked for the changes does not wait for it: the reconciler tells what does not arrive. */
  tell(changes: readonly TrunkChange[]): void {
    for (const change of changes) void this.#tell(change);
  }

  /** Once more under the same id when the first try hits its deadline. Never throws. */
  async sync(input: NumberSyncInput, request: NumberSyncRequest): Promise<SyncOutcome> {
    const first = await this.#syncOnce(input, request);
    if (first.outcome !== 'unknown') return first;
    const second = await this.#syncOnce(input, request);
    // A refusal now says nothing about the first try.
    return second.outcome === 'unavailable' ? first : second;
  }

  async #tell(change: TrunkChange): Promise<void> {
    if (!(await this.#telling.acquire({ maxWaitMs: TELL_MS }))) return;
    try {
      await this.#trunks.signalChange(change);
    } catch (error) {
      this.#logger.warn({ err: error, trunkId: change.trunkId }, 'a trunk workflow is told of a change later');
    } finally {
      this.#telling.release();
    }
  }

  async #syncOnce(input: NumberSyncInput, request: NumberSyncRequest): Promise<SyncOutcome> {
    const deadlineMs = Date.now() + this.#syncMs;
    try {
      for (;;) {
        const outcome = await this.#syncs.sync(input, request, deadlineMs);
        if (outcome === 'failed') return { outcome: 'unknown' };
        if (outcome !== 'closing') return outcome;
        if (Date.now() >= deadlineMs) return { outcome: 'unavailable' };
        await sleep(CLOSING_RETRY_MS);
      }
    } catch (error) {
      this.#logger.warn({ err: error, request: 'number sync' }, 'a workflow request was not answered');
      return { outcome: temporalTrouble(error) === 'refused' ? 'unavailable' : 'unknown' };
    }
  }
}
