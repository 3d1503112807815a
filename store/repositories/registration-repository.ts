import type { EntityManager } from 'typeorm';
import { MoreThan } from 'typeorm';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { RegisteredTrunk, SipBinding } from '../../contract/registration';
import { InboundTrunk } from '../entities/inbound-trunk';
import { SipRegistration } from '../entities/sip-registration';
import { inTransaction } from '../organisation-scope';
import type { StoreSession } from '../organisation-scope';
import { FOR_UPDATE } from '../row-lock';

export interface FoundBinding {
  readonly binding: SipBinding;
  /** Its node lives: nobody else has the flow. */
  readonly held: boolean;
}

/** The address is a live node's, of whichever release. */
const OWN_ADDRESS = `SELECT 1 FROM media_nodes WHERE lower(sip_address) = lower($1) LIMIT 1`;
const HOLDERS = `SELECT node_id AS "nodeId" FROM media_nodes
  WHERE node_id = ANY($1::text[]) AND lost_at IS NULL
    AND last_seen >= clock_timestamp() - interval '${NODE_SILENCE_MS} milliseconds'`;

/** Registrations of phone systems. A trunk has few, its expired ones among them until its next REGISTER. */
export class RegistrationRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Of one trunk what has not expired, the newest first. */
  async ofTrunk(orgId: string, trunkId: string): Promise<SipBinding[]> {
    const rows = await this.#session.manager.find(SipRegistration, {
      where: { orgId, trunkId, expiresAt: MoreThan(new Date()) },
      order: { refreshedAt: 'DESC', id: 'DESC' },
    });
    return rows.map(toBinding);
  }

  /** The same, and who holds them. */
  async found(orgId: string, trunkId: string): Promise<FoundBinding[]> {
    const bindings = await this.ofTrunk(orgId, trunkId);
    if (bindings.length === 0) return [];
    const nodes = [...new Set(bindings.map(({ nodeId }) => nodeId))];
    const rows: { nodeId: string }[] = await this.#session.manager.query(HOLDERS, [nodes]);
    const live = new Set(rows.map(({ nodeId }) => nodeId));
    return bindings.map((binding) => ({ binding, held: live.has(binding.nodeId) }));
  }

  /** @param address as nodes are told to phone systems: `host`, or `host:port` when the port is not 5060 */
  async isNodeAddress(address: string): Promise<boolean> {
    return ((await this.#session.manager.query(OWN_ADDRESS, [address])) as unknown[]).length > 0;
  }

  /**
   * Keeps what `change` makes of all rows of the trunk; null: nothing changes. The trunk's row is locked meanwhile, so that
   * two nodes do one after the other. False when there is no such trunk.
   */
  async update(
    { trunkId, orgId }: RegisteredTrunk,
    change: (held: readonly SipBinding[]) => readonly SipBinding[] | null,
  ): Promise<boolean> {
    return inTransaction(this.#session, async ({ manager }) => {
      const where = { id: trunkId, orgId };
      if (!(await manager.findOne(InboundTrunk, { where, select: { id: true }, lock: FOR_UPDATE }))) return false;
      const held = (await manager.findBy(SipRegistration, { trunkId })).map(toBinding);
      const kept = change(held);
      if (kept !== null) await replace(manager, { trunkId, orgId }, held, kept);
      return true;
    });
  }
}

async function replace(
  manager: EntityManager,
  trunk: RegisteredTrunk,
  held: readonly SipBinding[],
  kept: readonly SipBinding[],
): Promise<void> {
  const keptIds = new Set(kept.map(({ id }) => id));
  const gone = held.filter(({ id }) => !keptIds.has(id)).map(({ id }) => id);
  if (gone.length > 0) await manager.delete(SipRegistration, gone);
  const refreshed = new Map(held.map(({ id, refreshedAtMs }) => [id, refreshedAtMs]));
  const changed = kept.filter(({ id, refreshedAtMs }) => refreshed.get(id) !== refreshedAtMs);
  if (changed.length > 0) {
    await manager.upsert(
      SipRegistration,
      changed.map((binding) => toRow(trunk, binding)),
      ['id'],
    );
  }
}

function toRow({ trunkId, orgId }: RegisteredTrunk, binding: SipBinding): SipRegistration {
  const { id, contact, instanceId, regId, q, path, sipCallId, cseq, userAgent, source, behindNat, nodeId } = binding;
  return {
    id,
    orgId,
    trunkId,
    contact,
    instanceId,
    regId,
    q,
    path: [...path],
    sipCallId,
    cseq,
    userAgent,
    transport: source.transport,
    sourceAddress: source.address,
    sourcePort: source.port,
    behindNat,
    nodeId,
    registeredAt: new Date(binding.registeredAtMs),
    refreshedAt: new Date(binding.refreshedAtMs),
    expiresAt: new Date(binding.expiresAtMs),
  };
}

function toBinding(row: SipRegistration): SipBinding {
  const { id, contact, instanceId, regId, q, path, sipCallId, cseq, userAgent, behindNat, nodeId } = row;
  return {
    id,
    contact,
    instanceId,
    regId,
    q,
    path,
    sipCallId,
    cseq,
    userAgent,
    source: { transport: row.transport, address: row.sourceAddress, port: row.sourcePort },
    behindNat,
    nodeId,
    registeredAtMs: row.registeredAt.getTime(),
    refreshedAtMs: row.refreshedAt.getTime(),
    expiresAtMs: row.expiresAt.getTime(),
  };
}
