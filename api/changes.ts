/**
 * A change of the configuration: resource, audit rows and the answer saved for its key, all in one transaction. After it the
 * workflows of the trunks that it changed are told.
 */
import type { ConfigTransaction } from '../store/config-transaction';
import { enterOrganisation } from '../store/organisation-scope';
import type { NewAuditEntry } from '../store/repositories/audit-repository';
import type { TrunkChange } from '../workflows/client/trunk-workflows';
import { answer } from './route';
import type { RouteAnswer, RouteRequest } from './route';
import type { ApiStore, OrgStore } from './store';
import type { TrunkRequests } from './trunk-requests';

export type AuditNote = Pick<NewAuditEntry, 'action' | 'resource' | 'resourceId' | 'before' | 'after'>;

export interface ChangeResult {
  readonly body: object;
  /** Without secrets. */
  readonly audit: AuditNote | readonly AuditNote[];
}

type ChangeRequest = Pick<
  RouteRequest<unknown, unknown, unknown>,
  'actor' | 'bodyHash' | 'idempotencyKey' | 'route' | 'successStatus'
>;

type Work = (tx: ConfigTransaction, org: OrgStore) => Promise<ChangeResult>;

export class Changes {
  readonly #store: Pick<ApiStore, 'forOrg'>;
  readonly #trunks: Pick<TrunkRequests, 'tell'>;

  constructor(store: Pick<ApiStore, 'forOrg'>, trunks: Pick<TrunkRequests, 'tell'>) {
    this.#store = store;
    this.#trunks = trunks;
  }

  /**
   * @param work Runs again when another change was in its way.
   * @param orgId Whose rows change; an operator's own organisation has the note of it and the answer.
   */
  async run(request: ChangeRequest, work: Work, orgId: string = request.actor.orgId): Promise<RouteAnswer> {
    const { actor, bodyHash, idempotencyKey, route, successStatus: status } = request;
    const made: { tx?: ConfigTransaction } = {};
    const result = await this.#store.forOrg(actor.orgId).write((org) =>
      org.config.transaction(async (tx) => {
        made.tx = tx;
        const enter = async (id: string): Promise<void> => {
          if (orgId !== actor.orgId) await enterOrganisation(org.session, id);
        };
        const change = async (): Promise<object> => {
          await enter(orgId);
          const result = await work(tx, org);
          await enter(actor.orgId);
          const notes: readonly AuditNote[] = 'action' in result.audit ? [result.audit] : result.audit;
          for (const note of notes) await org.audit.add({ ...actor, ...note });
          return result.body;
        };
        if (idempotencyKey === null) {
          const body = await change();
          // The transaction ends with a version for the rows that changed.
          await enter(orgId);
          return answer(body);
        }
        const saved = await org.idempotency.once(
          tx.manager,
          { orgId: actor.orgId, route, key: idempotencyKey, bodyHash },
          async () => ({ status, body: await change() }),
        );
        await enter(orgId);
        return replayed(saved);
      }),
    );
    if (made.tx !== undefined) this.#trunks.tell(trunkChanges(orgId, made.tx));
    return result;
  }
}

function trunkChanges(orgId: string, tx: ConfigTransaction): TrunkChange[] {
  const { version } = tx;
  if (version === null) return [];
  return (['inbound', 'outbound'] as const).flatMap((direction) => {
    const kind = `${direction}_trunk` as const;
    const gone = tx.deletions().filter((deletion) => deletion.kind === kind);
    return [
      ...tx.changedIds(kind).map((trunkId) => ({ orgId, trunkId, direction, version, removed: false })),
      ...gone.map(({ id: trunkId }) => ({ orgId, trunkId, direction, version, removed: true })),
    ];
  });
}

export function replayed(saved: {
  readonly status: number;
  readonly body: unknown;
  readonly replayed: boolean;
}): RouteAnswer {
  return answer(saved.body, {
    status: saved.status,
    ...(saved.replayed ? { headers: { 'Idempotent-Replayed': 'true' } } : {}),
  });
}
