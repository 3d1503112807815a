import type { NodeBoot } from '../../contract/nodes';
import { TRUNK_LEASE_MS } from '../../contract/nodes';
import type { TrunkHealth, TrunkHealthReason, TrunkHealthState, TrunkRegistration } from '../../contract/trunk-health';
import { isUuid } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';

interface HealthColumns {
  readonly state: TrunkHealthState;
  readonly reasons: readonly TrunkHealthReason[];
  readonly sinceMs: number;
  readonly checkedAtMs: number | null;
  readonly rttMs: number | null;
  readonly registration: TrunkRegistration | null;
}

export interface TakenTrunk {
  readonly trunkId: string;
  /** As the owner before left it. */
  readonly health: TrunkHealth;
  /** Whether the trunk's workflow knows of the state. */
  readonly told: boolean;
}

export interface TrunkLeases {
  /** Age in ms of the boot's last sign of life: all of its leases run out `TRUNK_LEASE_MS` after that. Null: the boot is over. */
  readonly seenMsAgo: number | null;
  /** How many trunks each node should have. */
  readonly share: number;
  /** Trunks that were this boot's before. */
  readonly kept: readonly string[];
  /** Trunks that are this boot's from now on. */
  readonly taken: readonly TakenTrunk[];
}

export interface TrunkHealthReport {
  readonly trunkId: string;
  readonly health: TrunkHealth;
  /** `sinceMs` of what the trunk's workflow was told last; null: nothing by this node, and what is stored stays. */
  readonly toldSinceMs: number | null;
}

export interface StoredTrunkHealth extends TrunkHealth {
  /** The node that looks after it; null when none does now. */
  readonly node: string | null;
}

const millisecondsOf = (column: string): string => `round(extract(epoch FROM ${column}) * 1000)::float8`;

const HEALTH = `h.state, h.reasons, ${millisecondsOf('h.since')} AS "sinceMs",
  ${millisecondsOf('h.checked_at')} AS "checkedAtMs", h.rtt_ms AS "rttMs", h.registration`;

const LEASE = `interval '${TRUNK_LEASE_MS} milliseconds'`;
const LIVING = `lost_at IS NULL AND last_seen >= clock_timestamp() - ${LEASE}`;

/**
 * A boot's signs of life, which it writes each second anyway, are the leases of all its trunks: nothing is written to keep
 * thousands of them. They end with the boot, or when it has been silent for `TRUNK_LEASE_MS`. What is free is taken up to
 * an even share; rows that somebody else is changing are passed over, so that this waits for nobody.
 */
const TAKE = `
  WITH me AS (SELECT last_seen FROM media_nodes WHERE node_id = $1 AND boot_id = $2 AND ${LIVING}),
  living AS (SELECT node_id, boot_id FROM media_nodes WHERE ${LIVING}),
  share AS (
    SELECT ceil((SELECT count(*) FROM trunk_health)::numeric / greatest(1, (SELECT count(*) FROM living)))::int AS trunks),
  kept AS (
    SELECT trunk_id FROM trunk_health WHERE owner_node = $1 AND owner_boot = $2 AND EXISTS (SELECT FROM me)),
  free AS (
    SELECT h.trunk_id FROM trunk_health h
    WHERE EXISTS (SELECT FROM me) AND NOT EXISTS (
      SELECT FROM living l WHERE l.node_id = h.owner_node AND l.boot_id = h.owner_boot)
    LIMIT greatest(0, (SELECT trunks FROM share) - (SELECT count(*) FROM kept)::int)
    FOR NO KEY UPDATE OF h SKIP LOCKED),
  taken AS (
    UPDATE trunk_health h SET owner_node = $1, owner_boot = $2 FROM free WHERE h.trunk_id = free.trunk_id
    RETURNING h.trunk_id AS "trunkId", ${HEALTH}, h.told_since IS NOT DISTINCT FROM h.since AS told)
  SELECT (SELECT extract(epoch FROM clock_timestamp() - last_seen) * 1000 FROM me)::float8 AS "seenMsAgo",
    (SELECT trunks FROM share) AS share,
    ARRAY(SELECT trunk_id FROM kept)::text[] AS kept,
    coalesce((SELECT json_agg(taken) FROM taken), '[]') AS taken`;

