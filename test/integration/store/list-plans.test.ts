/**
 * Every list, with every filter, reads about the rows that it answers, however many there are, and so does what is asked
 * before a call: proved by EXPLAIN on full tables, as the API's role in an organisation's scope.
 */
import type { DataSource, Logger } from 'typeorm';
import { createApiStore } from '../../../api/database';
import type { OrgStore } from '../../../api/store';
import { CALL_DIRECTIONS, CALL_STATUSES } from '../../../contract/call';
import { CAMPAIGN_CONTACT_RESULTS, CAMPAIGN_CONTACT_STATES } from '../../../contract/campaigns';
import { DISPOSITIONS } from '../../../contract/endings';
import { createDataSource } from '../../../store/data-source';
import { uuidV7 } from '../../../store/ids';
import { OrganisationScope } from '../../../store/organisation-scope';
import { encodeCursor } from '../../../store/page-cursor';
import type { PageRequest } from '../../../store/page';
import { preparedName } from '../../../store/prepared';
import type { AuditFilter } from '../../../store/repositories/audit-repository';
import type { CallFilter } from '../../../store/repositories/call-list';
import type { CampaignContactFilter } from '../../../store/repositories/campaign-contact-repository';
import type { ContactFilter } from '../../../store/repositories/contact-repository';
import type { DncFilter } from '../../../store/repositories/dnc-repository';
import { SecretBox } from '../../../store/secrets';
import { FILLED, filledId, fillTables } from '../../support/filled-tables';
import { createTestDatabase } from '../../support/servers';
import type { TestDatabase } from '../../support/servers';
import { explain, explainGeneric } from './query-plan';
import type { PlanFacts } from './query-plan';

const SIZES = {
  organisations: 200,
  agents: 20_000,
  phoneNumbers: 20_000,
  calls: 200_000,
  callsWithRecords: 2_000,
  contacts: 80_000,
  campaignContacts: 60_000,
  auditEntries: 100_000,
  others: 10_000,
};
const LIMIT = 20;
/** What may be read beside the rows of the answer: one more for the next page, a few that are passed over. */
const SPARE_ROWS = 3 * LIMIT;
/** A row costs at most its own block and a few on the way to it. */
const BLOCKS_PER_ROW = 2;

/**
 * In the order of their creation, contacts that were changed at another time are passed over: in the index, which no order
 * of both times can spare, at sixty entries a block.
 */
const PASSED_OVER_BLOCKS: Partial<Readonly<Record<Listing, number>>> = { contacts: SIZES.contacts / 4 / 60 };

type Filters<F extends PageRequest> = {
  readonly [Field in keyof Omit<Required<F>, keyof PageRequest>]: readonly NonNullable<F[Field]>[];
};
/** A part of the API's store that lists: one that is added is missed here by the compiler, as is a filter's new field. */
type Listing = { [Part in keyof OrgStore]: OrgStore[Part] extends { list: unknown } ? Part : never }[keyof OrgStore];
type List = (org: OrgStore, orgId: string) => Promise<unknown>;

const ago = (rows: number): Date => new Date(FILLED.newest.getTime() - rows * FILLED.stepSeconds * 1000);
const [recent, middle, long] = [ago(30), ago(SIZES.calls / 2), ago(SIZES.calls - 30)];

const CALL_FILTERS: Filters<CallFilter> = {
  status: CALL_STATUSES,
  disposition: DISPOSITIONS,
  direction: CALL_DIRECTIONS,
  agentId: [FILLED.rare.agentId, FILLED.common.agentId, uuidV7()],
  campaignId: [FILLED.rare.campaignId, FILLED.common.campaignId, uuidV7()],
  phoneNumber: [FILLED.rare.phoneNumber, FILLED.common.phoneNumber, '+15550000000'],
  createdAfter: [recent, middle, long],
  createdBefore: [recent, middle, long],
};
const CONTACT_FILTERS: Filters<ContactFilter> = {
  createdAfter: [recent, ago(SIZES.contacts / 2)],
  createdBefore: [recent, ago(SIZES.contacts / 2), ago(SIZES.contacts - 30)],
  updatedAfter: [FILLED.newest, ago(SIZES.contacts / 2)],
  updatedBefore: [recent, ago(SIZES.contacts / 2), ago(SIZES.contacts - 90)],
};
const AUDIT_FILTERS: Filters<AuditFilter> = {
  resource: [FILLED.rareAudit.resource, FILLED.commonAudit.resource, 'nothing'],
  resourceId: [FILLED.rareAudit.resourceId, FILLED.commonAudit.resourceId, 'nothing'],
  action: [FILLED.rareAudit.action, FILLED.commonAudit.action, 'nothing'],
  after: [recent, ago(SIZES.auditEntries / 2)],
  before: [recent, ago(SIZES.auditEntries / 2), ago(SIZES.auditEntries - 30)],
};

