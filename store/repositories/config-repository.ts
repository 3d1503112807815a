import { CONFIG_CHANNEL } from '../config-changes';
import { ConfigTransaction } from '../config-transaction';
import type { ConfigKind } from '../entities/config-tombstone';
import { inTransaction, withTheEnd } from '../organisation-scope';
import type { LastStatement, StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';

/** A trunk's workflow is told by who changed the trunk; only what is not confirmed by then is told again. */
const TOLD_BY = `clock_timestamp() + interval '3 seconds'`;

/** Whose rows bear a version. */
const TABLES = {
  agent: 'agents',
  inbound_trunk: 'inbound_trunks',
  phone_number: 'phone_numbers',
  outbound_trunk: 'outbound_trunks',
} as const satisfies Record<ConfigKind, string>;
/** Of what is a trunk. */
const DIRECTIONS: Partial<Readonly<Record<ConfigKind, string>>> = {
  inbound_trunk: 'inbound',
  outbound_trunk: 'outbound',
};

/**
 * The versioned configuration. Rows carry the version that wrote them, deletions leave tombstones; one counter row,
 * incremented by the last statement of every changing transaction, orders the commits. Media nodes read it by
 * `configSince`.
 */
export class ConfigRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /** The one way to change agents, trunks or numbers. A transaction that changed nothing takes no version. */
  async transaction<T>(work: (tx: ConfigTransaction) => Promise<T>): Promise<T> {
    return inTransaction(this.#session, async (session) => {
      const tx = new ConfigTransaction(session.manager);
      const result = await work(tx);
      if (!tx.isEmpty) await withTheEnd(session, stampOf(tx));
      return result;
    });
  }

  async currentVersion(): Promise<number> {
    const rows: { version: string }[] = await this.#session.manager.query(
      'SELECT version FROM config_version WHERE id = 1',
    );
    return Number(rows[0]?.version ?? 0);
  }
}

/**
 * One statement, so that the counter's row stays locked only until the commit that follows at once. Trunks that changed, or
 * are gone, are to be confirmed in this version.
 */
function stampOf(tx: ConfigTransaction): LastStatement {
  const parameters: (readonly string[])[] = [];
  const ids = (of: readonly string[]): string => `$${parameters.push(of)}::uuid[]`;
  const parts = ['bump AS (UPDATE config_version SET version = version + 1 WHERE id = 1 RETURNING version)'];
  for (const [kind, table] of Object.entries(TABLES) as [ConfigKind, string][]) {
    const changed = tx.changedIds(kind);
    if (changed.length === 0) continue;
    const these = ids(changed);
    parts.push(
      `${kind} AS (UPDATE ${table} t SET version = bump.version FROM bump WHERE t.id = ANY(${these}))`,
      `revived_${kind} AS (DELETE FROM config_tombstones WHERE kind = '${kind}' AND id = ANY(${these}))`,
    );
    const direction = DIRECTIONS[kind];
    if (direction === undefined) continue;
    parts.push(
      `provisioned_${kind} AS (INSERT INTO trunk_provisioning (trunk_id, org_id, direction, version, due_at)
         SELECT t.id, t.org_id, '${direction}', bump.version, ${TOLD_BY} FROM ${table} t, bump WHERE t.id = ANY(${these})
         ON CONFLICT (trunk_id) DO UPDATE SET version = excluded.version, removed = false, due_at = excluded.due_at)`,
    );
  }
  const deletions = tx.deletions();
  if (deletions.length > 0) {
    const these = ids(deletions.map(({ id }) => id));
    parts.push(
      `gone AS (INSERT INTO config_tombstones (kind, id, version)
         SELECT d.kind, d.id, bump.version
         FROM unnest($${parameters.push(deletions.map(({ kind }) => kind))}::text[], ${these}) AS d (kind, id), bump
         ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version)`,
      `removed AS (UPDATE trunk_provisioning t SET version = bump.version, removed = true, due_at = ${TOLD_BY}
         FROM bump WHERE t.trunk_id = ANY(${these}))`,
    );
  }
  const text = `WITH ${parts.join(', ')}
     SELECT bump.version, pg_notify('${CONFIG_CHANNEL}', bump.version::text) FROM bump`;
  const answered = ([row]: readonly unknown[]): void => {
    if (row === undefined) throw new Error('the configuration counter has no row');
    tx.version = Number((row as { version: string }).version);
  };
  return { text: prepared(text), parameters, answered };
}
