/**
 * Tables as they are after years: many organisations, of which the first has half of all numbers, calls, contacts and
 * audit entries, and values that only its oldest rows have. Whoever looks for those among the newest reads everything.
 */
import { createHash } from 'node:crypto';

import type { EntityManager } from 'typeorm';

import { CALL_STATUSES } from '../../contract/call';
import { DISPOSITIONS } from '../../contract/endings';

export interface TableSizes {
  readonly organisations: number;
  readonly agents: number;
  readonly phoneNumbers: number;
  readonly calls: number;
  /** Each has 25 events and 10 turns. */
  readonly callsWithRecords: number;
  readonly contacts: number;
  /** Of one campaign. */
  readonly campaignContacts: number;
  readonly auditEntries: number;
  /** Of API keys, outbound trunks and transfer destinations. */
  readonly others: number;
}

/** The id of the nth thing of its kind: a UUID v8 (RFC 9562 §5.8) that SQL can make too. */
export function filledId(kind: string, n: number): string {
  const hex = createHash('md5').update(`${kind}-${n}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-8$3-8$4-$5');
}

/** What only old rows of the first organisation have, and what many rows have. */
export const FILLED = {
  rare: { agentId: filledId('agent', 0), campaignId: filledId('campaign', 0), phoneNumber: '+12025550001' },
  common: { agentId: filledId('agent', 2), campaignId: filledId('campaign', 1), phoneNumber: '+12025550000' },
  rareAudit: { resource: 'inbound_trunk', resourceId: 'rare', action: 'revoke' },
  commonAudit: { resource: 'agent', resourceId: filledId('agent', 2), action: 'update' },
  /** Rows are ten seconds apart, the newest is this old. */
  newest: new Date('2026-01-01T00:00:00Z'),
  stepSeconds: 10,
} as const;

const NEWEST = `'${FILLED.newest.toISOString()}'::timestamptz`;

/** As the owner. The first organisation may be there already. */
export async function fillTables(manager: EntityManager, firstOrgId: string, sizes: TableSizes): Promise<void> {
  const orgOf = (n: string): string => `CASE WHEN ${n} = 0 THEN '${firstOrgId}' ELSE ${idOf('organisation', n)} END`;
  const evenly = orgOf(`(i % ${sizes.organisations})`);
  const halfToFirst = orgOf(`(i % 2 * (1 + i / 2 % ${sizes.organisations - 1}))`);
  const insert = async (table: string, rows: number, columns: Readonly<Record<string, string>>): Promise<void> => {
    const old = `i <= ${Math.ceil(rows / 100)}`;
    // Seventy of the first organisation's, ten in each status.
    const open = 'i <= 400 AND i % 40 < 14';
    const values = Object.values(columns).map((sql) => sql.replaceAll('OLD', old).replaceAll('OPEN', open));
    const at = `${NEWEST} - (${rows} - i) * interval '${FILLED.stepSeconds} seconds'`;
    await manager.query(
      `INSERT INTO ${table} (${Object.keys(columns).join(', ')}) SELECT ${values.join(', ')}
       FROM (SELECT i, ${at} AS at FROM generate_series(1, ${rows}) AS i ORDER BY i) AS s ON CONFLICT DO NOTHING`,
    );
  };
  const id = 'gen_random_uuid()';
  await insert('organisations', sizes.organisations, { id: evenly, name: `'O' || i`, created_at: 'at' });
  await insert('agents', sizes.agents, { id: idOf('agent', 'i'), org_id: evenly, name: `'A' || i`, created_at: 'at' });
  await insert('phone_numbers', sizes.phoneNumbers, {
    id,
    org_id: halfToFirst,
    phone_number: numberOf('1202', 'i'),
    country: `'US'`,
    status: `'verified'`,
    method: `'attest'`,
    created_at: 'at',
  });
  await manager.query(
    `INSERT INTO inbound_trunks (id, org_id, auth_username, auth_password_sealed, phone_numbers)
     SELECT gen_random_uuid(), org_id, org_id::text, 's', array_agg(phone_number) FROM phone_numbers GROUP BY org_id`,
  );
  const openStatus = `${array(CALL_STATUSES.filter((status) => status !== 'completed'))}[1 + i % 40 / 2]`;
  await insert('calls', sizes.calls, {
    id: idOf('call', 'i'),
    org_id: halfToFirst,
    agent_id: `CASE WHEN OLD THEN '${FILLED.rare.agentId}' ELSE ${idOf('agent', '(1 + i / 2 % 50)')} END`,
    campaign_id: `CASE WHEN OLD THEN '${FILLED.rare.campaignId}'::uuid WHEN i % 10 < 2 THEN '${FILLED.common.campaignId}' END`,
    session_id: id,
    direction: `CASE WHEN OLD THEN 'outbound' ELSE 'inbound' END`,
    from_number: `CASE WHEN i <= 40 THEN '${FILLED.rare.phoneNumber}' WHEN i % 998 = 0 THEN '${FILLED.common.phoneNumber}'
      ELSE ${numberOf('1303', 'i::bigint * 7919 % 1000000')} END`,
    to_number: `CASE WHEN i % 1000 = 0 THEN '${FILLED.common.phoneNumber}' ELSE ${numberOf('1202', 'i % 50000')} END`,
    status: `CASE WHEN OPEN THEN ${openStatus} ELSE 'completed' END`,
    disposition: `CASE WHEN OPEN THEN NULL WHEN OLD THEN ${array(DISPOSITIONS)}[1 + i / 2 % ${DISPOSITIONS.length}]
      ELSE 'answered' END`,
    created_at: 'at',
    started_at: 'at',
    ended_at: `CASE WHEN OPEN THEN NULL ELSE at + interval '1 minute' END`,
  });
  await insert('call_events', sizes.callsWithRecords * 25, {
    call_id: idOf('call', '(2 * (i / 25))'),
    source: `'node'`,
    seq: '1 + i % 25',
    org_id: `'${firstOrgId}'`,
    at: 'at',
    type: `'ringing'`,
  });
  await insert('transcript_turns', sizes.callsWithRecords * 10, {
    call_id: idOf('call', '(2 * (i / 10))'),
    index: 'i % 10',
    org_id: `'${firstOrgId}'`,
    speaker: `'agent'`,
    text: `''`,
    start_ms: '0',
    end_ms: '1',
  });
  await insert('contacts', sizes.contacts, {
    id: idOf('contact', 'i'),
    org_id: halfToFirst,
    name: `'C' || i`,
    created_at: 'at',
    // A few of the oldest were changed last.
    updated_at: `CASE WHEN i <= 60 THEN ${NEWEST} + interval '1 minute' ELSE at END`,
  });
  await insert('campaigns', sizes.others, {
    id: idOf('campaign', '(i - 1)'),
    org_id: evenly,
    name: `'C' || i`,
    status: `'draft'`,
    caller_numbers: `'{}'`,
    local_presence: 'false',
    dial_window: `'{}'`,
    ring_timeout_seconds: '45',
    retry: `'{}'`,
    caps: `'{}'`,
    machine_detection: `'off'`,
    variables: `'{}'`,
    require_consent: 'true',
    auto_pause: `'{}'`,
    created_at: 'at',
  });
  await insert('campaign_contacts', sizes.campaignContacts, {
    id,
    org_id: `'${firstOrgId}'`,
    campaign_id: `'${FILLED.common.campaignId}'`,
    phone_number: `CASE WHEN i = 40 THEN '${FILLED.rare.phoneNumber}' ELSE ${numberOf('1303', 'i')} END`,
    priority: 'i % 3',
    variables: `'{}'`,
    state: `CASE WHEN OLD THEN 'done' ELSE 'pending' END`,
    result: `CASE WHEN OLD THEN 'reached' END`,
    due_at: 'CASE WHEN OLD THEN NULL ELSE at END',
    created_at: 'at',
  });
  await insert('campaign_imports', sizes.others, {
    id,
    org_id: `'${firstOrgId}'`,
    campaign_id: `'${FILLED.common.campaignId}'`,
    status: `'completed'`,
    created_at: 'at',
  });
  await insert('dnc_entries', sizes.contacts, {
    id,
    org_id: halfToFirst,
    phone_number: `CASE WHEN i = 40 THEN '${FILLED.rare.phoneNumber}' ELSE ${numberOf('1303', 'i')} END`,
    source: `'api'`,
    created_at: 'at',
  });
  await insert('audit_log', sizes.auditEntries, {
    id,
    org_id: halfToFirst,
    at: 'at',
    resource: `CASE WHEN OLD THEN '${FILLED.rareAudit.resource}' ELSE '${FILLED.commonAudit.resource}' END`,
    resource_id: `CASE WHEN i <= 40 THEN '${FILLED.rareAudit.resourceId}' ELSE ${idOf('agent', '(i % 1000)')}::text END`,
    action: `CASE WHEN OLD THEN '${FILLED.rareAudit.action}' ELSE '${FILLED.commonAudit.action}' END`,
  });
  const named = { id, org_id: evenly, name: `'N' || i`, created_at: 'at' };
  await insert('api_keys', sizes.others, { ...named, prefix: `''`, last4: `''`, hash: `'h' || i`, scopes: `'{full}'` });
  const trunk = { host: `'h'`, username: `'u'`, password_sealed: `'s'`, caller_number: `'+1'` };
  await insert('outbound_trunks', sizes.others, { ...named, ...trunk });
  await insert('transfer_destinations', sizes.others, { ...named, type: `'phone'`, value: `'+1'` });
  await manager.query('VACUUM ANALYZE');
}

const idOf = (kind: string, n: string): string =>
  `overlay(overlay(md5('${kind}-' || ${n}) PLACING '8' FROM 13) PLACING '8' FROM 17)::uuid`;

const numberOf = (prefix: string, n: string): string => `'+${prefix}' || lpad((${n})::text, 7, '0')`;

const array = (words: readonly string[]): string => `(ARRAY['${words.join("','")}'])`;