const CAMPAIGN_CONTACT_FILTERS: Filters<CampaignContactFilter> = {
  state: CAMPAIGN_CONTACT_STATES,
  result: CAMPAIGN_CONTACT_RESULTS,
  phoneNumber: [FILLED.rare.phoneNumber, '+15550000000'],
};
const DNC_FILTERS: Filters<DncFilter> = { phoneNumber: [FILLED.rare.phoneNumber, '+15550000000'] };

const aCall = filledId('call', 200);
const ofCampaign = FILLED.common.campaignId;
const LISTS: Readonly<Record<Listing, Readonly<Record<string, List>>>> = {
  agents: { all: (org, orgId) => org.agents.list(orgId) },
  apiKeys: paged('api_keys', SIZES.others, {}, (org, orgId, request) => org.apiKeys.list(orgId, request)),
  audit: paged('audit_log', SIZES.auditEntries, AUDIT_FILTERS, (org, orgId, filter) => org.audit.list(orgId, filter)),
  calls: paged('calls', SIZES.calls, CALL_FILTERS, (org, orgId, filter) => org.calls.list(orgId, filter)),
  campaigns: paged('campaigns', SIZES.others, {}, (org, orgId, request) => org.campaigns.list(orgId, request)),
  campaignContacts: paged(
    `campaign_contacts/${ofCampaign}`,
    SIZES.campaignContacts,
    CAMPAIGN_CONTACT_FILTERS,
    (org, orgId, filter) => org.campaignContacts.list(orgId, ofCampaign, filter),
  ),
  campaignImports: paged(`campaign_imports/${ofCampaign}`, SIZES.others, {}, (org, orgId, request) =>
    org.campaignImports.list(orgId, ofCampaign, request),
  ),
  contacts: paged('contacts', SIZES.contacts, CONTACT_FILTERS, (org, orgId, filter) =>
    org.contacts.list(orgId, filter),
  ),
  dnc: paged('dnc_entries', SIZES.contacts, DNC_FILTERS, (org, orgId, filter) => org.dnc.list(orgId, filter)),
  events: paged('call_events', 0, {}, (org, orgId, request) => org.events.list(orgId, aCall, { limit: request.limit })),
  outboundTrunks: { all: (org, orgId) => org.outboundTrunks.list(orgId) },
  phoneNumbers: paged('phone_numbers', SIZES.phoneNumbers, {}, (org, orgId, request) =>
    org.phoneNumbers.list(orgId, request),
  ),
  transcripts: { all: (org, orgId) => org.transcripts.list(orgId, aCall) },
  transferDestinations: { all: (org, orgId) => org.transferDestinations.list(orgId) },
};

/** Which table each list is of, where an index of it begins with the organisation. */
const TABLES: Partial<Readonly<Record<Listing, string>>> = {
  agents: 'agents',
  apiKeys: 'api_keys',
  audit: 'audit_log',
  calls: 'calls',
  campaigns: 'campaigns',
  contacts: 'contacts',
  dnc: 'dnc_entries',
  outboundTrunks: 'outbound_trunks',
  phoneNumbers: 'phone_numbers',
  transferDestinations: 'transfer_destinations',
};
/** Indexes of routing and of a caller's contact. */
const FOR_ONE_NUMBER = [
  'calls_campaign_number',
  'calls_live_to',
  'calls_live_from',
  'contacts_phone_number',
  'dnc_entries_number',
  'phone_numbers_country',
  'phone_numbers_ending',
  'phone_numbers_org_number',
];

/** Of an organisation with half of all numbers; what they may read is its trunks, and tables that are always small. */
const LOOK_UPS: Readonly<Record<string, List>> = {
  ...Object.fromEntries(
    ['+12020000002', '12020000002', '2020000002', '+442079460000', '0000002', 'alice'].map(
      (dialedUser): [string, List] => [
        `which agent answers ${dialedUser}`,
        (org, orgId) => org.routing.organisation(orgId, { dialedUser, agentIdHeader: null }),
      ],
    ),
  ),
  ...Object.fromEntries(
    ['US', 'AD', 'ZW', null].map((country): [string, List] => [
      `who calls to ${country}`,
      (org, orgId) => org.callers.find(orgId, filledId('agent', SIZES.organisations), country),
    ]),
  ),
};
const LOOK_UP_ROWS = SIZES.organisations + SIZES.others / SIZES.organisations + SPARE_ROWS;

/** Two filters at a time, a rare and a common value of each. */
function pairs(filters: Readonly<Record<string, readonly unknown[]>>): object[] {
  const fields = Object.entries(filters);
  return fields.flatMap(([one, values], n) =>
    fields
      .slice(n + 1)
      .flatMap(([other, others]) =>
        values.slice(0, 2).flatMap((value) => others.slice(0, 2).map((with_) => ({ [one]: value, [other]: with_ }))),
      ),
  );
}