/** By its owner alone, whoever that is by now; rows that somebody else is changing are left for the next time. */
const REPORT = `
  WITH given AS (
    SELECT * FROM jsonb_to_recordset($3::jsonb) AS g ("trunkId" uuid, state text, reasons jsonb, since timestamptz,
      "checkedAt" timestamptz, "rttMs" integer, registration jsonb, "toldSince" timestamptz)),
  held AS (
    SELECT trunk_id FROM trunk_health
    WHERE trunk_id IN (SELECT "trunkId" FROM given) AND owner_node = $1 AND owner_boot = $2
    FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE trunk_health h SET state = g.state, reasons = g.reasons, since = g.since, checked_at = g."checkedAt",
    rtt_ms = g."rttMs", registration = g.registration, told_since = coalesce(g."toldSince", h.told_since)
  FROM given g JOIN held ON held.trunk_id = g."trunkId" WHERE h.trunk_id = g."trunkId"
  RETURNING h.trunk_id AS "trunkId"`;

export class TrunkHealthRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** Which trunks the boot looks after from now on. */
  async take({ nodeId, bootId }: NodeBoot): Promise<TrunkLeases> {
    interface TakenRow extends HealthColumns {
      readonly trunkId: string;
      readonly told: boolean;
    }
    const rows: (Omit<TrunkLeases, 'taken'> & { readonly taken: readonly TakenRow[] })[] =
      await this.#session.manager.query(TAKE, [nodeId, bootId]);
    const [leases] = rows;
    if (leases === undefined) throw new Error('a SELECT without FROM gives one row');
    const taken = leases.taken.map(({ trunkId, told, ...health }) => ({ trunkId, told, health }));
    return { ...leases, taken };
  }

  /** Gives trunks up for others to take; those that are the boot's no more stay as they are. */
  async release({ nodeId, bootId }: NodeBoot, trunkIds: readonly string[]): Promise<void> {
    await this.#session.manager.query(
      `UPDATE trunk_health SET owner_node = NULL, owner_boot = NULL WHERE trunk_id IN (
         SELECT trunk_id FROM trunk_health WHERE trunk_id = ANY($3::uuid[]) AND owner_node = $1 AND owner_boot = $2
         FOR NO KEY UPDATE SKIP LOCKED)`,
      [nodeId, bootId, trunkIds],
    );
  }

  /** Answers whose reports were stored. */
  async report({ nodeId, bootId }: NodeBoot, reports: readonly TrunkHealthReport[]): Promise<string[]> {
    const given = reports.map(({ trunkId, health, toldSinceMs }) => ({
      trunkId,
      state: health.state,
      reasons: health.reasons,
      since: new Date(health.sinceMs),
      checkedAt: health.checkedAtMs === null ? null : new Date(health.checkedAtMs),
      rttMs: health.rttMs,
      registration: health.registration,
      toldSince: toldSinceMs === null ? null : new Date(toldSinceMs),
    }));
    const [rows]: [{ trunkId: string }[], number] = await this.#session.manager.query(REPORT, [
      nodeId,
      bootId,
      jsonbParameter(given),
    ]);
    return rows.map(({ trunkId }) => trunkId);
  }

  /** Null when the organisation has no such trunk. */
  async find(orgId: string, trunkId: string): Promise<StoredTrunkHealth | null> {
    if (!isUuid(trunkId)) return null;
    const rows: StoredTrunkHealth[] = await this.#session.manager.query(
      `SELECT ${HEALTH}, (SELECT m.node_id FROM media_nodes m
         WHERE m.node_id = h.owner_node AND m.boot_id = h.owner_boot AND ${LIVING}) AS node
       FROM trunk_health h WHERE h.trunk_id = $1 AND h.org_id = $2`,
      [trunkId, orgId],
    );
    return rows[0] ?? null;
  }
}
