/**
 * What is asked of a campaign's contacts reads about what it answers, once PostgreSQL has learnt what an import has made of the
 * table.
 */
import type { DataSource, Logger } from 'typeorm';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { OrganisationScope } from '../../../store/organisation-scope';
import type { StoreSession } from '../../../store/organisation-scope';
import { preparedName } from '../../../store/prepared';
import { CampaignContactRepository } from '../../../store/repositories/campaign-contact-repository';
import { CampaignDiallingRepository } from '../../../store/repositories/campaign-dialling-repository';
import { CampaignImportRepository } from '../../../store/repositories/campaign-import-repository';
import { CampaignRepository } from '../../../store/repositories/campaign-repository';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { explain, explainGeneric } from './query-plan';
import type { PlanFacts } from './query-plan';

const CONTACTS = 60_000;
const LIMIT = 100;
/** Of a row its own block, and the way to it in each index that is asked beside it. */
const BLOCKS_PER_ROW = 16;

describe('contacts of a full campaign', () => {
  let database: TestDatabase;
  let owner: DataSource;
  let api: DataSource;
  const [orgId, campaignId] = [uuidV7(), uuidV7()];
  let statements: { readonly text: string; readonly parameters: readonly unknown[] }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = await createDataSource({ url: database.databaseUrl, statementTimeoutMs: 120_000 }).initialize();
    await owner.query(`INSERT INTO organisations (id, name) VALUES ($1, 'O')`, [orgId]);
    await owner.query('ALTER TABLE campaign_contacts SET (autovacuum_enabled = false)');
    // The second of two campaigns; of each priority most are due, and many later ones stand before them.
    for (const id of [uuidV7(), campaignId]) {
      await owner.query(
        `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, priority, variables, state, due_at, created_at)
         SELECT gen_random_uuid(), $1, $2, '+1202' || lpad(i::text, 7, '0'), i % 5, '{}',
           CASE WHEN i % 5 = 4 THEN 'waiting' ELSE 'pending' END,
           now() + CASE WHEN i % 5 = 4 THEN interval '1 day' ELSE interval '-1 hour' END, now() - i * interval '1 s'
         FROM generate_series(1, ${CONTACTS}) AS i`,
        [orgId, id],
      );
    }
    // Each number had a call, and that of who comes first thousands, none of which is under way.
    await owner.query(
      `INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, priority, variables, due_at)
       VALUES (gen_random_uuid(), $1, $2, '+12029999999', 9, '{}', now() - interval '1 hour')`,
      [orgId, campaignId],
    );
    await owner.query(
      `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at, ended_at)
       SELECT gen_random_uuid(), $1, gen_random_uuid(), d.direction, n.number, n.number, 'completed', now(), now()
       FROM (SELECT '+1202' || lpad(least(9999999, i * CASE WHEN i > 55000 THEN 1000 ELSE 1 END)::text, 7, '0') AS number
            FROM generate_series(1, ${CONTACTS}) AS i) n,
         (VALUES ('outbound'), ('inbound')) AS d (direction)`,
      [orgId],
    );
    // And thousands are under way, with others.
    await owner.query(
      `INSERT INTO calls (id, org_id, session_id, direction, from_number, to_number, status, created_at)
       SELECT gen_random_uuid(), $1, gen_random_uuid(), d.direction, '+1303' || i, '+1303' || i, 'in_progress', now()
       FROM generate_series(1, 3000) AS i, (VALUES ('outbound'), ('inbound')) AS d (direction)`,
      [orgId],
    );
    await owner.query('ANALYZE calls');
    api = await createDataSource({ url: database.apiUrl, poolSize: 1 }).initialize();
    await new OrganisationScope(api, orgId).write((session) => new CampaignImportRepository(session).learn());
    api.logger = {
      logQuery: (text: string, parameters: readonly unknown[] = []) => statements.push({ text, parameters }),
    } as unknown as Logger;
  }, 120_000);
  afterAll(async () => {
    await Promise.all([owner.destroy(), api.destroy()]);
    await database.drop();
  });

  async function plansOf(ask: (session: StoreSession) => Promise<unknown>): Promise<PlanFacts[]> {
    statements = [];
    await new OrganisationScope(api, orgId).read(ask);
    const asked = statements.filter(({ text }) => /^\s*(SELECT|WITH)\b/.test(text));
    expect(asked).not.toEqual([]);
    return new OrganisationScope(api, orgId).read(async ({ manager }) => {
      const plans: PlanFacts[] = [];
      for (const { text, parameters: given } of asked) {
        const parameters = given.map((value) => (value instanceof Date ? value.toISOString() : value));
        plans.push(await explain(manager, text, parameters));
        if (preparedName(text) !== undefined) plans.push(await explainGeneric(manager, text, parameters));
      }
      return plans;
    });
  }

  const contacts = (session: StoreSession): CampaignContactRepository => new CampaignContactRepository(session);
  const due = { limit: LIMIT, dialledSince: new Date(0) };

  it.each<readonly [string, (session: StoreSession) => Promise<unknown>]>([
    ['next to be called', (session) => contacts(session).due(orgId, campaignId, new Date(), { ...due, after: null })],
    [
      'called after one',
      (session) => {
        const after = { priority: 2, dueAt: new Date(0), id: uuidV7() };
        return contacts(session).due(orgId, campaignId, new Date(), { ...due, after });
      },
    ],
    ['in the order of their numbers', (session) => contacts(session).inOrder(orgId, campaignId, '+12020030000', LIMIT)],
    ['newest', (session) => contacts(session).list(orgId, campaignId, { limit: LIMIT })],
    ['waiting', (session) => contacts(session).list(orgId, campaignId, { limit: LIMIT, state: 'waiting' })],
    [
      'with a call under way',
      (session) => new CampaignDiallingRepository(session).standing(orgId, campaignId, Date.now()),
    ],
    ['due next', (session) => new CampaignDiallingRepository(session).remainder(campaignId)],
    ['of a turn', (session) => new CampaignDiallingRepository(session).claimedBy(orgId, campaignId, uuidV7())],
    ['perhaps never called', (session) => new CampaignDiallingRepository(session).stuck(orgId, campaignId, Date.now())],
    ['of one number', (session) => contacts(session).list(orgId, campaignId, { phoneNumber: '+12020000007' })],
  ])('those %s are read, and not many more', async (_, ask) => {
    const wasteful = (await plansOf(ask)).filter(({ rowsRead, rowsSorted, scanned, blocks }) => {
      const most = Math.max(rowsRead, rowsSorted) < 10 * LIMIT && blocks < BLOCKS_PER_ROW * LIMIT;
      return !most || scanned.includes('campaign_contacts');
    });
    expect(wasteful).toEqual([]);
  });

  it('are counted without being read', async () => {
    const counted = await new OrganisationScope(api, orgId).read((session) =>
      new CampaignRepository(session).counts(campaignId),
    );
    expect(counted).toEqual([
      { state: 'pending', result: null, reason: null, contacts: (CONTACTS * 4) / 5 + 1, attempts: 0 },
      { state: 'waiting', result: null, reason: null, contacts: CONTACTS / 5, attempts: 0 },
    ]);
    for (const { rowsRead, blocks } of await plansOf((session) => new CampaignRepository(session).counts(campaignId))) {
      expect([rowsRead < 100, blocks < 100]).toEqual([true, true]);
    }
  });
});
