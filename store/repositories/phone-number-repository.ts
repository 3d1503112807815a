import { Any, In } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { PhoneNumber } from '../entities/phone-number';
import { StoreError, violatedUnique } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { countryOf } from '../routing/country';
import { FOR_SHARE, FOR_UPDATE } from '../row-lock';
import { ownRow } from '../rows';

export interface NewPhoneNumber {
  readonly id?: string;
  readonly phoneNumber: string;
  readonly status: PhoneNumber['status'];
  readonly method: PhoneNumber['method'];
  /** Of a pending one, through which its code is called. */
  readonly trunkId?: string | null;
  readonly codeExpiresAt?: Date | null;
}

export interface DeletedPhoneNumber {
  readonly id: string;
  readonly before: PhoneNumber;
  readonly detached: {
    readonly agents: readonly { readonly id: string; readonly name: string }[];
    /** The inbound trunk that listed it. */
    readonly inboundTrunkId: string | null;
  };
}

export class PhoneNumberRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Newest first. */
  async list(orgId: string, request: PageRequest = {}): Promise<Page<PhoneNumber>> {
    return newestPage(this.#session.manager, { entity: PhoneNumber, where: [{ orgId }], request, time: 'createdAt' });
  }

  async find(orgId: string, id: string, manager: EntityManager = this.#session.manager): Promise<PhoneNumber | null> {
    return isUuid(id) ? ownRow(manager, PhoneNumber, { orgId, id }) : null;
  }

  /** Oldest first; of the given E.164 numbers, or all of them. They stay what they are until the transaction ends. */
  async verified(tx: ConfigTransaction, orgId: string, numbers?: readonly string[]): Promise<PhoneNumber[]> {
    const filter = numbers === undefined ? {} : { phoneNumber: In([...numbers]) };
    // By id, which is the order of their making and the one in which numbers are always locked.
    const order = { id: 'ASC' } as const;
    return tx.manager.find(PhoneNumber, { where: { orgId, status: 'verified', ...filter }, order, lock: FOR_SHARE });
  }

  async ofAgent(
    orgId: string,
    agentId: string,
    manager: EntityManager = this.#session.manager,
  ): Promise<PhoneNumber[]> {
    if (!isUuid(agentId)) return [];
    return manager.find(PhoneNumber, { where: { orgId, agentId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  /**
   * A number that the organisation has tried to verify before keeps its record: as pending it begins another round.
   * @throws StoreError `number_exists` when the organisation has a verified record of it (details.id),
   * `number_taken` when another organisation has
   */
  async create(tx: ConfigTransaction, orgId: string, input: NewPhoneNumber): Promise<PhoneNumber> {
    const { manager } = tx;
    const { phoneNumber } = input;
    const taken = async (): Promise<StoreError> =>
      takenError(orgId, phoneNumber, await this.#verifiedOwner(manager, phoneNumber));
    if (await isVerified(manager, phoneNumber)) throw await taken();
    let rows: { id: string }[];
    try {
      // To a savepoint, which leaves the transaction whole to ask who was first.
      rows = await manager.transaction((inner) => inner.query(RECORD, recordParameters(orgId, input)));
    } catch (error) {
      if (violatedUnique(error) !== 'phone_numbers_verified') throw error;
      throw await taken();
    }
    const [made] = rows;
    if (made === undefined) throw await taken();
    tx.changed('phone_number', made.id);
    return manager.findOneByOrFail(PhoneNumber, { id: made.id });
  }

  /**
   * Verified records of all these numbers: those there are, and new ones with method `attest`.
   * @throws StoreError `number_taken`
   */
  async attest(tx: ConfigTransaction, orgId: string, numbers: readonly string[]): Promise<PhoneNumber[]> {
    const wanted = [...new Set(numbers)];
    const known = new Set((await this.verified(tx, orgId, wanted)).map(({ phoneNumber }) => phoneNumber));
    // Sorted, so that two requests with the same numbers wait for each other instead of locking each other out.
    for (const phoneNumber of wanted.filter((number) => !known.has(number)).sort()) {
      await this.create(tx, orgId, { phoneNumber, status: 'verified', method: 'attest' });
    }
    return this.verified(tx, orgId, wanted);
  }

  /**
   * The agent answers exactly these numbers afterwards.
   * @throws StoreError `not_found` (details.resource `agent` or `phone_number`), `number_not_verified`,
   * `number_assigned` naming the agent that has it
   */
  async assignToAgent(tx: ConfigTransaction, orgId: string, agentId: string, ids: readonly string[]): Promise<void> {
    const { manager } = tx;
    const agent = isUuid(agentId)
      ? await manager.findOne(Agent, { where: { id: agentId, orgId }, lock: FOR_UPDATE })
      : null;
    if (!agent) throw new StoreError('not_found', 'no such agent', { resource: 'agent', id: agentId });
    const wanted = [...new Set(ids)];
    // Those that it gives up too, all in one order: two agents that exchange numbers wait for each other in turn.
    const where = [
      { orgId, id: Any(wanted.filter(isUuid)) },
      { orgId, agentId: agent.id },
    ];
    const rows = await manager.find(PhoneNumber, { where, order: { id: 'ASC' }, lock: FOR_UPDATE });
    const byId = new Map(rows.map((row) => [row.id, row]));
    for (const id of wanted) {
      const number = byId.get(id.toLowerCase());
      if (!number) throw new StoreError('not_found', 'no such phone number', { resource: 'phone_number', id });
      if (number.status !== 'verified') {
        throw new StoreError('number_not_verified', 'the number is not verified', {
          id,
          phoneNumber: number.phoneNumber,
        });
      }
      if (number.agentId !== null && number.agentId !== agent.id) throw await assignedError(manager, number);
    }
    const [changed]: [{ id: string }[]] = await manager.query(
      `UPDATE phone_numbers SET agent_id = CASE WHEN id = ANY($3::uuid[]) THEN $2::uuid END, updated_at = now()
       WHERE org_id = $1 AND (agent_id = $2 AND NOT id = ANY($3::uuid[]) OR id = ANY($3::uuid[]) AND agent_id IS NULL)
       RETURNING id`,
      [orgId, agentId, wanted],
    );
    tx.changed('phone_number', ...changed.map(({ id }) => id));
  }

  /** Leaves its agent and its organisation's inbound trunk. Null when the organisation has no such number. */
  async delete(tx: ConfigTransaction, orgId: string, id: string): Promise<DeletedPhoneNumber | null> {
    const { manager } = tx;
    if (!isUuid(id)) return null;
    // Before its trunk: whoever is listing the number either is done by now or finds it gone.
    const before = await manager.findOne(PhoneNumber, { where: { id, orgId }, lock: FOR_UPDATE });
    if (!before) return null;
    const agent = before.agentId === null ? null : await manager.findOneBy(Agent, { id: before.agentId, orgId });
    const [trunks]: [{ id: string }[]] = await manager.query(
      `UPDATE inbound_trunks SET phone_numbers = array_remove(phone_numbers, $2), updated_at = now()
       WHERE org_id = $1 AND $2 = ANY(phone_numbers) AND $3 = 'verified' RETURNING id`,
      [orgId, before.phoneNumber, before.status],
    );
    tx.changed('inbound_trunk', ...trunks.map((trunk) => trunk.id));
    const result = await manager.delete(PhoneNumber, { id, orgId });
    if (result.affected !== 1) return null;
    tx.deleted('phone_number', id);
    const agents = agent ? [{ id: agent.id, name: agent.name }] : [];
    return { id, before, detached: { agents, inboundTrunkId: trunks[0]?.id ?? null } };
  }

  async #verifiedOwner(manager: EntityManager, phoneNumber: string): Promise<PhoneNumber | null> {
    return manager.findOneBy(PhoneNumber, { phoneNumber, status: 'verified' });
  }
}

/** Waits for whoever is verifying the number at this moment. None: the organisation has it verified. */
const RECORD = `
  INSERT INTO phone_numbers AS known
    (id, org_id, phone_number, status, method, trunk_id, code_expires_at, country, verified_at, round)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $4 = 'verified' THEN now() END, CASE WHEN $4 = 'pending' THEN 1 ELSE 0 END)
  ON CONFLICT (phone_number, org_id) DO UPDATE SET status = excluded.status, method = excluded.method,
    trunk_id = excluded.trunk_id, code_expires_at = excluded.code_expires_at, verified_at = excluded.verified_at,
    round = known.round + excluded.round, tries = 0, failure = NULL, updated_at = now()
    WHERE known.status <> 'verified'
  RETURNING id`;

function recordParameters(orgId: string, input: NewPhoneNumber): unknown[] {
  const { id = uuidV7(), phoneNumber, status, method, trunkId = null, codeExpiresAt = null } = input;
  return [id, orgId, phoneNumber, status, method, trunkId, codeExpiresAt, countryOf(phoneNumber)];
}

/** By whichever organisation. */
async function isVerified(manager: EntityManager, phoneNumber: string): Promise<boolean> {
  const rows: { verified: boolean }[] = await manager.query('SELECT is_number_verified($1) AS verified', [phoneNumber]);
  return rows[0]?.verified === true;
}

/** @param owner Null when row-level security hides him. */
function takenError(orgId: string, phoneNumber: string, owner: PhoneNumber | null): StoreError {
  // Whose number it is concerns nobody but its owner.
  return owner?.orgId === orgId
    ? new StoreError('number_exists', 'the number is verified already', { phoneNumber, id: owner.id })
    : new StoreError('number_taken', 'the number is verified elsewhere', { phoneNumber });
}

async function assignedError(manager: EntityManager, number: PhoneNumber): Promise<StoreError> {
  const { id, phoneNumber, agentId, orgId } = number;
  const agent = agentId === null ? null : await manager.findOneBy(Agent, { id: agentId, orgId });
  const details = { id, phoneNumber, agentId, agentName: agent?.name ?? null };
  return new StoreError('number_assigned', 'the number belongs to another agent', details);
}
