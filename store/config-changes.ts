/**
 * What has changed in the configuration since a version, for media nodes, by one statement: one statement sees one state of
 * the database, and rows above a version are found by an index. Asked without the mapper, which takes longer to make its
 * entities than PostgreSQL to find the rows: a thread that reads this needs a connection and nothing else of the store.
 */
import type { AgentProfile, InboundTrunkProfile, OutboundTrunkProfile } from '../contract/directory';
import type { ConfigKind } from './entities/config-tombstone';
import type { InboundTrunk } from './entities/inbound-trunk';
import type { OutboundTrunk } from './entities/outbound-trunk';
import type { PhoneNumber } from './entities/phone-number';
import { prepared } from './prepared';
import { rowAad, SecretError } from './secrets';
import type { SecretOpener } from './secrets';

/** Channel of `NOTIFY`; the payload is the new version. */
export const CONFIG_CHANNEL = 'trunkline_config';

/** With where it may transfer to, in the order of assignment. */
export interface ConfiguredAgent extends AgentProfile {
  readonly createdAtMs: number;
}

export interface InboundTrunkConfig
  extends Omit<InboundTrunkProfile, 'username' | 'password' | 'sources'>, Partial<Pick<InboundTrunk, 'ipAllowlist'>> {
  readonly authUsername: string;
  readonly authPassword: string;
}

export interface OutboundTrunkConfig extends Omit<OutboundTrunkProfile, 'transport'> {
  readonly transport: OutboundTrunk['transport'];
}

export type ConfiguredNumber = Pick<
  PhoneNumber,
  'id' | 'orgId' | 'phoneNumber' | 'status' | 'method' | 'agentId' | 'round' | 'trunkId' | 'codeExpiresAt'
>;

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
  readonly phoneNumbers: readonly ConfiguredNumber[];
  readonly outboundTrunks: readonly OutboundTrunkConfig[];
  readonly deleted: readonly ConfigReference[];
  /** Rows whose secret does not open (lost key, changed row). They are left out above. */
  readonly unreadable: readonly ConfigReference[];
  /** Trunks of suspended organisations: they carry no new calls. They are left out above too. */
  readonly suspended: readonly ConfigReference[];
}

/** Asks one statement; answers its rows. `all`: it reads everything there is, which may take long. */
export type AskConfig = (
  text: string,
  values: readonly unknown[],
  how: { readonly all: boolean },
) => Promise<readonly object[]>;

/** All changes above `version`; above 0, and when the database is behind the version, everything. */
export async function configSince(
  ask: AskConfig,
  secrets: Pick<SecretOpener, 'open'>,
  version: number,
): Promise<ConfigDelta> {
  if (version > 0) {
    const delta = toDelta((await ask(CHANGES, [version], { all: false })) as readonly ConfigRow[], secrets, false);
    if (delta.version >= version) return delta;
  }
  return toDelta((await ask(EVERYTHING, [], { all: true })) as readonly ConfigRow[], secrets, true);
}

/** Epoch milliseconds. */
const ms = (column: string): string => `extract(epoch FROM ${column}) * 1000`;

const AGENT = `
  a.id, a.org_id AS "orgId", a.name, a.type, a.language, a.first_message AS "firstMessage", a.instructions,
  a.voice_id AS "voiceId", a.tts_speed_pct AS "ttsSpeedPct", a.interruptible,
  a.use_org_knowledgebase AS "useOrgKnowledgebase", a.stt_keyterms AS "sttKeyterms",
  a.max_call_duration_seconds AS "maxCallDurationSeconds", a.silence_timeout_seconds AS "silenceTimeoutSeconds",
  a.handoff_phone_number IS NOT NULL AS "handsOff", a.failover_transfer_destination_id IS NOT NULL AS "failsOver",
  coalesce((SELECT json_agg(json_build_object('id', d.id, 'name', d.name, 'keypad', t.keypad) ORDER BY t.created_at, d.id)
    FROM agent_transfer_destinations t JOIN transfer_destinations d ON d.id = t.destination_id
    WHERE t.agent_id = a.id), '[]') AS destinations,
  ${ms('a.created_at')} AS "createdAtMs"`;

const INBOUND_TRUNK = `
  i.id, i.org_id AS "orgId", i.auth_username AS "authUsername", i.auth_password_sealed AS "passwordSealed",
  i.previous_password_sealed AS "previousSealed", ${ms('i.previous_password_until')} AS "previousUntilMs",
  i.phone_numbers AS "phoneNumbers", i.media_timeout_seconds AS "mediaTimeoutSeconds", i.auth,
  i.ip_allowlist AS "ipAllowlist", i.media_source AS "mediaSource", i.codecs, i.dtmf_mode AS "dtmfMode",
  i.max_concurrent_calls AS "maxConcurrentCalls", i.max_calls_per_second AS "maxCallsPerSecond",
  o.suspended_at IS NOT NULL AS suspended`;

const OUTBOUND_TRUNK = `
  c.id, c.org_id AS "orgId", c.host, c.port, c.transport, c.gateways, c.username, c.password_sealed AS "passwordSealed",
  c.register, c.options_ping AS "optionsPing", c.caller_number AS "callerNumber", c.number_format AS "numberFormat",
  c.number_prefix AS "numberPrefix", c.from_host AS "fromHost", c.headers, c.pass_caller_id AS "passCallerId",
  c.transport_strict AS "transportStrict", c.codecs, c.dtmf_mode AS "dtmfMode",
  c.media_timeout_seconds AS "mediaTimeoutSeconds", c.max_concurrent_calls AS "maxConcurrentCalls",
  c.max_calls_per_second AS "maxCallsPerSecond", o.suspended_at IS NOT NULL AS suspended`;

