/**
 * `POST /phone/outbound-call`, from an accepted request to its answer. A call's id is new, or derived from the
 * Idempotency-Key and `n`, the number of calls this key has begun: a repeat finds the same call even when the key's row
 * was lost, and only a call that expired undialled or is older than 24 hours gives way to n + 1.
 */
import type { Logger } from '../../ops/logger';
import { sealDetails } from '../../store/call-details';
import type { Call as CallRow } from '../../store/entities/call';
import { keyedCallId, uuidV7 } from '../../store/ids';
import type { CallLease, IdempotentRequest } from '../../store/repositories/idempotency-repository';
import type { SecretBox } from '../../store/secrets';
import type { OutboundCallInput } from '../../workflows/call/input';
import { replayed } from '../changes';
import { ApiError, impossible, unavailable, temporalUnavailable } from '../errors';
import { answer } from '../route';
import type { RouteAnswer } from '../route';
import type { CallResource } from '../schemas/call';
import type { ApiStore } from '../store';
import { callView } from '../views';
import type { CallRequests } from './call-requests';
import { KeyedRequests } from './keyed-requests';
import type { OutboundPlan } from './outbound-plan';

/** Covers both tries of the start; a workflow that begins later dials nobody. */
const ACCEPT_WITHIN_MS = 5_000;
/** No new attempt is begun after it. */
const DIAL_WITHIN_MS = 60_000;
const KEY_VALID_MS = 24 * 3600 * 1000;
/** A key that has used up this many ids is broken, not unlucky. */
const MAX_CALLS_PER_KEY = 1000;

export interface PlacementDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly workflows: Pick<CallRequests, 'accept' | 'describe'>;
  readonly secrets: Pick<SecretBox, 'seal'>;
  readonly logger: Logger;
  /** Epoch ms. */
  readonly nowMs?: () => number;
}

export interface PlacementRequest {
  readonly orgId: string;
  /** Under which keys are remembered. */
  readonly route: string;
  readonly idempotencyKey: string | null;
  readonly bodyHash: string;
  /** Looks at agent, trunk and policy; what it finds does not count when the key has its call already. */
  readonly plan: () => Promise<OutboundPlan>;
}

/** `superseded`: this id's call is over without having counted; the key begins the next. */
type Placed = { readonly call: CallResource; readonly existing: boolean } | 'superseded';

export class CallPlacement {
  readonly #deps: PlacementDeps;
  readonly #keyed: KeyedRequests;
  readonly #nowMs: () => number;

  constructor(deps: PlacementDeps) {
    this.#deps = deps;
    this.#keyed = new KeyedRequests(deps);
    this.#nowMs = deps.nowMs ?? Date.now;
  }

  async place(request: PlacementRequest): Promise<RouteAnswer> {
    if (request.idempotencyKey !== null) return this.#placeKeyed(request, request.idempotencyKey);
    const input = this.#input(request.orgId, uuidV7(), await request.plan());
    const placed = await this.#start(input, null);
    if (placed === 'superseded') throw outcomeUnknown(input.callId);
    return answer(placed.call);
  }

  async #placeKeyed(request: PlacementRequest, key: string): Promise<RouteAnswer> {
    const { orgId, route, bodyHash } = request;
    const identity: IdempotentRequest = { orgId, route, key, bodyHash };
    let lease = await this.#keyed.lease(identity);
    while (lease.n <= MAX_CALLS_PER_KEY) {
      if (lease.kind === 'replay') {
        if (!(await this.#isSuperseded(orgId, lease))) return replayed({ ...lease.answer, replayed: true });
        lease = await this.#leaseNext(identity, lease.n);
        continue;
      }
      const callId = keyedCallId(orgId, route, key, lease.n);
      const placed = await this.#keyed.run(identity, lease, () => this.#placeOnce(request, callId));
      if (placed !== 'superseded') {
        await this.#keyed.remember(identity, lease, placed.call.id, placed.call);
        return replayed({ status: 200, body: placed.call, replayed: placed.existing });
      }
      lease = await this.#leaseNext(identity, lease.n);
    }
    throw impossible('idempotency_key_exhausted', 'This Idempotency-Key has begun too many calls');
  }

  #leaseNext(identity: IdempotentRequest, n: number): Promise<CallLease> {
    return this.#deps.store.forOrg(identity.orgId).write((org) => org.idempotency.leaseNext(identity, n));
  }

