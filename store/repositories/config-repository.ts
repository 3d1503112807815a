import { IsNull, MoreThan, Not } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { OfferedDestination } from '../../contract/transfers';
import { ConfigTransaction } from '../config-transaction';
import { Agent } from '../entities/agent';
import { ConfigTombstone } from '../entities/config-tombstone';
import type { ConfigKind } from '../entities/config-tombstone';
import { InboundTrunk } from '../entities/inbound-trunk';
import { Organisation } from '../entities/organisation';
import { OutboundTrunk } from '../entities/outbound-trunk';
import { PhoneNumber } from '../entities/phone-number';
import { inTransaction, withTheEnd } from '../organisation-scope';
import type { LastStatement, StoreSession } from '../organisation-scope';
import { prepared } from '../prepared';
import { rowAad, SecretError } from '../secrets';
import type { SecretBox } from '../secrets';

/** A trunk's workflow is told by who changed the trunk; only what is not confirmed by then is told again. */
const TOLD_BY = `clock_timestamp() + interval '3 seconds'`;

/** Channel of `NOTIFY`; the payload is the new version. */
export const CONFIG_CHANNEL = 'trunkline_config';

/** Left out: as the columns say by default. */
type InboundTrunkOptions = Partial<
  Pick<
    InboundTrunk,
    'auth' | 'ipAllowlist' | 'mediaSource' | 'codecs' | 'dtmfMode' | 'maxConcurrentCalls' | 'maxCallsPerSecond'
  >
>;
type OutboundTrunkOptions = Partial<
  Pick<
    OutboundTrunk,
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
  >
>;

export interface InboundTrunkConfig extends InboundTrunkOptions {
  readonly id: string;
  readonly orgId: string;
  readonly authUsername: string;
  readonly authPassword: string;
  /** The password before the last rotation, while it lets calls in too. */
  readonly previousPassword: { readonly password: string; readonly validUntilMs: number } | null;
  readonly phoneNumbers: readonly string[];
  readonly mediaTimeoutSeconds: number;
}

interface OutboundTrunkConfig extends OutboundTrunkOptions {
  readonly id: string;
  readonly orgId: string;
  readonly host: string;
  readonly port: number | null;
  readonly transport: 'udp' | 'tcp' | 'tls' | null;
  readonly username: string;
  readonly password: string;
  readonly callerNumber: string;
  readonly mediaTimeoutSeconds: number;
  readonly register: boolean;
  readonly optionsPing: boolean;
}

/** With where it may transfer to, in the order of assignment. */
export interface ConfiguredAgent extends Agent {
  readonly destinations: readonly OfferedDestination[];
}

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

export interface ConfigReference {
  readonly kind: ConfigKind;
  readonly id: string;
}

export interface ConfigDelta {
  readonly version: number;
  /** Everything there is, not a difference: replace what is held (first load, or the database was reset). */
  readonly full: boolean;
  readonly agents: readonly ConfiguredAgent[];
  readonly inboundTrunks: readonly InboundTrunkConfig[];
  readonly phoneNumbers: readonly PhoneNumber[];
  readonly outboundTrunks: readonly OutboundTrunkConfig[];
  readonly deleted: readonly ConfigReference[];
  /** Rows whose secret does not open (lost key, changed row). They are left out above. */
  readonly unreadable: readonly ConfigReference[];
  /** Trunks of suspended organisations: they carry no new calls. They are left out above too. */
  readonly suspended: readonly ConfigReference[];
}

/**
 * The versioned configuration. Rows carry the version that wrote them, deletions leave tombstones; one counter row,
 * incremented by the last statement of every changing transaction, orders the commits.
 */
export class ConfigRepository {
  readonly #session: StoreSession;
  readonly #secrets: SecretBox;