const PHONE_NUMBER = `
  n.id, n.org_id AS "orgId", n.phone_number AS "phoneNumber", n.status, n.method, n.agent_id AS "agentId", n.round,
  n.trunk_id AS "trunkId", ${ms('n.code_expires_at')} AS "codeExpiresAtMs"`;

const CHANGES = prepared(`${rowsWhere((of) => `${of}.version > $1`)}
  UNION ALL SELECT 'deleted', json_build_object('kind', kind, 'id', id) FROM config_tombstones WHERE version > $1`);
const EVERYTHING = rowsWhere(() => 'true');

function rowsWhere(condition: (alias: string) => string): string {
  const rows = (kind: string, columns: string, from: string, alias: string): string =>
    `UNION ALL SELECT '${kind}', row_to_json(r) FROM (SELECT ${columns} FROM ${from} WHERE ${condition(alias)}) r`;
  return `SELECT 'version' AS kind, to_json(version) AS data FROM config_version WHERE id = 1
    ${rows('agent', AGENT, 'agents a', 'a')}
    ${rows('inbound_trunk', INBOUND_TRUNK, 'inbound_trunks i JOIN organisations o ON o.id = i.org_id', 'i')}
    ${rows('phone_number', PHONE_NUMBER, 'phone_numbers n', 'n')}
    ${rows('outbound_trunk', OUTBOUND_TRUNK, 'outbound_trunks c JOIN organisations o ON o.id = c.org_id', 'c')}`;
}

interface Suspendable {
  readonly suspended: boolean;
  readonly passwordSealed: string;
}

type InboundTrunkRow = Omit<InboundTrunkConfig, 'authPassword' | 'previousPassword'> &
  Suspendable & { readonly previousSealed: string | null; readonly previousUntilMs: number | null };
type OutboundTrunkRow = Omit<OutboundTrunkConfig, 'password'> & Suspendable;
type PhoneNumberRow = Omit<ConfiguredNumber, 'codeExpiresAt'> & { readonly codeExpiresAtMs: number | null };

/** As the statements above select them. */
type ConfigRow =
  | { readonly kind: 'version'; readonly data: number }
  | { readonly kind: 'agent'; readonly data: ConfiguredAgent }
  | { readonly kind: 'inbound_trunk'; readonly data: InboundTrunkRow }
  | { readonly kind: 'outbound_trunk'; readonly data: OutboundTrunkRow }
  | { readonly kind: 'phone_number'; readonly data: PhoneNumberRow }
  | { readonly kind: 'deleted'; readonly data: ConfigReference };

function toDelta(rows: readonly ConfigRow[], secrets: Pick<SecretOpener, 'open'>, full: boolean): ConfigDelta {
  let version = 0;
  const agents: ConfiguredAgent[] = [];
  const inboundTrunks: InboundTrunkConfig[] = [];
  const phoneNumbers: ConfiguredNumber[] = [];
  const outboundTrunks: OutboundTrunkConfig[] = [];
  const deleted: ConfigReference[] = [];
  const unreadable: ConfigReference[] = [];
  const suspended: ConfigReference[] = [];
  for (const { kind, data } of rows) {
    switch (kind) {
      case 'version':
        version = data;
        break;
      case 'agent':
        agents.push(data);
        break;
      case 'phone_number':
        phoneNumbers.push(phoneNumber(data));
        break;
      case 'deleted':
        deleted.push(data);
        break;
      case 'inbound_trunk': {
        const trunk = data.suspended ? null : inboundTrunk(data, secrets);
        if (trunk !== null) inboundTrunks.push(trunk);
        else (data.suspended ? suspended : unreadable).push({ kind, id: data.id });
        break;
      }
      case 'outbound_trunk': {
        const trunk = data.suspended ? null : outboundTrunk(data, secrets);
        if (trunk !== null) outboundTrunks.push(trunk);
        else (data.suspended ? suspended : unreadable).push({ kind, id: data.id });
        break;
      }
    }
  }
  return { version, full, agents, inboundTrunks, phoneNumbers, outboundTrunks, deleted, unreadable, suspended };
}

function phoneNumber({ codeExpiresAtMs, ...row }: PhoneNumberRow): ConfiguredNumber {
  return { ...row, codeExpiresAt: codeExpiresAtMs === null ? null : new Date(codeExpiresAtMs) };
}

/** Null when its password does not open. */
function inboundTrunk(row: InboundTrunkRow, secrets: Pick<SecretOpener, 'open'>): InboundTrunkConfig | null {
  const { suspended: _, passwordSealed, previousSealed, previousUntilMs: validUntilMs, ...rest } = row;
  const authPassword = opened(secrets, passwordSealed, row);
  if (authPassword === null) return null;
  const previous = previousSealed === null ? null : opened(secrets, previousSealed, row);
  const previousPassword = previous === null || validUntilMs === null ? null : { password: previous, validUntilMs };
  return { ...rest, authPassword, previousPassword };
}

/** Null when its password does not open. */
function outboundTrunk(row: OutboundTrunkRow, secrets: Pick<SecretOpener, 'open'>): OutboundTrunkConfig | null {
  const { suspended: _, passwordSealed, ...rest } = row;
  const password = opened(secrets, passwordSealed, row);
  return password === null ? null : { ...rest, password };
}

function opened(
  secrets: Pick<SecretOpener, 'open'>,
  sealed: string,
  { orgId, id }: { orgId: string; id: string },
): string | null {
  try {
    return secrets.open(sealed, rowAad(orgId, id));
  } catch (error) {
    // One row that does not open must not keep a node from loading all others.
    if (error instanceof SecretError) return null;
    throw error;
  }
}
