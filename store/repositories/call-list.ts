import type { EntityManager } from 'typeorm';
import type { CallDirection, CallStatus } from '../../contract/call';
import type { Disposition } from '../../contract/endings';
import { Call } from '../entities/call';
import { isUuid } from '../ids';
import { decodeCursor, pageLimit, toPage } from '../page';
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
  const limit = pageLimit(filter);
  const { status, disposition, direction, agentId, campaignId, phoneNumber, createdAfter, createdBefore } = filter;
  const unknownId = [agentId, campaignId].some((id) => id !== undefined && !isUuid(id));
  if (unknownId) return { items: [], next: null };
  const query = manager
    .createQueryBuilder(Call, 'c')
    .where('c.orgId = :orgId', { orgId })
    .orderBy('c.createdAt', 'DESC')
    .addOrderBy('c.id', 'DESC')
    .limit(limit + 1);
  if (status !== undefined) query.andWhere('c.status = :status', { status });
  if (disposition !== undefined) query.andWhere('c.disposition = :disposition', { disposition });
  if (direction !== undefined) query.andWhere('c.direction = :direction', { direction });
  if (agentId !== undefined) query.andWhere('c.agentId = :agentId', { agentId });
  if (campaignId !== undefined) query.andWhere('c.campaignId = :campaignId', { campaignId });
  if (phoneNumber !== undefined) {
    query.andWhere('(c.fromNumber = :phoneNumber OR c.toNumber = :phoneNumber)', { phoneNumber });
  }
  if (createdAfter !== undefined) query.andWhere('c.createdAt >= :createdAfter', { createdAfter });
  if (createdBefore !== undefined) query.andWhere('c.createdAt < :createdBefore', { createdBefore });
  if (filter.cursor !== undefined) query.andWhere('(c.createdAt, c.id) < (:at, :id)', decodeCursor(filter.cursor));
  return toPage(await query.getMany(), limit, ({ createdAt, id }) => ({ at: createdAt, id }));
}
