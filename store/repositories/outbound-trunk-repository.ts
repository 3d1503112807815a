import type { EntityManager } from 'typeorm';
import type { ConfigTransaction } from '../config-transaction';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { TrunkHealthRow } from '../entities/trunk-health';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { FOR_UPDATE } from '../row-lock';
import { ownRow, ownRows } from '../rows';
import { rowAad } from '../secrets';
import type { SecretBox } from '../secrets';
import { detachCampaigns } from './campaign-repository';

/** Without the password: only media nodes open it, through `ConfigRepository`. */
export type OutboundTrunkRecord = Omit<OutboundTrunk, 'passwordSealed'>;

/** All that is not needed to make one. */
export type OutboundTrunkSettings = Pick<
  OutboundTrunk,
  | 'mediaTimeoutSeconds'
  | 'register'
  | 'optionsPing'
  | 'callerNumbers'
  | 'gateways'
  | 'codecs'
  | 'dtmfMode'
  | 'maxConcurrentCalls'
  | 'maxCallsPerSecond'
  | 'numberFormat'
  | 'numberPrefix'
  | 'fromHost'
  | 'headers'
  | 'passCallerId'
  | 'transportStrict'
  | 'allowedCountries'
>;

export interface NewOutboundTrunk extends Readonly<Partial<OutboundTrunkSettings>> {
  readonly id?: string;
  readonly name: string;
  readonly host: string;
  readonly port?: number | null;
  readonly transport?: OutboundTrunk['transport'];
  readonly username: string;
  readonly password: string;
  readonly callerNumber: string;
}

export type OutboundTrunkPatch = PatchOf<Omit<NewOutboundTrunk, 'id'>>;

export interface DeletedOutboundTrunk {
  readonly id: string;
  readonly before: OutboundTrunkRecord;
  readonly detached: {
    readonly agents: readonly { readonly id: string; readonly name: string }[];
    readonly campaigns: readonly { readonly id: string; readonly name: string }[];
  };
}

export class OutboundTrunkRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
  }

  /** Oldest first. */
  async list(orgId: string): Promise<OutboundTrunkRecord[]> {
    return (await ownRows(this.#session.manager, OutboundTrunk, orgId)).map(withoutPassword);
  }

  async find(
    orgId: string,
    id: string,
    manager: EntityManager = this.#session.manager,
  ): Promise<OutboundTrunkRecord | null> {
    if (!isUuid(id)) return null;
    const trunk = await ownRow(manager, OutboundTrunk, { orgId, id });
    return trunk && withoutPassword(trunk);
  }

  async create(tx: ConfigTransaction, orgId: string, input: NewOutboundTrunk): Promise<OutboundTrunkRecord> {
    const { id = uuidV7(), password, ...fields } = input;
    const passwordSealed = this.#secrets.seal(password, rowAad(orgId, id));
    await tx.manager.insert(OutboundTrunk, { ...fields, id, orgId, passwordSealed });
    // Where a media node finds that there is a trunk to look after; it goes with the trunk.
    await tx.manager.insert(TrunkHealthRow, { trunkId: id, orgId });
    tx.changed('outbound_trunk', id);
    return this.#get(tx, orgId, id);
  }

  /** @throws StoreError `not_found` */
  async update(
    tx: ConfigTransaction,
    orgId: string,
    id: string,
    patch: OutboundTrunkPatch,
  ): Promise<OutboundTrunkRecord> {
    if (!isUuid(id)) throw notFound(id);
    const { password, ...fields } = fieldsSet<Omit<NewOutboundTrunk, 'id'>>(patch);
    const sealed =
      password === undefined ? {} : { passwordSealed: this.#secrets.seal(password, rowAad(orgId, id.toLowerCase())) };
    const set = { ...fields, ...sealed, updatedAt: () => 'now()' };
    const result = await tx.manager.update(OutboundTrunk, { id, orgId }, set);
    if (result.affected !== 1) throw notFound(id);
    tx.changed('outbound_trunk', id);
    return this.#get(tx, orgId, id);
  }

  /** Agents that dialled with it are left without a trunk. Null when the organisation has no such trunk. */
  async delete(tx: ConfigTransaction, orgId: string, id: string): Promise<DeletedOutboundTrunk | null> {
    if (!isUuid(id)) return null;
    // Before the agents: whoever is assigning this trunk either is done by now or finds it gone.
    const before = await tx.manager.findOne(OutboundTrunk, { where: { id, orgId }, lock: FOR_UPDATE });
    if (!before) return null;
    const [agents]: [{ id: string; name: string }[]] = await tx.manager.query(
      `UPDATE agents SET outbound_trunk_id = NULL, updated_at = now()
       WHERE id = ANY(ARRAY(SELECT id FROM agents WHERE outbound_trunk_id = $1 AND org_id = $2
         ORDER BY id FOR NO KEY UPDATE))
       RETURNING id, name`,
      [id, orgId],
    );
    tx.changed('agent', ...agents.map((agent) => agent.id));
    const change = 'trunk_ids = array_remove(trunk_ids, $1)';
    const campaigns = await detachCampaigns(tx.manager, change, '$1 = ANY(trunk_ids)', orgId, id);
    await tx.manager.delete(OutboundTrunk, { id, orgId });
    tx.deleted('outbound_trunk', id);
    return { id, before: withoutPassword(before), detached: { agents, campaigns } };
  }

  async #get(tx: ConfigTransaction, orgId: string, id: string): Promise<OutboundTrunkRecord> {
    const trunk = await this.find(orgId, id, tx.manager);
    if (!trunk) throw notFound(id);
    return trunk;
  }
}

function notFound(id: string): StoreError {
  return new StoreError('not_found', 'no such outbound trunk', { resource: 'outbound_trunk', id });
}

function withoutPassword(trunk: OutboundTrunk): OutboundTrunkRecord {
  const { passwordSealed: _, ...record } = trunk;
  return record;
}
