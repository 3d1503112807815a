import type { CampaignStatus, ImportStatus } from '../../contract/campaigns';
import type { ReadContact } from '../campaigns/contact-row';
import { clockZoneOf } from '../campaigns/number-zones';
import { CampaignImport } from '../entities/campaign-import';
import type { RefusedRow } from '../entities/campaign-import-part';
import { StoreError } from '../errors';
import { isUuid, uuidV7 } from '../ids';
import { jsonbParameter } from '../jsonb';
import type { StoreSession } from '../organisation-scope';
import { newestPage } from '../page';
import type { Page, PageRequest } from '../page';
import { prepared } from '../prepared';
import { rowTable } from '../rows';
import { nameVariables } from './campaign-repository';

export interface ImportRow {
  readonly row: number;
  readonly contact: ReadContact;
}

export interface ImportBatch {
  readonly importId: string;
  readonly campaignId: string;
  /** From 0. */
  readonly part: number;
  readonly rows: readonly ImportRow[];
  /** What was found to be no contact before. */
  readonly invalid: readonly RefusedRow[];
}

/** Nobody deletes or completes the campaign under the batch; whoever cancels it waits for the batch before contacts are ended. */
const HOLD = prepared(
  `SELECT status FROM campaigns WHERE id = $1 AND org_id = $2 AND deleted_at IS NULL FOR KEY SHARE`,
);
const OVER: readonly CampaignStatus[] = ['completed', 'canceled'];

/** Answers those that were not added. Of a number that comes twice in one batch one is. */
const ADD = prepared(
  `WITH given AS MATERIALIZED (
     SELECT g.*, EXISTS (SELECT FROM dnc_entries d WHERE d.org_id = $1 AND d.phone_number = g.number) AS own,
       EXISTS (SELECT FROM global_dnc_entries d WHERE d.phone_number = g.number) AS global
     FROM jsonb_to_recordset($3::jsonb) AS g (n integer, id uuid, number text, name text, zone text, consent text,
       priority smallint, variables jsonb, clock text)
   ), added AS (
     INSERT INTO campaign_contacts (id, org_id, campaign_id, phone_number, name, time_zone, consent_id, priority,
       variables, clock_zone, due_at)
     SELECT id, $1, $2, number, name, zone, consent, priority, variables, clock, now() FROM given
     WHERE NOT own AND NOT global ORDER BY n
     ON CONFLICT (campaign_id, phone_number) DO NOTHING RETURNING id
   )
   SELECT n, own, global FROM given g WHERE NOT EXISTS (SELECT FROM added a WHERE a.id = g.id) ORDER BY n`,
);
const COUNT = prepared(
  `UPDATE campaign_imports SET accepted = accepted + $3, duplicates = duplicates + $4, invalid = invalid + $5,
     suppressed = suppressed + $6, updated_at = now() WHERE id = $1 AND org_id = $2`,
);
const PART = prepared(
  `INSERT INTO campaign_import_parts (import_id, part, org_id, rows) VALUES ($1, $2, $3, $4::jsonb)`,
);
const FINISH = `UPDATE campaign_imports SET status = $3, problem = $4, updated_at = now() WHERE id = $1 AND org_id = $2`;
const PARTS = prepared(
  `SELECT part, rows FROM campaign_import_parts WHERE import_id = $1 AND org_id = $2 AND part > $3 ORDER BY part LIMIT 10`,
);

export class CampaignImportRepository {
  readonly #session: StoreSession;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  /**
   * @param variables names that its contacts come with
   * @throws StoreError `not_found`, `campaign_over`
   */
  async begin(orgId: string, campaignId: string, variables: readonly string[]): Promise<CampaignImport> {
    const { manager } = this.#session;
    await this.#hold(orgId, campaignId);
    await nameVariables(manager, { orgId, id: campaignId }, variables);
    const id = uuidV7();
    await manager.insert(CampaignImport, { id, orgId, campaignId, status: 'running' });
    return manager.findOneByOrFail(CampaignImport, { id, orgId });
  }

