/** The inbound trunk lists the verified numbers: one sync of an organisation at a time, by its workflow. */
import { uuidV7 } from '../../store/ids';
import type { InboundTrunkRecord } from '../../store/repositories/inbound-trunk-repository';
import type { ConfigPropagation } from '../config-propagation';
import { ApiError, notFound, temporalUnavailable } from '../errors';
import type { InboundTrunkEndpoint } from '../inbound-trunk-endpoint';
import { answer, route } from '../route';
import type { Actor, Route, RouteAnswer } from '../route';
import { inboundTrunkExample } from '../schemas/examples';
import { inboundTrunk } from '../schemas/inbound-trunk';
import type { ApiStore } from '../store';
import type { TrunkRequests } from '../trunk-requests';
import { inboundTrunkView } from '../views';

export interface InboundTrunkSyncRouteDeps {
  readonly store: Pick<ApiStore, 'forOrg'>;
  readonly trunks: Pick<TrunkRequests, 'sync' | 'tell'>;
  readonly propagation: ConfigPropagation;
  readonly sipEndpoint: InboundTrunkEndpoint;
}

export function inboundTrunkSyncRoutes(deps: InboundTrunkSyncRouteDeps): readonly Route[] {
  return [
    route({
      tag: 'Inbound trunk',
      resource: 'inbound trunk',
      method: 'post',
      path: '/phone/sip/inbound-trunk/sync',
      operationId: 'syncInboundTrunkNumbers',
      summary: "List exactly the organisation's verified numbers on the inbound trunk",
      description: 'After a 503 `outcome_unknown`, repeat it: a repeat makes the same set.',
      scope: 'sip:write',
      response: inboundTrunk,
      errors: { 404: ['inbound_trunk_not_found'], 503: ['temporal_unavailable', 'outcome_unknown'] },
      responseExample: inboundTrunkExample,
      handle: ({ actor }) => deps.propagation.awaited(sync(deps, actor)),
    }),
  ];
}

async function sync({ store, trunks, sipEndpoint }: InboundTrunkSyncRouteDeps, actor: Actor): Promise<RouteAnswer> {
  const { orgId, keyId, requestId } = actor;
  const { id: trunkId } = await find(store, orgId);
  const { outcome } = await trunks.sync({ orgId, trunkId }, { syncId: uuidV7(), keyId, requestId });
  switch (outcome) {
    case 'synced': {
      const row = await find(store, orgId);
      trunks.tell([{ orgId, trunkId: row.id, direction: 'inbound', version: row.version, removed: false }]);
      return answer(inboundTrunkView(row, await sipEndpoint.current()));
    }
    case 'no_trunk':
      throw notFound('inbound trunk');
    case 'unavailable':
      throw temporalUnavailable();
    case 'unknown':
      throw new ApiError(503, 'outcome_unknown', 'Whether the numbers were synced is not known yet; ask again', {
        retryAfterSeconds: 2,
      });
  }
}

/** @throws ApiError 404 */
async function find(store: Pick<ApiStore, 'forOrg'>, orgId: string): Promise<InboundTrunkRecord> {
  const row = await store.forOrg(orgId).read((org) => org.inboundTrunks.find(orgId));
  if (row === null) throw notFound('inbound trunk');
  return row;
}
