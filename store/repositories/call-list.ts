import type { EntityManager } from 'typeorm';
import type { CallDirection, CallStatus } from '../../contract/call';
import type { Disposition } from '../../contract/endings';
import { Call } from '../entities/call';
import { isUuid } from '../ids';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';

export interface CallFilter extends PageRequest {
  readonly status?: CallStatus | undefined;
  readonly disposition?: Disposition | undefined;
  readonly direction?: CallDirection | undefined;
  readonly agentId?: string | undefined;
  readonly campaignId?: string | undefined;
  /** Either end of the call, E.164. */
  readonly phoneNumber?: string | undefined;
  readonly createdAfter?: Date | undefined;
  readonly createdBefore?: Date | undefined;
}

/** Newest first. */
export async function listCalls(manager: EntityManager, orgId: string, filter: CallFilter): Promise<Page<Call>> {
  const { status, disposition, direction, agentId, campaignId, phoneNumber, createdAfter, createdBefore } = filter;
  const unknownId = [agentId, campaignId].some((id) => id !== undefined && !isUuid(id));
  if (unknownId) return { items: [], next: null };
  const equal = Object.entries({ status, disposition, direction, agentId, campaignId });
  const all: Partial<Call> = {
    orgId,
    ...Object.fromEntries(equal.filter(([, value]) => value !== undefined)),
    // Names the index of open calls.
    ...(status === undefined || status === 'completed' ? {} : { endedAt: null }),
  };
  const where =
    phoneNumber === undefined
      ? [all]
      : [
          { ...all, fromNumber: phoneNumber },
          { ...all, toNumber: phoneNumber },
        ];
  const periods = { createdAt: { after: createdAfter, before: createdBefore } };
  return newestPage(manager, { entity: Call, where, request: filter, time: 'createdAt', periods });
}
