import type { EntityManager, QueryDeepPartialEntity } from 'typeorm';
import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { fieldsSet } from '../patch';
import { prepared } from '../prepared';
import { FOR_SHARE, FOR_UPDATE } from '../row-lock';
import { ownRow, rowTable } from '../rows';
import type { RowTable } from '../rows';
import { detachCampaigns } from './campaign-repository';
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
  readonly detached: {
    readonly phoneNumbers: readonly { readonly id: string; readonly phoneNumber: string }[];
    readonly campaigns: readonly { readonly id: string; readonly name: string }[];
  };
}

const IN_JSON: ReadonlySet<string> = new Set<keyof AgentFields>(['llm', 'stt', 'tts']);

export class AgentRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Oldest first. */
  async list(orgId: string): Promise<AgentRecord[]> {
    const { manager } = this.#session;
    const { select, read } = recordTable(manager);
    const text = prepared(`${select} WHERE org_id = $1 ORDER BY created_at, id`);
    return (await manager.query<AgentRecord[]>(text, [orgId])).map(read);
  }

  async find(orgId: string, id: string, manager: EntityManager = this.#session.manager): Promise<AgentRecord | null> {
    if (!isUuid(id)) return null;
    const { select, read } = recordTable(manager);
    const [row]: AgentRecord[] = await manager.query(prepared(`${select} WHERE id = $1 AND org_id = $2`), [id, orgId]);
    return row === undefined ? null : read(row);
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
    const { list, columns, read } = recordTable(tx.manager);
    const fields = Object.entries(fieldsSet<AgentFields>(patch));
    const set = ['updated_at = now()', ...fields.map(([name], n) => `${columns[name]} = $${n + 3}`)];
    const text = `UPDATE agents SET ${set.join(', ')} WHERE id = $1 AND org_id = $2 RETURNING ${list}`;
    const values = fields.map(([name, value]) => (IN_JSON.has(name) && value !== null ? jsonbParameter(value) : value));
    // There are many ways to change several fields.
    const asked = fields.length > 1 ? text : prepared(text);
    const [[row]]: [AgentRecord[]] = await tx.manager.query(asked, [id, orgId, ...values]);
    if (row === undefined) throw notFound(id);
    tx.changed('agent', id);
    return read(row);
  }

  /** Its numbers stay with the organisation. Null when the organisation has no such agent. */
  async delete(tx: ConfigTransaction, orgId: string, id: string): Promise<DeletedAgent | null> {
    if (!isUuid(id)) return null;
    // Before its numbers: whoever is giving it numbers either is done by now or finds it gone.
    if ((await ownRow(tx.manager, Agent, { orgId, id }, FOR_UPDATE)) === null) return null;
    const before = await this.#get(tx, orgId, id);
    const [numbers]: [{ id: string; phone_number: string }[]] = await tx.manager.query(
      `UPDATE phone_numbers SET agent_id = NULL, updated_at = now()
       WHERE id = ANY(ARRAY(SELECT id FROM phone_numbers WHERE agent_id = $1 AND org_id = $2
         ORDER BY id FOR NO KEY UPDATE))
       RETURNING id, phone_number`,
      [id, orgId],
    );
    tx.changed('phone_number', ...numbers.map((number) => number.id));
    const campaigns = await detachCampaigns(tx.manager, 'agent_id = NULL', 'agent_id = $1', orgId, id);
    const result = await tx.manager.delete(Agent, { id, orgId });
    if (result.affected !== 1) return null;
    tx.deleted('agent', id);
    return {
      id,
      before,
      detached: {
        phoneNumbers: numbers.map((number) => ({ id: number.id, phoneNumber: number.phone_number })),
        campaigns,
      },
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

/** The table of agents, each with the oldest of the numbers assigned to it. */
function recordTable(manager: EntityManager): RowTable {
  const table = rowTable(manager, Agent);
  const withNumber = `${table.list}, (SELECT phone_number FROM phone_numbers
    WHERE phone_numbers.agent_id = agents.id AND phone_numbers.org_id = agents.org_id
    ORDER BY phone_numbers.created_at, phone_numbers.id LIMIT 1) AS "phoneNumber"`;
  return { ...table, list: withNumber, select: `SELECT ${withNumber} FROM agents` };
}
