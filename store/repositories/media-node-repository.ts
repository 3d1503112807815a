import type { DataSource } from 'typeorm';
import { NODE_SILENCE_MS } from '../../contract/nodes';
import type { NodeBoot } from '../../contract/nodes';
import { jsonbParameter } from '../jsonb';

export interface NodeSighting {
  readonly nodeId: string;
  readonly bootId: string;
  /** When this boot began, by the node's clock. */
  readonly startedAtMs: number;
  /** What phone systems are pointed at: `host`, or `host:port` when the port is not 5060. */
  readonly sipAddress: string | null;
  readonly calls: number;
  /** Of the configuration that the node acts on. */
  readonly configVersion: number;
  readonly info?: Readonly<Record<string, unknown>>;
  /** The boot has not had the row yet: it may take over that of another one. */
  readonly begins?: boolean;
}

export interface SeenNode {
  /** The survey that asks for the node's calls; null when none ever has. */
  readonly surveyId: string | null;
}

export interface MediaNodeRecord {
  readonly nodeId: string;
  readonly bootId: string;
  readonly lastSeen: Date;
  /** Age of `lastSeen` by the database's clock, so that no two clocks are compared. */
  readonly ageMs: number;
  readonly startedAt: Date;
  readonly sipAddress: string | null;
  readonly calls: number;
  readonly info: Record<string, unknown>;
}

export interface NodesActing {
  readonly live: number;
  readonly acting: number;
}

interface MediaNodeRow {
  node_id: string;
  boot_id: string;
  last_seen: Date;
  started_at: Date;
  sip_address: string | null;
  calls: number;
  info: Record<string, unknown>;
  age_ms: string;
}

const COLUMNS = `node_id, boot_id, last_seen, started_at, sip_address, calls, info,
  extract(epoch FROM clock_timestamp() - last_seen) * 1000 AS age_ms`;
/** A boot that was silent this long gives way to one that begins, whatever their clocks say. */
const SILENT = '3 seconds';
/** Without a sign of life for longer, a boot may be declared lost; both sides are decided by this one clock. */
const LOST_AFTER = `interval '${NODE_SILENCE_MS} milliseconds'`;

export class MediaNodeRepository {
  readonly #dataSource: Pick<DataSource, 'query'>;

  constructor(dataSource: Pick<DataSource, 'query'>) {
    this.#dataSource = dataSource;
  }

  /**
   * The node lives; each second. Null when the boot is over: it was declared lost, or another boot of the same node has
   * the row. Of this and `declareLost` the database lets one be the first, so that never both are true.
   */
  async seen(node: NodeSighting): Promise<SeenNode | null> {
    const rows: SeenNode[] = await this.#dataSource.query(
      `INSERT INTO media_nodes AS m (node_id, boot_id, last_seen, started_at, sip_address, calls, info, config_version)
       VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6::jsonb, $8)
       ON CONFLICT (node_id) DO UPDATE SET boot_id = excluded.boot_id, last_seen = excluded.last_seen,
         started_at = excluded.started_at, sip_address = excluded.sip_address, calls = excluded.calls, info = excluded.info,
         config_version = excluded.config_version, lost_at = NULL
       WHERE CASE WHEN m.boot_id = excluded.boot_id THEN m.lost_at IS NULL
         ELSE $7 AND (m.started_at <= excluded.started_at OR m.last_seen < clock_timestamp() - interval '${SILENT}') END
       RETURNING survey_id AS "surveyId"`,
      [
        node.nodeId,
        node.bootId,
        new Date(node.startedAtMs),
        node.sipAddress,
        node.calls,
        jsonbParameter(node.info ?? {}),
        node.begins ?? false,
        node.configVersion,
      ],
    );
    return rows[0] ?? null;
  }

  /**
   * Before anybody tells the calls of a boot that it is lost. False when it has shown a sign of life in time; true also
   * when the row is another boot's, and when it was declared lost before.
   */
  async declareLost({ nodeId, bootId }: NodeBoot): Promise<boolean> {
    const rows: unknown[] = await this.#dataSource.query(
      `INSERT INTO media_nodes AS m (node_id, boot_id, last_seen, started_at, lost_at)
       VALUES ($1, $2, 'epoch', 'epoch', clock_timestamp())
       ON CONFLICT (node_id) DO UPDATE SET lost_at = coalesce(m.lost_at, excluded.lost_at)
       WHERE m.boot_id = excluded.boot_id
         AND (m.lost_at IS NOT NULL OR m.last_seen < clock_timestamp() - ${LOST_AFTER})
       RETURNING node_id`,
      [nodeId, bootId],
    );
    if (rows.length === 1) return true;
    const present = await this.find(nodeId);
    return present?.bootId !== bootId;
  }

  async find(nodeId: string): Promise<MediaNodeRecord | null> {
    const rows: MediaNodeRow[] = await this.#dataSource.query(`SELECT ${COLUMNS} FROM media_nodes WHERE node_id = $1`, [
      nodeId,
    ]);
    return rows[0] ? toRecord(rows[0]) : null;
  }

  /** Nodes seen at most `maxAgeMs` ago, by the database's clock. */
  async live(maxAgeMs: number): Promise<MediaNodeRecord[]> {
    const rows: MediaNodeRow[] = await this.#dataSource.query(
      `SELECT ${COLUMNS} FROM media_nodes
       WHERE last_seen >= clock_timestamp() - $1 * interval '1 millisecond' ORDER BY node_id`,
      [maxAgeMs],
    );
    return rows.map(toRecord);
  }

  /** The node acts on this version of the configuration from now on; said at once, its next sign of life repeats it. */
  async configured({ nodeId, bootId }: NodeBoot, version: number): Promise<void> {
    await this.#dataSource.query(
      'UPDATE media_nodes SET config_version = $3 WHERE node_id = $1 AND boot_id = $2 AND lost_at IS NULL',
      [nodeId, bootId, version],
    );
  }

  /** How many nodes live (see `live`), and how many of them act on this version of the configuration, or a later one. */
  async acting(version: number, maxAgeMs: number): Promise<NodesActing> {
    const rows: NodesActing[] = await this.#dataSource.query(
      `SELECT count(*)::int AS live, count(*) FILTER (WHERE config_version >= $1)::int AS acting FROM media_nodes
       WHERE last_seen >= clock_timestamp() - $2 * interval '1 millisecond'`,
      [version, maxAgeMs],
    );
    return rows[0] ?? { live: 0, acting: 0 };
  }

  /** Whether a node that lives acts on an older configuration than this. */
  async isBehind(version: number, maxAgeMs: number): Promise<boolean> {
    const { live, acting } = await this.acting(version, maxAgeMs);
    return acting < live;
  }

  /** An orderly stop: the boot is no longer live. A later boot's row stays. */
  async stopped(nodeId: string, bootId: string): Promise<void> {
    await this.#dataSource.query('DELETE FROM media_nodes WHERE node_id = $1 AND boot_id = $2', [nodeId, bootId]);
  }
}

function toRecord(row: MediaNodeRow): MediaNodeRecord {
  return {
    nodeId: row.node_id,
    bootId: row.boot_id,
    lastSeen: row.last_seen,
    ageMs: Math.max(0, Math.round(Number(row.age_ms))),
    startedAt: row.started_at,
    sipAddress: row.sip_address,
    calls: row.calls,
    info: row.info,
  };
}
