import type { EntityManager } from 'typeorm';
import type { SealedCredentials } from '../../contract/transfers';
import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { AgentTransferDestination } from '../entities/agent-transfer-destination';
import { TransferDestination } from '../entities/transfer-destination';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { FOR_SHARE, FOR_UPDATE } from '../row-lock';
import { rowAad } from '../secrets';
import type { SecretBox } from '../secrets';

export type TransferDestinationRecord = Omit<TransferDestination, 'passwordSealed'> & { readonly hasPassword: boolean };

type Settable = Omit<TransferDestination, 'id' | 'orgId' | 'passwordSealed' | 'createdAt' | 'updatedAt'> & {
  readonly password: string | null;
};
export type TransferDestinationPatch = PatchOf<Settable>;
export type NewTransferDestination = TransferDestinationPatch & Pick<Settable, 'name' | 'type' | 'value'>;

interface DeletedTransferDestination {
  readonly before: TransferDestinationRecord;
  /** Agents that could transfer there, or fell back to it. */
  readonly detached: { readonly agents: readonly { readonly id: string; readonly name: string }[] };
}

export class TransferDestinationRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /** Oldest first. */
  async list(orgId: string): Promise<TransferDestinationRecord[]> {
    const order = { createdAt: 'ASC', id: 'ASC' } as const;
    return (await this.#session.manager.find(TransferDestination, { where: { orgId }, order })).map(recordOf);
  }

  /** Those of an agent, in the order of their assignment. */
  async ofAgent(
    orgId: string,
    agentId: string,
    manager: EntityManager = this.#session.manager,
  ): Promise<TransferDestinationRecord[]> {
    if (!isUuid(agentId)) return [];
    const rows = await manager
      .createQueryBuilder(TransferDestination, 'd')
      .innerJoin(AgentTransferDestination, 'a', 'a.destinationId = d.id')
      .where('d.orgId = :orgId AND a.orgId = :orgId AND a.agentId = :agentId', { orgId, agentId })
      .orderBy('a.createdAt')
      .addOrderBy('d.id')
      .getMany();
    return rows.map(recordOf);
  }

  /** What answers the challenges of a SIP destination, for a media node to open; null where it has no user name. */
  async credentials(orgId: string, id: string): Promise<SealedCredentials | null> {
    const row = await this.#session.manager.findOne(TransferDestination, { where: { id, orgId } });
    if (row?.type !== 'sip' || row.username === null) return null;
    return { destinationId: id, username: row.username, passwordSealed: row.passwordSealed };
  }

  /** The row stays as it is until the transaction ends. Null when the organisation has no such destination. */
  async findForChange(tx: ConfigTransaction, orgId: string, id: string): Promise<TransferDestinationRecord | null> {
    if (!isUuid(id)) return null;
    const row = await tx.manager.findOne(TransferDestination, { where: { id, orgId }, lock: FOR_UPDATE });
    return row && recordOf(row);
  }

  async create(
    tx: ConfigTransaction,
    orgId: string,
    input: NewTransferDestination,
  ): Promise<TransferDestinationRecord> {
    const id = uuidV7();
    await tx.manager.insert(TransferDestination, { ...this.#columns(orgId, id, input), id, orgId });
    return recordOf(await tx.manager.findOneByOrFail(TransferDestination, { id, orgId }));
  }

  /** @throws StoreError `not_found` */
  async update(
    tx: ConfigTransaction,
    orgId: string,
    id: string,
    patch: TransferDestinationPatch,
  ): Promise<TransferDestinationRecord> {
    const set = { ...this.#columns(orgId, id, patch), updatedAt: () => 'now()' };
    const result = await tx.manager.update(TransferDestination, { id, orgId }, set);
    if (result.affected !== 1) throw notFound('transfer_destination', id);
    return recordOf(await tx.manager.findOneByOrFail(TransferDestination, { id, orgId }));
  }

  /** Null when the organisation has no such destination. */
  async delete(tx: ConfigTransaction, orgId: string, id: string): Promise<DeletedTransferDestination | null> {
    const before = await this.findForChange(tx, orgId, id);
    if (!before) return null;
    const agents: { id: string; name: string; fell_back: boolean }[] = await tx.manager.query(
      `SELECT id, name, failover_transfer_destination_id IS NOT DISTINCT FROM $2::uuid AS fell_back FROM agents
       WHERE org_id = $1 AND (failover_transfer_destination_id = $2
         OR id IN (SELECT agent_id FROM agent_transfer_destinations WHERE destination_id = $2 AND org_id = $1))
       ORDER BY created_at, id`,
      [orgId, id],
    );
    const fallen = agents.filter((agent) => agent.fell_back).map((agent) => agent.id);
    if (fallen.length > 0) {
      await tx.manager.query(
        `UPDATE agents SET failover_transfer_destination_id = NULL, updated_at = now()
         WHERE id = ANY(ARRAY(SELECT id FROM agents WHERE org_id = $1 AND failover_transfer_destination_id = $2
           ORDER BY id FOR NO KEY UPDATE))`,
        [orgId, id],
      );
      tx.changed('agent', ...fallen);
    }
    await tx.manager.delete(TransferDestination, { id, orgId });
    return { before, detached: { agents: agents.map(({ id: agentId, name }) => ({ id: agentId, name })) } };
  }

  /**
   * Once more is nothing new.
   * @throws StoreError `not_found` (details.resource `agent` or `transfer_destination`)
   */
  async assign(tx: ConfigTransaction, orgId: string, agentId: string, destinationId: string): Promise<void> {
    const { manager } = tx;
    // Before the agent, as its deletion does, which then looks for agents that fall back to it.
    const destination = await held(tx, orgId, destinationId);
    const agent = isUuid(agentId)
      ? await manager.findOne(Agent, { where: { id: agentId, orgId }, lock: FOR_SHARE })
      : null;
    if (!agent) throw notFound('agent', agentId);
    if (!destination) throw notFound('transfer_destination', destinationId);
    await manager
      .createQueryBuilder()
      .insert()
      .into(AgentTransferDestination)
      .values({ orgId, agentId, destinationId })
      .orIgnore()
      .execute();
  }

  /** False when the agent did not have it. */
  async unassign(tx: ConfigTransaction, orgId: string, agentId: string, destinationId: string): Promise<boolean> {
    if (!isUuid(agentId) || !isUuid(destinationId)) return false;
    const result = await tx.manager.delete(AgentTransferDestination, { orgId, agentId, destinationId });
    return result.affected === 1;
  }

  #columns(orgId: string, id: string, patch: TransferDestinationPatch): Partial<TransferDestination> {
    const { password, ...fields } = fieldsSet<Settable>(patch);
    if (password === undefined) return fields;
    return { ...fields, passwordSealed: password === null ? null : this.#secrets.seal(password, rowAad(orgId, id)) };
  }
}

/**
 * It stays until the transaction ends.
 * @throws StoreError `not_found`
 */
export async function assertTransferDestination(tx: ConfigTransaction, orgId: string, id: string): Promise<void> {
  if (!(await held(tx, orgId, id))) throw notFound('transfer_destination', id);
}

async function held(tx: ConfigTransaction, orgId: string, id: string): Promise<TransferDestination | null> {
  return isUuid(id) ? tx.manager.findOne(TransferDestination, { where: { id, orgId }, lock: FOR_SHARE }) : null;
}

function notFound(resource: 'agent' | 'transfer_destination', id: string): StoreError {
  return new StoreError('not_found', `no such ${resource.replace('_', ' ')}`, { resource, id });
}

function recordOf({ passwordSealed, ...record }: TransferDestination): TransferDestinationRecord {
  return { ...record, hasPassword: passwordSealed !== null };
}
