import type { DataSource } from 'typeorm';
import type { CallEvent } from '../../../contract/events';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
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
