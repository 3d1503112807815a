/** Who is claimed, put off or left out is looked up, in a campaign of any size: a small one is not gone through for each of them. */
import type { DataSource, Logger } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { explain, explainGeneric } from './query-plan';
import type { PlanFacts } from './query-plan';

/** Of the sizes that a scan is cheapest for, by PostgreSQL's reckoning. */
const CONTACTS = 6_000;
const MOVED = 5;
const [orgId, campaignId] = [uuidV7(), uuidV7()];

let database: TestDatabase;
let owner: DataSource;
let statements: { readonly text: string; readonly parameters: readonly unknown[] }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await createDataSource({ url: database.databaseUrl, poolSize: 1 }).initialize();
  await owner.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [orgId]);
  await owner.query(
    `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, priority, variables, due_at)
     SELECT gen_random_uuid(), $1, $2, '+1202' || lpad(i::text, 7, '0'), 0, '{}', now() - interval '1 hour'
     FROM generate_series(1, ${CONTACTS}) AS i`,
    [orgId, campaignId],
  );
  await owner.query('ANALYZE campaign_contacts');
  owner.logger = {
    logQuery: (text: string, parameters: readonly unknown[] = []) => statements.push({ text, parameters }),
  } as unknown as Logger;
}, 60_000);

afterAll(async () => {
  await owner.destroy();
  await database.drop();
});

async function plansOf(ask: (dialling: CampaignDiallingRepository) => Promise<unknown>): Promise<PlanFacts[]> {
  statements = [];
  await ask(new CampaignDiallingRepository(owner));
  const [asked] = statements;
  if (asked === undefined) throw new Error('nothing was asked');
  const parameters = asked.parameters.map((value) => (value instanceof Date ? value.toISOString() : value));
  return owner.transaction(async (manager) => [
    await explain(manager, asked.text, parameters),
    await explainGeneric(manager, asked.text, parameters),
  ]);
}

interface Seen {
  readonly id: string;
  readonly seen: string;
}

const someContacts = (): Promise<Seen[]> =>
  owner.query(`SELECT id, xmin::text AS seen FROM campaign_contacts WHERE state = 'pending' LIMIT $1`, [MOVED]);

it.each<readonly [string, (dialling: CampaignDiallingRepository, contacts: readonly Seen[]) => Promise<unknown>]>([
  [
    'claimed',
    (dialling, contacts) => {
      const wanted = contacts.map(({ id }) => ({ id, calls: 1, callId: uuidV7(), trunkId: uuidV7() }));
      return dialling.claim(orgId, campaignId, { turn: uuidV7(), version: 1, wanted, nowMs: Date.now() });
    },
  ],
  [
    'put off',
    (dialling, contacts) => {
      const note = { at: new Date().toISOString(), called: false, reason: 'outside_window', detail: '' } as const;
      const dueAtMs = Date.now() + 60_000;
      return dialling.move(
        orgId,
        campaignId,
        contacts.map((contact) => ({ ...contact, result: null, dueAtMs, note })),
        Date.now(),
      );
    },
  ],
])('those that are %s', async (_, ask) => {
  const contacts = await someContacts();
  const plans = await plansOf((dialling) => ask(dialling, contacts));
  for (const { scanned, rowsRead } of plans) {
    expect(scanned).not.toContain('campaign_contacts');
    expect(rowsRead).toBeLessThan(20 * MOVED);
  }
});
