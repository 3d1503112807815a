import { randomBytes, randomInt } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { DEFAULT_MEDIA_TIMEOUT_SECONDS } from '../../contract/directory';
import type { ConfigTransaction } from '../config-transaction';
import { InboundTrunk } from '../entities/inbound-trunk';
import { InboundTrunkNetwork } from '../entities/inbound-trunk-network';
import { SipRegistration } from '../entities/sip-registration';
import { StoreError, violatedExclusion, violatedUnique } from '../errors';
import { uuidV7 } from '../ids';
import type { StoreSession } from '../organisation-scope';
import { fieldsSet } from '../patch';
import type { PatchOf } from '../patch';
import { FOR_UPDATE } from '../row-lock';
import { rowAad } from '../secrets';
import type { SecretBox } from '../secrets';

/** With the password opened: the API shows it on every answer about the trunk. */
export type InboundTrunkRecord = Omit<InboundTrunk, 'authPasswordSealed' | 'previousPasswordSealed'> & {
  readonly authPassword: string;
};

export interface NewInboundTrunk {
  readonly id?: string;
  readonly phoneNumbers: readonly string[];
  readonly krispEnabled?: boolean;
  readonly mediaTimeoutSeconds?: number;
}

type InboundTrunkSettings = Pick<
  InboundTrunk,
  | 'krispEnabled'
  | 'mediaTimeoutSeconds'
  | 'auth'
  | 'ipAllowlist'
  | 'mediaSource'
  | 'codecs'
  | 'dtmfMode'
  | 'maxConcurrentCalls'
  | 'maxCallsPerSecond'
>;
export type InboundTrunkPatch = PatchOf<InboundTrunkSettings>;

const PASSWORD_LENGTH = 32;
/** Safe in every PBX's configuration file: no quotes, no separators, nothing easily misread. */
const PASSWORD_ALPHABET = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