  /**
   * One transaction with what it counts, so that a number of the import is true at any time.
   * @returns all rows that were not accepted, in their order
   * @throws StoreError `not_found`, `campaign_over` when the campaign was deleted, or is over, meanwhile
   */
  async add(orgId: string, { importId, campaignId, part, rows, invalid }: ImportBatch): Promise<RefusedRow[]> {
    const { manager } = this.#session;
    await this.#hold(orgId, campaignId);
    const given = rows.map(({ contact }, n) => ({
      n,
      id: uuidV7(),
      number: contact.phoneNumber,
      name: contact.name,
      zone: contact.timeZone,
      consent: contact.consentId,
      priority: contact.priority,
      variables: contact.variables,
      clock: clockZoneOf(contact),
    }));
    const kept: { n: number; own: boolean; global: boolean }[] =
      given.length === 0 ? [] : await manager.query(ADD, [orgId, campaignId, JSON.stringify(given)]);
    const refused = [...invalid, ...kept.flatMap((found) => refusalOf(rows[found.n], found))];
    refused.sort((a, b) => a.row - b.row);
    const count = (result: RefusedRow['result']): number => refused.filter((row) => row.result === result).length;
    const [duplicates, suppressed] = [count('duplicate'), count('suppressed')];
    const accepted = rows.length - duplicates - suppressed;
    await manager.query(COUNT, [importId, orgId, accepted, duplicates, invalid.length, suppressed]);
    if (refused.length > 0) await manager.query(PART, [importId, part, orgId, jsonbParameter(refused)]);
    return refused;
  }

  async finish(orgId: string, id: string, status: ImportStatus, problem: string | null): Promise<CampaignImport> {
    const { manager } = this.#session;
    await manager.query(FINISH, [id, orgId, status, problem]);
    return manager.findOneByOrFail(CampaignImport, { id, orgId });
  }

  /** PostgreSQL plans by what it knows of the table: after many rows it is to look at them. */
  async learn(): Promise<void> {
    await this.#session.manager.query('SELECT learn_campaign_contacts()');
  }

  /** Of one campaign, newest first. */
  async list(orgId: string, campaignId: string, request: PageRequest): Promise<Page<CampaignImport>> {
    const where = [{ campaignId, orgId }];
    const query = { entity: CampaignImport, where, of: campaignId, request, time: 'createdAt' } as const;
    return newestPage<'createdAt', CampaignImport>(this.#session.manager, query);
  }

  /** The one that is named, or the last. */
  async find(orgId: string, campaignId: string, id: string | null): Promise<CampaignImport | null> {
    const { select, read } = rowTable(this.#session.manager, CampaignImport);
    if (id !== null && !isUuid(id)) return null;
    const text = `${select} WHERE campaign_id = $1 AND org_id = $2 AND ($3::uuid IS NULL OR id = $3)
      ORDER BY created_at DESC, id DESC LIMIT 1`;
    const [row]: CampaignImport[] = await this.#session.manager.query(text, [campaignId, orgId, id]);
    return row === undefined ? null : read(row);
  }

  /** Rows that were not accepted, a few parts at a time. */
  async parts(
    orgId: string,
    id: string,
    after: number,
  ): Promise<{ readonly part: number; readonly rows: RefusedRow[] }[]> {
    return this.#session.manager.query(PARTS, [id, orgId, after]);
  }

  async #hold(orgId: string, campaignId: string): Promise<void> {
    const held: { status: CampaignStatus }[] = isUuid(campaignId)
      ? await this.#session.manager.query(HOLD, [campaignId, orgId])
      : [];
    const [campaign] = held;
    if (campaign === undefined)
      throw new StoreError('not_found', 'no such campaign', { resource: 'campaign', id: campaignId });
    const { status } = campaign;
    if (OVER.includes(status)) throw new StoreError('campaign_over', 'the campaign is over', { status });
  }
}

function refusalOf(row: ImportRow | undefined, found: { own: boolean; global: boolean }): RefusedRow[] {
  if (row === undefined) return [];
  const { phoneNumber } = row.contact;
  const refused = (result: RefusedRow['result'], reason: string): RefusedRow[] => [
    { row: row.row, phoneNumber, result, reason },
  ];
  if (found.own) return refused('suppressed', 'the number is on the do-not-call list');
  if (found.global) return refused('suppressed', "the number is on the server's do-not-call list");
  return refused('duplicate', 'the number is in the campaign already');
}
