import type { DataSource } from 'typeorm';
import type { CallEvent } from '../../../contract/events';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { CallRepository } from '../../../store/repositories/call-repository';
import type { NewCall } from '../../../store/repositories/call-row';
import { OrganisationRepository } from '../../../store/repositories/organisation-repository';
import { SecretBox } from '../../../store/secrets';
import { createTestDatabase } from '../../support/servers';

export interface StoreFixture {
  readonly dataSource: DataSource;
  readonly secrets: SecretBox;
  readonly url: string;
  newOrg(): Promise<string>;
  close(): Promise<void>;
}

/** A migrated database of the test file's own. */
export async function openStore(): Promise<StoreFixture> {
  const database = await createTestDatabase();
  const dataSource = createDataSource({ url: database.databaseUrl });
  await dataSource.initialize();
  const organisations = new OrganisationRepository(dataSource);
  return {
    dataSource,
    secrets: new SecretBox(Buffer.alloc(32, 1).toString('base64')),
    url: database.databaseUrl,
    newOrg: async () => (await organisations.create({ name: 'Test' })).id,
    close: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}

export function newCall(orgId: string, fields: Partial<NewCall> = {}): NewCall {
  return {
    id: uuidV7(),
    orgId,
    agentId: uuidV7(),
    trunkId: uuidV7(),
    sessionId: uuidV7(),
    direction: 'outbound',
    from: '+15550000001',
    to: '+15550000002',
    status: 'queued',
    createdAtMs: Date.now(),
    ...fields,
  };
}

type Body = CallEvent extends infer E
  ? E extends CallEvent
    ? Omit<E, 'callId' | 'orgId' | 'seq' | 'atMs'>
    : never
  : never;

export function nodeEvent(call: { readonly id: string; readonly orgId: string }, seq: number, body: Body): CallEvent {
  return { callId: call.id, orgId: call.orgId, seq, atMs: 1_700_000_000_000 + seq, ...body } as CallEvent;
}

export function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? error,
  );
}

/** Events of a call's workflow beyond `call.started`, which its row brings along. */
export async function insertWorkflowEvents(
  dataSource: DataSource,
  call: { readonly id: string; readonly orgId: string },
  events: readonly { readonly seq: number; readonly atMs: number; readonly type: string; readonly data?: object }[],
): Promise<void> {
  for (const { seq, atMs, type, data } of events) {
    await dataSource.query(
      `INSERT INTO call_events (call_id, source, seq, org_id, at, type, data) VALUES ($1, 'workflow', $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [call.id, seq, call.orgId, new Date(atMs), type, data ?? {}],
    );
  }
}

/** Running, with the least that a row has to have. */
export async function insertCampaign(dataSource: DataSource, orgId: string, dialWindow: object = {}): Promise<string> {
  const id = uuidV7();
  await dataSource.query(
    `INSERT INTO campaigns (id, org_id, name, status, caller_numbers, local_presence, dial_window, ring_timeout_seconds, retry,
       caps, machine_detection, variables, require_consent, auto_pause)
     VALUES ($1, $2, 'C', 'running', '{}', false, $3, 45, '{}', '{}', 'off', '{}', false, '{}')`,
    [id, orgId, dialWindow],
  );
  return id;
}

interface GivenContact {
  readonly number?: string;
  readonly timeZone?: string | null;
  readonly clockZone?: string | null;
  readonly state?: string;
}

export async function insertContact(
  dataSource: DataSource,
  { orgId, campaignId }: { readonly orgId: string; readonly campaignId: string },
  { number = '+12025550100', timeZone = null, clockZone = null, state = 'calling' }: GivenContact = {},
): Promise<string> {
  const id = uuidV7();
  await dataSource.query(
    `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, priority, variables, state, time_zone, clock_zone, due_at)
     VALUES ($1, $2, $3, $4, 0, '{}', $5, $6, $7, CASE WHEN $5 = 'done' THEN NULL ELSE now() END)`,
    [id, orgId, campaignId, number, state, timeZone, clockZone],
  );
  return id;
}

export interface ContactCall {
  readonly orgId: string;
  readonly campaignId: string | null;
  readonly contactId: string | null;
}

/** Of a contact, dialled at a time, and under way. */
export async function insertContactCall(
  dataSource: DataSource,
  { orgId, campaignId, contactId }: ContactCall,
  { at = new Date(), to = '+12025550100', attempt = 'sent' as string | null } = {},
): Promise<string> {
  const call = newCall(orgId, { to, createdAtMs: at.getTime() });
  await new CallRepository(dataSource).insertCall(call);
  await dataSource.query('UPDATE calls SET campaign_id = $2, contact_id = $3 WHERE id = $1', [
    call.id,
    campaignId,
    contactId,
  ]);
  if (attempt !== null) {
    await dataSource.query(
      `INSERT INTO call_attempts (attempt_id, call_id, org_id, n, state, sip_call_id, node_id, boot_id, created_at)
       VALUES ($1, $2, $3, 1, $4, $5, 'node', 'boot', $6)`,
      [uuidV7(), call.id, orgId, attempt, `sip-${call.id}`, at],
    );
  }
  return call.id;
}