export class InboundTrunkRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
  }

  async find(orgId: string, manager: EntityManager = this.#session.manager): Promise<InboundTrunkRecord | null> {
    const trunk = await manager.findOneBy(InboundTrunk, { orgId });
    return trunk && this.#opened(trunk);
  }

  /**
   * Makes the credentials itself.
   * @throws StoreError `inbound_trunk_exists`
   */
  async create(tx: ConfigTransaction, orgId: string, input: NewInboundTrunk): Promise<InboundTrunkRecord> {
    const id = input.id ?? uuidV7();
    try {
      await tx.manager.insert(InboundTrunk, {
        id,
        orgId,
        authUsername: `trunk-${randomBytes(8).toString('hex')}`,
        authPasswordSealed: this.#secrets.seal(newPassword(), rowAad(orgId, id)),
        phoneNumbers: [...input.phoneNumbers],
        krispEnabled: input.krispEnabled ?? true,
        mediaTimeoutSeconds: input.mediaTimeoutSeconds ?? DEFAULT_MEDIA_TIMEOUT_SECONDS,
      });
    } catch (error) {
      if (violatedUnique(error) !== 'inbound_trunks_org') throw error;
      throw new StoreError('inbound_trunk_exists', 'the organisation has an inbound trunk', {}, error);
    }
    tx.changed('inbound_trunk', id);
    return this.#get(tx, orgId);
  }

  /**
   * Settings of the trunk, not its numbers.
   * @throws StoreError `not_found`, `network_taken`
   */
  async update(tx: ConfigTransaction, orgId: string, patch: InboundTrunkPatch): Promise<InboundTrunkRecord> {
    const set = { ...fieldsSet<InboundTrunkSettings>(patch), updatedAt: () => 'now()' };
    const result = await tx.manager.update(InboundTrunk, { orgId }, set);
    if (result.affected !== 1) throw noTrunk();
    const trunk = await this.#changed(tx, orgId);
    if (patch.auth !== undefined || patch.ipAllowlist !== undefined) await claimNetworks(tx.manager, trunk);
    return trunk;
  }

  /**
   * A new password; the one before lets calls in for so long too. Without that time, who registered with it is forgotten.
   * @throws StoreError `not_found`
   */
  async rotatePassword(tx: ConfigTransaction, orgId: string, graceSeconds: number): Promise<InboundTrunkRecord> {
    const trunk = await tx.manager.findOne(InboundTrunk, { where: { orgId }, lock: FOR_UPDATE });
    if (!trunk) throw noTrunk();
    const { id, authPasswordSealed } = trunk;
    const previous =
      graceSeconds === 0
        ? { previousPasswordSealed: null, previousPasswordUntil: null }
        : {
            previousPasswordSealed: authPasswordSealed,
            previousPasswordUntil: () => `now() + interval '${Math.trunc(graceSeconds)} seconds'`,
          };
    const sealed = this.#secrets.seal(newPassword(), rowAad(orgId, id));
    const set = { ...previous, authPasswordSealed: sealed, updatedAt: () => 'now()' };
    await tx.manager.update(InboundTrunk, { id, orgId }, set);
    if (graceSeconds === 0) await tx.manager.delete(SipRegistration, { trunkId: id, orgId });
    return this.#changed(tx, orgId);
  }

  /**
   * The password before the last rotation goes, once its time is over by the database's clock. When that will be; null when
   * there is none (any more).
   */
  async erasePreviousPassword(tx: ConfigTransaction, orgId: string, id: string): Promise<Date | null> {
    const [erased]: [unknown[]] = await tx.manager.query(
      `UPDATE inbound_trunks SET previous_password_sealed = NULL, previous_password_until = NULL
       WHERE id = $1 AND org_id = $2 AND previous_password_until <= clock_timestamp() RETURNING id`,
      [id, orgId],
    );
    if (erased.length === 1) {
      // Media nodes hold it in memory.
      tx.changed('inbound_trunk', id);
      return null;
    }
    return (await tx.manager.findOneBy(InboundTrunk, { id, orgId }))?.previousPasswordUntil ?? null;
  }

  /**
   * `change` is given the numbers that the trunk lists and gives those that it shall list, while nobody else changes them.
   * @throws StoreError `not_found`, and what `change` throws
   */
  async changeNumbers(
    tx: ConfigTransaction,
    orgId: string,
    change: (listed: readonly string[]) => readonly string[],
  ): Promise<InboundTrunkRecord> {
    const trunk = await tx.manager.findOne(InboundTrunk, { where: { orgId }, lock: FOR_UPDATE });
    if (!trunk) throw noTrunk();
    const phoneNumbers = [...change(trunk.phoneNumbers)];
    await tx.manager.update(InboundTrunk, { id: trunk.id, orgId }, { phoneNumbers, updatedAt: () => 'now()' });
    return this.#changed(tx, orgId);
  }

  /** Null when there was none. */
  async delete(tx: ConfigTransaction, orgId: string): Promise<InboundTrunkRecord | null> {
    const trunk = await this.find(orgId, tx.manager);
    if (!trunk) return null;
    const result = await tx.manager.delete(InboundTrunk, { id: trunk.id, orgId });
    if (result.affected !== 1) return null;
    tx.deleted('inbound_trunk', trunk.id);
    return trunk;
  }

  async #get(tx: ConfigTransaction, orgId: string): Promise<InboundTrunkRecord> {
    const trunk = await this.find(orgId, tx.manager);
    if (!trunk) throw noTrunk();
    return trunk;
  }

  async #changed(tx: ConfigTransaction, orgId: string): Promise<InboundTrunkRecord> {
    const trunk = await this.#get(tx, orgId);
    tx.changed('inbound_trunk', trunk.id);
    return trunk;
  }

  #opened(trunk: InboundTrunk): InboundTrunkRecord {
    const { authPasswordSealed, previousPasswordSealed: _, ...record } = trunk;
    return { ...record, authPassword: this.#secrets.open(authPasswordSealed, rowAad(trunk.orgId, trunk.id)) };
  }
}

/** Those of an `ip` trunk, and of no other; what lies within another of the same list goes without saying. */
const CLAIM = `
  INSERT INTO inbound_trunk_networks (trunk_id, org_id, network)
  SELECT $1, $2, wide FROM (SELECT DISTINCT unnest($3::cidr[]) AS wide) AS listed
  WHERE NOT EXISTS (SELECT FROM unnest($3::cidr[]) AS other WHERE other >> wide)
  ORDER BY wide`;

/** @throws StoreError `network_taken` */
async function claimNetworks(manager: EntityManager, trunk: InboundTrunkRecord): Promise<void> {
  const { id, orgId, auth, ipAllowlist } = trunk;
  await manager.delete(InboundTrunkNetwork, { trunkId: id, orgId });
  if (auth !== 'ip') return;
  try {
    await manager.query(CLAIM, [id, orgId, ipAllowlist]);
  } catch (error) {
    if (violatedExclusion(error) !== 'inbound_trunk_networks_disjoint') throw error;
    throw new StoreError('network_taken', 'another organisation has one of the networks', {}, error);
  }
}

function noTrunk(): StoreError {
  return new StoreError('not_found', 'no inbound trunk', { resource: 'inbound_trunk' });
}

function newPassword(): string {
  return Array.from({ length: PASSWORD_LENGTH }, () =>
    PASSWORD_ALPHABET.charAt(randomInt(PASSWORD_ALPHABET.length)),
  ).join('');
}