/** Without filter and with each value of each, on the first page and on one in the middle. */
function paged<F extends PageRequest>(
  table: string,
  rows: number,
  filters: Filters<F>,
  list: (org: OrgStore, orgId: string, filter: F) => Promise<unknown>,
): Record<string, List> {
  const alone: object[] = Object.entries<readonly unknown[]>(filters).flatMap(([field, values]) =>
    values.map((value) => ({ [field]: value })),
  );
  const cursor = encodeCursor(table, { at: ago(rows / 2), id: uuidV7() });
  const requests = [{}, ...alone].flatMap((filter) => [
    { ...filter, limit: LIMIT },
    { ...filter, limit: LIMIT, cursor },
  ]);
  return Object.fromEntries(
    requests.map((request) => [JSON.stringify(request), (org, orgId) => list(org, orgId, request as unknown as F)]),
  );
}

describe('lists', () => {
  const orgId = uuidV7();
  const secrets = new SecretBox(Buffer.alloc(32, 1).toString('base64'));
  let database: TestDatabase;
  let owner: DataSource;
  let api: DataSource;
  let statements: { readonly text: string; readonly parameters: readonly unknown[] | undefined }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = await createDataSource({ url: database.databaseUrl, statementTimeoutMs: 280_000 }).initialize();
    await fillTables(owner.manager, orgId, SIZES);
    api = await createDataSource({ url: database.apiUrl, poolSize: 1 }).initialize();
    api.logger = {
      logQuery: (text: string, parameters?: readonly unknown[]) => statements.push({ text, parameters }),
    } as unknown as Logger;
  }, 300_000);
  afterAll(async () => {
    await Promise.all([owner.destroy(), api.destroy()]);
    await database.drop();
  });

  /** Of each statement with which the list reads tables. */
  async function plansOf(list: List): Promise<PlanFacts[]> {
    statements = [];
    await createApiStore(api, secrets)
      .forOrg(orgId)
      .read((org) => list(org, orgId));
    const selects = statements.filter(({ text }) => /^\s*(SELECT|WITH)\b/.test(text));
    expect(selects).not.toEqual([]);
    return new OrganisationScope(api, orgId).read(async ({ manager }) => {
      const plans: PlanFacts[] = [];
      for (const { text, parameters } of selects) {
        plans.push(await explain(manager, text, parameters));
        if (preparedName(text) !== undefined) plans.push(await explainGeneric(manager, text, parameters));
      }
      return plans;
    });
  }

  async function wasteful(listing: Listing): Promise<readonly (readonly [string, PlanFacts])[]> {
    const passedOver = PASSED_OVER_BLOCKS[listing] ?? 0;
    const found: (readonly [string, PlanFacts])[] = [];
    for (const [name, list] of Object.entries(LISTS[listing])) {
      for (const plan of await plansOf(list)) {
        const enough = plan.rowsReturned + SPARE_ROWS;
        const good =
          plan.scanned.length === 0 &&
          plan.rowsRead <= enough &&
          plan.rowsSorted <= enough &&
          plan.blocks <= BLOCKS_PER_ROW * enough + passedOver;
        if (!good) found.push([name, plan]);
      }
    }
    return found;
  }

  it.each(Object.keys(LISTS) as Listing[])('of %s read what they answer', async (listing) => {
    expect(await wasteful(listing)).toEqual([]);
  });

  it.each(Object.keys(LOOK_UPS))('what is asked to know %s reads no more with more numbers', async (name) => {
    for (const { scanned, rowsRead, rowsSorted, blocks } of await plansOf(LOOK_UPS[name]!)) {
      expect(scanned.filter((table) => table !== 'organisations')).toEqual([]);
      expect([rowsRead < LOOK_UP_ROWS, rowsSorted < LOOK_UP_ROWS, blocks < 2 * LOOK_UP_ROWS]).toEqual([
        true,
        true,
        true,
      ]);
    }
  });

  it('of two filters read no table from end to end', async () => {
    const asked: List[] = [
      ...pairs(CALL_FILTERS).map(
        (filter): List =>
          (org) =>
            org.calls.list(orgId, filter),
      ),
      ...pairs(CONTACT_FILTERS).map(
        (filter): List =>
          (org) =>
            org.contacts.list(orgId, filter),
      ),
      ...pairs(AUDIT_FILTERS).map(
        (filter): List =>
          (org) =>
            org.audit.list(orgId, filter),
      ),
    ];
    for (const list of asked) {
      for (const { scanned } of await plansOf(list)) expect(scanned).toEqual([]);
    }
  });

  it('have no index that is not needed', async () => {
    const lists = Object.entries(TABLES) as [Listing, string][];
    const indexes: { name: string; table: string; definition: string }[] = await owner.query(
      `SELECT indexname AS name, tablename AS table, indexdef AS definition FROM pg_indexes
       WHERE schemaname = 'public' AND indexdef LIKE '%(org_id, %' AND tablename = ANY($1) AND NOT indexname = ANY($2)`,
      [lists.map(([, table]) => table), FOR_ONE_NUMBER],
    );
    expect(new Set(indexes.map(({ table }) => table)).size).toBe(lists.length);
    for (const { name, table, definition } of indexes) {
      const list = lists.find(([, listed]) => listed === table)![0];
      await owner.query(`DROP INDEX ${name}`);
      const found = await wasteful(list);
      await owner.query(definition);
      expect([name, found.length > 0]).toEqual([name, true]);
    }
  }, 280_000);
});
