import { uuidV7 } from '../../../../store/ids';
import { CallRepository } from '../../../../store/repositories/call-repository';
import type { ApiServer, Tenant } from './api-server';

/** A call that keeps its trunk in use. */
export async function openCall(api: ApiServer, tenant: Tenant, trunkId: string): Promise<string> {
  const id = uuidV7();
  await new CallRepository(api.dataSource).insertCall({
    id,
    orgId: tenant.orgId,
    agentId: uuidV7(),
    trunkId,
    sessionId: uuidV7(),
    direction: 'inbound',
    from: '+15550001111',
    to: '+15551234567',
    status: 'in_progress',
    createdAtMs: Date.now(),
  });
  return id;
}
