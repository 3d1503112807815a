import type { EntityManager } from 'typeorm';
import type { SealedCredentials } from '../../contract/transfers';
import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { AgentTransferDestination } from '../entities/agent-transfer-destination';
import { TransferDestination } from '../entities/transfer-destination';
import { StoreError, violatedUnique } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { FOR_SHARE, FOR_UPDATE } from '../row-lock';
import { ownRows } from '../rows';
import { rowAad } from '../secrets';
import type { SecretBox } from '../secrets';

export type TransferDestinationRecord = Omit<TransferDestination, 'passwordSealed'> & { readonly hasPassword: boolean };

/** As an agent has it. */
export type AssignedDestination = TransferDestinationRecord & Pick<AgentTransferDestination, 'keypad'>;

type Settable = Omit<TransferDestination, 'id' | 'orgId' | 'passwordSealed' | 'createdAt' | 'updatedAt'> & {
  readonly password: string | null;
};
export type TransferDestinationPatch = PatchOf<Settable>;
export type NewTransferDestination = TransferDestinationPatch & Pick<Settable, 'name' | 'type' | 'value'>;

interface AssignmentRow {
  readonly orgId: string;
  readonly agentId: string;
  readonly destinationId: string;
  readonly keypad: string | null | undefined;
}

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
    return (await ownRows(this.#session.manager, TransferDestination, orgId)).map(recordOf);
  }

  /** Those of an agent, in the order of their assignment. */
  async ofAgent(
    orgId: string,
    agentId: string,
    manager: EntityManager = this.#session.manager,
  ): Promise<AssignedDestination[]> {
    if (!isUuid(agentId)) return [];
    const { entities, raw } = await manager
      .createQueryBuilder(TransferDestination, 'd')
      .innerJoin(AgentTransferDestination, 'a', 'a.destinationId = d.id')
      .addSelect('a.keypad', 'keypad')
      .where('d.orgId = :orgId AND a.orgId = :orgId AND a.agentId = :agentId', { orgId, agentId })
      .orderBy('a.createdAt')
      .addOrderBy('d.id')
      .getRawAndEntities<Pick<AgentTransferDestination, 'keypad'>>();
    return entities.map((row, i) => ({ ...recordOf(row), keypad: raw[i]?.keypad ?? null }));
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
    await changedFor(tx, orgId, id);
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
    await changedFor(tx, orgId, id);
    const fallen = agents.filter((agent) => agent.fell_back).map((agent) => agent.id);
    if (fallen.length > 0) {
      await tx.manager.query(
        `UPDATE agents SET failover_transfer_destination_id = NULL, updated_at = now()
         WHERE org_id = $1 AND failover_transfer_destination_id = $2`,
        [orgId, id],
      );
    }
    await tx.manager.delete(TransferDestination, { id, orgId });
    return { before, detached: { agents: agents.map(({ id: agentId, name }) => ({ id: agentId, name })) } };
  }

  /**
   * Once more is nothing new.
   * @param keypad Left out: as it was, and at first none.
   * @throws StoreError `not_found` (details.resource `agent` or `transfer_destination`), `key_taken`
   */
  async assign(
    tx: ConfigTransaction,
    orgId: string,
    agentId: string,
    destinationId: string,
    keypad?: string | null,
  ): Promise<void> {
    const { manager } = tx;
    // Before the agent, as its deletion does, which then looks for agents that fall back to it.
    const destination = await held(tx, orgId, destinationId);
    const agent = isUuid(agentId)
      ? await manager.findOne(Agent, { where: { id: agentId, orgId }, lock: FOR_UPDATE })
      : null;
    if (!agent) throw notFound('agent', agentId);
    if (!destination) throw notFound('transfer_destination', destinationId);
    const changed = await this.#insert(manager, { orgId, agentId, destinationId, keypad });
    // Media nodes know of each agent where it may transfer to.
    if (changed) tx.changed('agent', agentId);
  }

  /** False when the agent did not have it. */
  async unassign(tx: ConfigTransaction, orgId: string, agentId: string, destinationId: string): Promise<boolean> {
    if (!isUuid(agentId) || !isUuid(destinationId)) return false;
    const result = await tx.manager.delete(AgentTransferDestination, { orgId, agentId, destinationId });
    if (result.affected === 1) tx.changed('agent', agentId);
    return result.affected === 1;
  }

  /** False where it was there already. */
  async #insert(manager: EntityManager, { orgId, agentId, destinationId, keypad }: AssignmentRow): Promise<boolean> {
    const again =
      keypad === undefined ? 'DO NOTHING' : 'DO UPDATE SET keypad = $4 WHERE assigned.keypad IS DISTINCT FROM $4';
    try {
      const rows: unknown[] = await manager.query(
        `INSERT INTO agent_transfer_destinations AS assigned (org_id, agent_id, destination_id, keypad)
         VALUES ($1, $2, $3, $4) ON CONFLICT (agent_id, destination_id) ${again} RETURNING agent_id`,
        [orgId, agentId, destinationId, keypad ?? null],
      );
      return rows.length === 1;
    } catch (error) {
      if (violatedUnique(error) !== 'agent_transfer_destinations_keypad') throw error;
      throw new StoreError('key_taken', 'the key leads to another destination', { keypad });
    }
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

/** A node has the names of its destinations with an agent, and whether it falls back to one. In one order, after the destination: see `row-lock.ts`. */
async function changedFor(tx: ConfigTransaction, orgId: string, id: string): Promise<void> {
  const agents: { id: string }[] = await tx.manager.query(
    `SELECT id FROM agents WHERE org_id = $1
       AND (failover_transfer_destination_id = $2
         OR id IN (SELECT agent_id FROM agent_transfer_destinations WHERE destination_id = $2 AND org_id = $1))
     ORDER BY id FOR NO KEY UPDATE`,
    [orgId, id],
  );
  tx.changed('agent', ...agents.map((agent) => agent.id));
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
