/**
 * Requests that run a workflow, under their Idempotency-Key. The key is leased for ten seconds; a request that was cut off runs
 * again after that with the same `n`, hence with the same derived ids, by which the workflow knows it.
 */
import type { Logger } from '../../ops/logger';
import { PlanRefusal } from '../../store/dialling/plan-refusal';
import type { CallLease, IdempotentRequest } from '../../store/repositories/idempotency-repository';
import { replayed } from '../changes';
import { ApiError } from '../errors';
import type { RouteAnswer } from '../route';
import type { ApiStore } from '../store';

type RunningLease = CallLease & { readonly kind: 'run' };

/** What a request has made. */
interface Made {
  readonly resourceId: string;
  readonly body: unknown;
  /** An earlier request has made it. */
  readonly existing: boolean;
}

export class KeyedRequests {
  readonly #store: Pick<ApiStore, 'forOrg'>;
  readonly #logger: Logger;

  constructor({ store, logger }: { readonly store: Pick<ApiStore, 'forOrg'>; readonly logger: Logger }) {
    this.#store = store;
    this.#logger = logger;
  }

  /** The saved answer, or that of `make`, whose ids follow from key and `n`. */
  async once(identity: IdempotentRequest, make: (n: number) => Promise<Made>): Promise<RouteAnswer> {
    const lease = await this.lease(identity);
    if (lease.kind === 'replay') return replayed({ ...lease.answer, replayed: true });
    const { resourceId, body, existing } = await this.run(identity, lease, () => make(lease.n));
    await this.remember(identity, lease, resourceId, body);
    return replayed({ status: 200, body, replayed: existing });
  }

  lease(identity: IdempotentRequest): Promise<CallLease> {
    return this.#store.forOrg(identity.orgId).write((org) => org.idempotency.lease(identity));
  }

  /** After a refusal the key is free for any body; after an outage at once for the same body, hence the same ids. */
  async run<T>(identity: IdempotentRequest, lease: RunningLease, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const refused = error instanceof PlanRefusal || (error instanceof ApiError && error.status < 500);
      const given = this.#store
        .forOrg(identity.orgId)
        .write(({ idempotency }) =>
          refused ? idempotency.forget(identity, lease) : idempotency.release(identity, lease),
        );
      await given.catch((cause: unknown) => {
        this.#logger.warn({ err: cause }, 'idempotency lease left to run out');
      });
      throw error;
    }
  }

  /** It is made, whether or not its answer can be saved: a repeat finds it by its id. */
  async remember(identity: IdempotentRequest, lease: RunningLease, resourceId: string, body: unknown): Promise<void> {
    try {
      await this.#store
        .forOrg(identity.orgId)
        .write((org) => org.idempotency.complete(identity, lease, resourceId, { status: 200, body }));
    } catch (error) {
      this.#logger.warn({ err: error, resourceId }, 'answer not saved with its idempotency key');
    }
  }
}