  #find(orgId: string, callId: string): Promise<CallRow | null> {
    return this.#deps.store.forOrg(orgId).read((org) => org.calls.find(orgId, callId));
  }

  async #placeOnce(request: PlacementRequest, callId: string): Promise<Placed> {
    // Both at once: hardly ever is there a call without its key's answer.
    const [known, plan] = await Promise.allSettled([this.#find(request.orgId, callId), request.plan()]);
    if (known.status === 'rejected') throw known.reason;
    if (known.value !== null) return this.#existing(known.value, request.bodyHash);
    if (plan.status === 'rejected') throw plan.reason;
    return this.#start(this.#input(request.orgId, callId, plan.value), request.bodyHash);
  }

  async #start(input: OutboundCallInput, bodyHash: string | null): Promise<Placed> {
    let row: CallRow | null = null;
    const isStored = async (): Promise<boolean> => {
      row = await this.#find(input.orgId, input.callId);
      return row !== null;
    };
    const outcome = await this.#deps.workflows.accept(input, bodyHash, isStored);
    switch (outcome) {
      case 'accepted':
        return this.#accepted(input, bodyHash, row);
      case 'closed':
        return this.#closed(input, bodyHash);
      case 'unavailable':
        throw temporalUnavailable();
      case 'busy':
        throw unavailable('too_many_starts', 'Too many calls are being started at once; nothing was done');
      case 'unknown':
        throw outcomeUnknown(input.callId);
    }
  }

  /** The row tells whose start it was: only the first one's time stands in it. */
  async #accepted(input: OutboundCallInput, bodyHash: string | null, row: CallRow | null): Promise<Placed> {
    if (row === null) throw outcomeUnknown(input.callId);
    if (row.createdAt.getTime() !== input.createdAtMs) return this.#existing(row, bodyHash);
    if (row.disposition === 'expired')
      throw unavailable('call_expired', 'The call was not taken up in time; nothing was dialled');
    return { call: callView(row), existing: false };
  }

  async #closed(input: OutboundCallInput, bodyHash: string | null): Promise<Placed> {
    const row = await this.#find(input.orgId, input.callId);
    if (row === null) throw outcomeUnknown(input.callId);
    return this.#existing(row, bodyHash);
  }

  async #existing(row: CallRow, bodyHash: string | null): Promise<Placed> {
    if (this.#isOver(row)) return 'superseded';
    const workflow = await this.#deps.workflows.describe(row.id);
    const begunBy = workflow?.memo.bodyHash;
    if (begunBy !== undefined && begunBy !== bodyHash) {
      throw impossible('idempotency_mismatch', 'This Idempotency-Key was used with another body');
    }
    return { call: callView(row), existing: true };
  }

  async #isSuperseded(orgId: string, lease: CallLease & { kind: 'replay' }): Promise<boolean> {
    if (lease.resourceId === null) return false;
    const row = await this.#find(orgId, lease.resourceId);
    return row !== null && this.#isOver(row);
  }

  #isOver(row: CallRow): boolean {
    return row.disposition === 'expired' || this.#nowMs() - row.createdAt.getTime() > KEY_VALID_MS;
  }

  #input(orgId: string, callId: string, plan: OutboundPlan): OutboundCallInput {
    const nowMs = this.#nowMs();
    const { from, to, firstMessage, metadata } = plan;
    return {
      direction: 'outbound',
      callId,
      orgId,
      agentId: plan.agentId,
      trunkId: plan.trunkId,
      sessionId: uuidV7(nowMs),
      sealed: sealDetails(this.#deps.secrets, { callId, orgId }, { from, to, firstMessage, metadata }),
      createdAtMs: nowMs,
      acceptByMs: nowMs + ACCEPT_WITHIN_MS,
      dialByMs: nowMs + DIAL_WITHIN_MS,
      ...(plan.times.scheduledAtMs === null ? {} : { scheduledAtMs: plan.times.scheduledAtMs }),
      expiresAtMs: plan.times.expiresAtMs,
      maxDurationSeconds: plan.maxDurationSeconds,
      ringTimeoutSeconds: plan.ringTimeoutSeconds,
    };
  }
}

function outcomeUnknown(callId: string): ApiError {
  return new ApiError(503, 'outcome_unknown', 'Whether the call was placed is not known yet; look it up by its id', {
    retryAfterSeconds: 2,
    details: { call_id: callId },
  });
}