  constructor(session: StoreSession, secrets: SecretBox) {
    this.#session = session;
    this.#secrets = secrets;
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
    return readVersion(this.#session.manager);
  }

  /** All changes above `version`, in one snapshot; `loadSince(0)` is everything. */
  async loadSince(version: number): Promise<ConfigDelta> {
    return this.#session.manager.transaction('REPEATABLE READ', async (manager) => {
      const current = await readVersion(manager);
      const full = version <= 0 || current < version;
      if (current === version && !full) return emptyDelta(current);
      return this.#load(manager, current, full ? -1 : version, full);
    });
  }

  async #load(manager: EntityManager, current: number, above: number, full: boolean): Promise<ConfigDelta> {
    const where = { version: MoreThan(above) };
    const order = { createdAt: 'ASC', id: 'ASC' } as const;
    const agents = await manager.find(Agent, { where, order });
    const inbound = await manager.find(InboundTrunk, { where, order });
    const phoneNumbers = await manager.find(PhoneNumber, { where, order });
    const outbound = await manager.find(OutboundTrunk, { where, order });
    const tombstones = full ? [] : await manager.find(ConfigTombstone, { where });
    const closed = await manager.find(Organisation, { where: { suspendedAt: Not(IsNull()) }, select: { id: true } });
    const closedIds = new Set(closed.map(({ id }) => id));
    const suspended: ConfigReference[] = [];
    const unreadable: ConfigReference[] = [];
    const inboundTrunks = inbound.flatMap((row) => {
      if (closedIds.has(row.orgId)) {
        suspended.push({ kind: 'inbound_trunk', id: row.id });
        return [];
      }
      const authPassword = this.#open(row.authPasswordSealed, row.orgId, row.id);
      if (authPassword === undefined) {
        unreadable.push({ kind: 'inbound_trunk', id: row.id });
        return [];
      }
      const { id, orgId, authUsername, phoneNumbers: numbers, mediaTimeoutSeconds } = row;
      const { auth, ipAllowlist, mediaSource, codecs, dtmfMode, maxConcurrentCalls, maxCallsPerSecond } = row;
      const previousPassword = this.#previousPassword(row);
      const access = { id, orgId, authUsername, authPassword, previousPassword, phoneNumbers: numbers };
      const limits = { mediaTimeoutSeconds, maxConcurrentCalls, maxCallsPerSecond };
      return [{ ...access, ...limits, auth, ipAllowlist, mediaSource, codecs, dtmfMode }];
    });
    const outboundTrunks = outbound.flatMap((row) => {
      if (closedIds.has(row.orgId)) {
        suspended.push({ kind: 'outbound_trunk', id: row.id });
        return [];
      }
      const password = this.#open(row.passwordSealed, row.orgId, row.id);
      if (password === undefined) {
        unreadable.push({ kind: 'outbound_trunk', id: row.id });
        return [];
      }
      const { id, orgId, host, port, transport, username, callerNumber, mediaTimeoutSeconds } = row;
      const { gateways, codecs, dtmfMode, maxConcurrentCalls, maxCallsPerSecond, register, optionsPing } = row;
      const { numberFormat, numberPrefix, fromHost, headers, passCallerId, transportStrict } = row;
      const carrier = { id, orgId, host, port, transport, gateways, username, password, register, optionsPing };
      const invite = {
        callerNumber,
        numberFormat,
        numberPrefix,
        fromHost,
        headers,
        passCallerId,
        transportStrict,
        codecs,
        dtmfMode,
      };
      return [{ ...carrier, ...invite, mediaTimeoutSeconds, maxConcurrentCalls, maxCallsPerSecond }];
    });
    return {
      version: current,
      full,
      agents: await withDestinations(manager, agents),
      inboundTrunks,
      phoneNumbers,
      outboundTrunks,
      deleted: tombstones.map(({ kind, id }) => ({ kind, id })),
      unreadable,
      suspended,
    };
  }

  #previousPassword(row: InboundTrunk): InboundTrunkConfig['previousPassword'] {
    const { id, orgId, previousPasswordSealed: sealed, previousPasswordUntil: until } = row;
    const password = sealed === null ? undefined : this.#open(sealed, orgId, id);
    return password === undefined || until === null ? null : { password, validUntilMs: until.getTime() };
  }

  #open(sealed: string, orgId: string, id: string): string | undefined {
    try {
      return this.#secrets.open(sealed, rowAad(orgId, id));
    } catch (error) {
      // One row that does not open must not keep a node from loading all others.
      if (error instanceof SecretError) return undefined;
      throw error;
    }
  }
}

async function withDestinations(manager: EntityManager, agents: readonly Agent[]): Promise<ConfiguredAgent[]> {
  if (agents.length === 0) return [];
  const rows: (OfferedDestination & { readonly agentId: string })[] = await manager.query(
    `SELECT a.agent_id AS "agentId", d.id, d.name, a.keypad
     FROM agent_transfer_destinations a JOIN transfer_destinations d ON d.id = a.destination_id
     WHERE a.agent_id = ANY($1::uuid[]) ORDER BY a.created_at, d.id`,
    [agents.map(({ id }) => id)],
  );
  const ofAgent = new Map<string, OfferedDestination[]>(agents.map(({ id }) => [id, []]));
  for (const { agentId, ...offered } of rows) ofAgent.get(agentId)?.push(offered);
  return agents.map((agent) => Object.assign(agent, { destinations: ofAgent.get(agent.id) ?? [] }));
}

async function readVersion(manager: EntityManager): Promise<number> {
  const rows: { version: string }[] = await manager.query('SELECT version FROM config_version WHERE id = 1');
  return Number(rows[0]?.version ?? 0);
}

function emptyDelta(version: number): ConfigDelta {
  const rows = { agents: [], inboundTrunks: [], phoneNumbers: [], outboundTrunks: [] };
  return { version, full: false, ...rows, deleted: [], unreadable: [], suspended: [] };
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
