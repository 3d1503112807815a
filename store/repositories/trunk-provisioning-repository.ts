import type { CallDirection } from '../../contract/call';
import type { StoreSession } from '../organisation-scope';

export interface ProvisionedTrunk {
  /** Of the configuration that wrote, or removed, the trunk last. */
  readonly version: number;
  readonly removed: boolean;
  /** Until when the password before the last rotation lets calls in; null where there is none. */
  readonly previousPasswordUntil: Date | null;
}

export interface UnconfirmedTrunk {
  readonly orgId: string;
  readonly trunkId: string;
  readonly direction: CallDirection;
  readonly version: number;
  readonly removed: boolean;
}

/** What was told and is not confirmed after this is told again: its workflow waits for a node, or was lost. */
const AGAIN = `clock_timestamp() + interval '15 seconds'`;

/** How far the configuration of trunks has come; `ConfigRepository.transaction` writes what there is to do. */
export class TrunkProvisioningRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Null for a trunk that was never there, or is gone from every media node. */
  async find(trunkId: string): Promise<ProvisionedTrunk | null> {
    const rows: (Omit<ProvisionedTrunk, 'version'> & { version: string })[] = await this.#session.manager.query(
      `SELECT p.version, p.removed, t.previous_password_until AS "previousPasswordUntil"
       FROM trunk_provisioning p LEFT JOIN inbound_trunks t ON t.id = p.trunk_id WHERE p.trunk_id = $1`,
      [trunkId],
    );
    return rows[0] === undefined ? null : { ...rows[0], version: Number(rows[0].version) };
  }

  /** Every live media node acts on this version. Of a removed trunk nothing is left to do, and nothing stays. */
  async confirm(trunkId: string, version: number): Promise<void> {
    await this.#session.manager.query(
      `WITH gone AS (DELETE FROM trunk_provisioning WHERE trunk_id = $1 AND removed AND version <= $2)
       UPDATE trunk_provisioning SET confirmed_version = greatest(confirmed_version, $2), confirmed_at = clock_timestamp()
       WHERE trunk_id = $1 AND NOT removed`,
      [trunkId, version],
    );
  }

  /**
   * Trunks whose latest version was not confirmed in time, those that wait longest first. Who is given them tells their
   * workflows; for a while nobody else is given them.
   */
  async claimDue(limit: number): Promise<UnconfirmedTrunk[]> {
    const [rows]: [(Omit<UnconfirmedTrunk, 'version'> & { version: string })[]] = await this.#session.manager.query(
      `UPDATE trunk_provisioning p SET due_at = ${AGAIN}
       FROM (SELECT trunk_id FROM trunk_provisioning
         WHERE confirmed_version < version AND due_at <= clock_timestamp()
         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS due
       WHERE p.trunk_id = due.trunk_id
       RETURNING p.org_id AS "orgId", p.trunk_id AS "trunkId", p.direction, p.version, p.removed`,
      [limit],
    );
    return rows.map((row) => ({ ...row, version: Number(row.version) }));
  }
}
