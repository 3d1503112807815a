import { Any } from 'typeorm';
import type { EntityManager, QueryDeepPartialEntity } from 'typeorm';
import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { PhoneNumber } from '../entities/phone-number';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { FOR_SHARE, FOR_UPDATE } from '../row-lock';
import { assertTransferDestination } from './transfer-destination-repository';

/** What a user sets; every field left out of a creation takes the column's default. */
type AgentFields = Omit<Agent, 'id' | 'orgId' | 'outboundTrunkId' | 'createdAt' | 'updatedAt' | 'version'>;
export type NewAgent = Pick<Agent, 'name'> & Partial<AgentFields> & { readonly id?: string };
export type AgentPatch = Partial<AgentFields>;
/** With the number assigned to it (the oldest, when there are several). */
export type AgentRecord = Agent & { readonly phoneNumber: string | null };

export interface DeletedAgent {
  readonly id: string;
  readonly before: AgentRecord;
  readonly detached: { readonly phoneNumbers: readonly { readonly id: string; readonly phoneNumber: string }[] };
}

export class AgentRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Oldest first. */
  async list(orgId: string): Promise<AgentRecord[]> {
    const manager = this.#session.manager;
    const agents = await manager.find(Agent, { where: { orgId }, order: { createdAt: 'ASC', id: 'ASC' } });
    const ids = agents.map(({ id }) => id);
    return withNumbers(agents, ids.length === 0 ? [] : await assignedNumbers(manager, orgId, ids));
  }

  async find(orgId: string, id: string, manager: EntityManager = this.#session.manager): Promise<AgentRecord | null> {
    if (!isUuid(id)) return null;
    // Both leave together.
    const [agent, numbers] = await Promise.all([
      manager.findOneBy(Agent, { id, orgId }),
      assignedNumbers(manager, orgId, [id]),
    ]);
    return withNumbers(agent === null ? [] : [agent], numbers)[0] ?? null;
  }

  /** @throws StoreError `not_found` for a failover destination that the organisation does not have */
  async create(tx: ConfigTransaction, orgId: string, input: NewAgent): Promise<AgentRecord> {
    const { id = uuidV7(), ...fields } = input;
    await assertFailover(tx, orgId, fields);
    await tx.manager.insert(Agent, { ...fields, id, orgId } as QueryDeepPartialEntity<Agent>);
    tx.changed('agent', id);
    return this.#get(tx, orgId, id);
  }

  /** @throws StoreError `not_found` (details.resource `agent` or `transfer_destination`) */
  async update(tx: ConfigTransaction, orgId: string, id: string, patch: AgentPatch): Promise<AgentRecord> {
    if (!isUuid(id)) throw notFound(id);
    await assertFailover(tx, orgId, patch);
    const set = { ...patch, updatedAt: () => 'now()' } as QueryDeepPartialEntity<Agent>;
    const result = await tx.manager.update(Agent, { id, orgId }, set);
    if (result.affected !== 1) throw notFound(id);
    tx.changed('agent', id);
    return this.#get(tx, orgId, id);
  }

  /** Its numbers stay with the organisation. Null when the organisation has no such agent. */
  async delete(tx: ConfigTransaction, orgId: string, id: string): Promise<DeletedAgent | null> {
    if (!isUuid(id)) return null;
    // Before its numbers: whoever is giving it numbers either is done by now or finds it gone.
    const agent = await tx.manager.findOne(Agent, { where: { id, orgId }, lock: FOR_UPDATE });
    if (!agent) return null;
    const [before] = withNumbers([agent], await assignedNumbers(tx.manager, orgId, [id]));
    if (!before) return null;
    const [numbers]: [{ id: string; phone_number: string }[]] = await tx.manager.query(
      `UPDATE phone_numbers SET agent_id = NULL, updated_at = now()
       WHERE id = ANY(ARRAY(SELECT id FROM phone_numbers WHERE agent_id = $1 AND org_id = $2
         ORDER BY id FOR NO KEY UPDATE))
       RETURNING id, phone_number`,
      [id, orgId],
    );
    tx.changed('phone_number', ...numbers.map((number) => number.id));
    const result = await tx.manager.delete(Agent, { id, orgId });
    if (result.affected !== 1) return null;
    tx.deleted('agent', id);
    return {
      id,
      before,
      detached: { phoneNumbers: numbers.map((number) => ({ id: number.id, phoneNumber: number.phone_number })) },
    };
  }

  /**
   * The trunk the agent dials out with.
   * @throws StoreError `not_found` for an agent or a trunk the organisation does not have (details.resource)
   */
  async setOutboundTrunk(tx: ConfigTransaction, orgId: string, id: string, trunkId: string | null): Promise<void> {
    if (!isUuid(id)) throw notFound(id);
    if (trunkId !== null) {
      // Held until the commit, so that a deletion of the trunk meanwhile waits and then detaches this agent too.
      const where = { id: trunkId, orgId };
      const trunk = isUuid(trunkId) ? await tx.manager.findOne(OutboundTrunk, { where, lock: FOR_SHARE }) : null;
      if (!trunk) {
        throw new StoreError('not_found', 'no such outbound trunk', { resource: 'outbound_trunk', id: trunkId });
      }
    }
    const set = { outboundTrunkId: trunkId, updatedAt: () => 'now()' };
    const result = await tx.manager.update(Agent, { id, orgId }, set);
    if (result.affected !== 1) throw notFound(id);
    tx.changed('agent', id);
  }

  async #get(tx: ConfigTransaction, orgId: string, id: string): Promise<AgentRecord> {
    const agent = await this.find(orgId, id, tx.manager);
    if (!agent) throw notFound(id);
    return agent;
  }
}

async function assertFailover(tx: ConfigTransaction, orgId: string, fields: AgentPatch): Promise<void> {
  const id = fields.failoverTransferDestinationId ?? null;
  if (id !== null) await assertTransferDestination(tx, orgId, id);
}

function notFound(id: string): StoreError {
  return new StoreError('not_found', 'no such agent', { resource: 'agent', id });
}

async function assignedNumbers(
  manager: EntityManager,
  orgId: string,
  agentIds: readonly string[],
): Promise<PhoneNumber[]> {
  const where = { orgId, agentId: Any([...agentIds]) };
  return manager.find(PhoneNumber, { where, order: { createdAt: 'DESC', id: 'DESC' } });
}

function withNumbers(agents: readonly Agent[], assigned: readonly PhoneNumber[]): AgentRecord[] {
  const numberOf = new Map(assigned.map(({ agentId, phoneNumber }) => [agentId, phoneNumber]));
  return agents.map((agent) => Object.assign(agent, { phoneNumber: numberOf.get(agent.id) ?? null }));
}
